"""Trying some of a subject's promises."""

from collections.abc import Callable

import pytest

from samspil.testing.conformance import Broken
from samspil.testing.conformance.case import Case


@pytest.fixture
def problems() -> Callable[[list[Case]], dict[str, str]]:
    """What is wrong with the cases that are not kept, by their ids."""

    def tried(wanted: list[Case]) -> dict[str, str]:
        found: dict[str, str] = {}
        for case in wanted:
            try:
                case.keep()
            except Broken as broken:
                found[case.id] = str(broken)
        return found

    return tried
