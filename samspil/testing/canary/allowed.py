"""Where the canary person may be, and why: the only list of it."""

from __future__ import annotations

import re
from functools import cache

import msgspec


class Allowed(msgspec.Struct, frozen=True):
    """One thing that may show a person. ``where`` and ``test`` are regular expressions for its whole name."""

    place: str
    where: str
    reason: str
    test: str = ".*"

    @staticmethod
    def all() -> tuple[Allowed, ...]:
        """The list."""
        return ALLOWED


ALLOWED: tuple[Allowed, ...] = (
    *(
        Allowed(
            place, r".*", "broken on purpose: the conformance kit must find what these show", r".*testing/mutants/.*"
        )
        for place in ("logs", "captured output", "process arguments", "temporary files", "exceptions")
    ),
    Allowed("temporary files", r"kit-mutant-.+", "the same, left by a mutant until its process ends"),
    Allowed("process arguments", r".*", "the search's own tests plant a leak there", r".*testing/canary/.*"),
    Allowed(
        "temporary files",
        r"[^/]+/cpr",
        "what a person gives the command: whose rights it is about",
        r".*test_cli_person.*",
    ),
    Allowed(
        "captured output",
        r".*",
        "the answer to a person who asks what is held: told on purpose, and that it was told is in the ledger",
        r".*::test_everything_held_and_sent_is_listed_without_the_records",
    ),
    Allowed(
        "temporary files",
        r"pgbox-[^/]+/data/(?:base/\d+/\d+(?:\.\d+)?|pg_wal/[0-9A-F]{24})",
        "tables, indexes and write-ahead log of a sandbox's own PostgreSQL server, which runs until the process ends: they "
        "are what a municipality's real system holds. Its log, settings and temporary files are none of that, and the "
        "store's databases are on another server",
    ),
    Allowed(
        "temporary files",
        r"[^/]+/Aktivitet-\d+\.xml",
        "what a sandbox serves: the test writes its pages beforehand",
        r".*::test_pages_rendered_beforehand_are_served_as_they_are",
    ),
    Allowed(
        "store",
        r"stores\d+/store-730\.db(?: receipts| quarantine)?",
        "filled by hand as a careless system would: the tests of Airflow's pages show that they do not repeat it",
        r"stores",
    ),
)


@cache
def allowing(place: str, where: str, test: str) -> bool:
    """Whether the list has what was found there."""
    return any(
        one.place == place and re.fullmatch(one.where, where, re.DOTALL) and re.fullmatch(one.test, test, re.DOTALL)
        for one in ALLOWED
    )
