"""The generated pages are those of the code as it stands."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def docs():
    spec = importlib.util.spec_from_file_location("samspil_docs", ROOT / "tools" / "docs.py")
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    return docs


def test_the_generated_pages_are_up_to_date(docs):
    """If this fails: make docs."""
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")}
    assert written == docs.pages()


def test_the_readme_tells_the_level_that_each_connector_has_shown(docs):
    """If this fails: make levels, then make docs."""
    assert (ROOT / "README.md").read_text(encoding="utf-8") == docs.readme()
