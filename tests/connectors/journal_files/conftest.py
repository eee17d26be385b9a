"""A sandbox of the journal that speaks files, and a connector to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.journal_files.connector import JournalFiles
from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.testing.world import World


@pytest.fixture
def journal() -> Iterator[JournalFilesSandbox]:
    with JournalFilesSandbox(World("730", citizens=30)) as sandbox:
        yield sandbox


@pytest.fixture
def connector(journal: JournalFilesSandbox) -> Iterator[JournalFiles]:
    connector = JournalFiles(journal.account)
    yield connector
    connector.close()
