"""Levels: what a connector has shown, computed from the promises that passed. Nobody can declare one.

============  =========================================================================================
reachable     its settings, capabilities and check are as the contract has them
working       what it reads and writes is right, field by field, day by day
reliable      whatever the network and the system do to it, nothing is lost, doubled or deleted by mistake
trustworthy   persons and secrets stay where they belong, and everything is accounted for
============  =========================================================================================

A level needs every promise of its groups, and of the levels before it, that concerns the connector. A skip is not a pass.
"""

from __future__ import annotations

from typing import NamedTuple

from samspil.testing.conformance.promise import promises
from samspil.testing.conformance.results import Result

NOT_TRIED, CHANGED, NONE = "not tried", "changed since last run", "none"


class Level(NamedTuple):
    """A name, and the groups of promises that it needs besides those of the levels before it."""

    name: str
    groups: frozenset[str]


LEVELS = (
    Level("reachable", frozenset({"contract", "check"})),
    Level("working", frozenset({"reading", "writing", "mapping"})),
    Level(
        "reliable",
        frozenset({"paging", "incremental", "deleting", "batches", "resending", "remembering", "failing", "answers"}),
    ),
    Level("trustworthy", frozenset({"privacy", "storage", "evidence", "two_way"})),
)


def level(result: Result | None, digest: str) -> str:
    """The level that a result shows for a connector that has this digest now."""
    if result is None:
        return NOT_TRIED
    if result.digest != digest:
        return CHANGED
    reached = NONE
    for one in LEVELS:
        if missing(result, one):
            break
        reached = one.name
    return reached


def missing(result: Result, wanted: Level) -> list[str]:
    """Promises of a level's groups that did not pass, were skipped, or were never tried."""
    done = {*result.passed, *result.apart} - {*result.failed, *result.skipped}
    return [name for name, promise in promises().items() if promise.group in wanted.groups and name not in done]
