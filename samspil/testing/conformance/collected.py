"""The kit as pytest sees it: one test for each case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from samspil.testing.conformance.case import Case, cases
from samspil.testing.conformance.results import digest
from samspil.testing.conformance.subject import Subject
from samspil.testing.plugin import APART, DIGEST, PROPERTY


def conformance(subject: Subject) -> Callable[..., None]:
    """A test function with one case for each promise (and schema) that concerns the subject."""
    import pytest  # noqa: PLC0415 - the engine does not need it, a test file has it

    found, apart = cases(subject)
    now = digest(subject.name, subject.connector, subject.mappings)

    @pytest.mark.parametrize("case", found, ids=[case.id for case in found])
    def test_conformance(case: Case, record_property: Callable[[str, Any], None]) -> None:
        record_property(PROPERTY, (subject.name, case.promise.name, case.schema))
        record_property(DIGEST, now)
        if case is found[0]:
            record_property(APART, [tuple(one) for one in apart])
        skip = subject.skips.get(case.promise.name)
        if skip is not None:
            problem = skip.problem()
            if problem:
                pytest.fail(f"the skip of {case.promise.name}: {problem}", pytrace=False)
            pytest.skip(f"{skip.reason} (until {skip.until})")
        said = ""
        try:
            case.keep()
        except AssertionError as broken:
            said = str(broken)
        if said:  # outside, or the failure would be shown twice
            pytest.fail(said, pytrace=False)

    made: Callable[..., None] = test_conformance
    return made
