"""Mutants that lose their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from samspil.connector import Connector, Page
from samspil.testing.mutants.mutant import made, mutant

Base = type[Connector]
ONE_PAGE = "a read of so few rows is one page"
ONE_CURSOR = {
    **dict.fromkeys(("meeting_calendar", "case_archive"), "its cursor is the moment of the read"),
    "data_warehouse": ONE_PAGE,
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


@mutant("a_read_gives_a_cursor")
def gives_no_cursor(base: Base) -> Base:
    """Does not say where it is."""
    return _with_cursor(base, lambda _: None)


@mutant("the_cursor_is_used")
def ignores_its_cursor(base: Base) -> Base:
    """Reads everything each time."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        del since
        yield from base.read(self, schema)

    return made(base, read=read)


@mutant("every_checkpoint_loses_nothing", excused={"data_warehouse": ONE_PAGE})
def says_it_is_done_too_early(base: Base) -> Base:
    """Gives the last cursor of a read with its first page."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        pages = list(base.read(self, schema, since))
        yield from (page._replace(cursor=pages[-1].cursor) for page in pages)

    return made(base, read=read)


@mutant("the_cursor_never_goes_back", excused=ONE_CURSOR)
def moves_backwards(base: Base) -> Base:
    """Gives the cursors of a read in the wrong order."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        pages = list(base.read(self, schema, since))
        cursors = [page.cursor for page in pages][::-1]
        yield from (page._replace(cursor=cursor) for page, cursor in zip(pages, cursors, strict=True))

    return made(base, read=read)


@mutant("the_cursor_is_small")
def remembers_in_its_cursor(base: Base) -> Base:
    """Puts what it has read into its cursor."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        seen = b""
        for page in base.read(self, schema, since.split("#")[0] if since else None):
            seen += b"".join(map(bytes, page.raws))
            yield page._replace(cursor=f"{page.cursor}#{seen.hex()}" if page.cursor else None)

    return made(base, read=read)


@mutant("what_is_gone_is_told", "an_increment_is_the_difference", "a_flow_of_increments_follows_its_source")
def forgets_what_is_gone(base: Base) -> Base:
    """Does not tell what was deleted."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        yield from (page._replace(gone=()) for page in base.read(self, schema, since))

    return made(base, read=read)


@mutant("a_late_commit_is_found")
def trusts_the_last_moment(base: Base) -> Base:
    """Goes on from the very last moment it has seen, so that what is committed late is never found."""
    return _with_cursor(base, lambda cursor: _moved(cursor, lambda at: at + timedelta(hours=1)))


@mutant("equal_times_lose_nothing", excused=ONE_CURSOR)
def goes_on_after_the_last_moment(base: Base) -> Base:
    """Goes on a second after the last moment, so that the rest of the same moment is lost."""
    return _with_cursor(base, lambda cursor: _moved(cursor, lambda at: at + timedelta(hours=1, seconds=1)))


@mutant("another_clock_loses_nothing", "an_increment_is_the_difference")
def trusts_our_own_clock(base: Base) -> Base:
    """Goes on from when our own clock said that the read was over."""
    later = datetime.now(UTC) + timedelta(days=3650)  # the sandboxes' clocks are those of their worlds
    return _with_cursor(base, lambda cursor: _moved(cursor, lambda _: later))


def _with_cursor(base: Base, change: Callable[[str], str | None]) -> Base:
    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for page in base.read(self, schema, since):
            yield page if page.cursor is None else page._replace(cursor=change(page.cursor))

    return made(base, read=read)


def _moved(cursor: str, change: Callable[[datetime], datetime]) -> str:
    def moved(found: re.Match[str]) -> str:
        return change(datetime.fromisoformat(found[0])).isoformat()

    return _MOMENT.sub(moved, cursor)
