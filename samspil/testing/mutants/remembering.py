"""Mutants that ask their memory instead of the system, or another account's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import AccessError, Refused, SamspilError
from samspil.testing.mutants.mutant import made, mutant

Base = type[Connector]


@mutant("it_reads_what_is_there_now")
def keeps_its_pages(base: Base) -> Base:
    """Gives a second read from the pages of the first."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        kept = self.__dict__.setdefault("kept_pages", {})
        if (schema, since) not in kept:
            pages = []
            for page in base.read(self, schema, since):
                pages.append(page)
                yield page
            kept[schema, since] = pages
        else:
            yield from kept[schema, since]

    return made(base, read=read)


@mutant("two_reads_at_once_are_whole")
def has_one_place(base: Base) -> Base:
    """Keeps its place in a read where its other reads keep theirs."""
    at: dict[str, int] = {}

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        at[schema] = 0
        pages = list(base.read(self, schema, since))
        records = [(page, n) for page in pages for n in range(len(page.keys))]
        while at[schema] < max(len(records), 1):
            at[schema] += 1
            for page, n in records[at[schema] - 1 : at[schema]]:
                yield page._replace(raws=page.raws[n : n + 1], keys=page.keys[n : n + 1])
            if not records:
                yield from pages

    return made(base, read=read)


@mutant("a_read_that_was_left_is_begun_again")
def goes_on_where_it_stopped(base: Base) -> Base:
    """Goes on with the read that somebody left."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        left = self.__dict__.setdefault("left", {})
        pages = left.setdefault((schema, since), base.read(self, schema, since))
        while True:
            try:
                page = next(pages)
            except StopIteration:
                del left[schema, since]
                return
            except SamspilError:
                del left[schema, since]
                raise
            for n in range(max(len(page.keys), 1)):
                yield page._replace(raws=page.raws[n : n + 1], keys=page.keys[n : n + 1])

    return made(base, read=read)


@mutant("a_key_is_its_records_own", "what_is_gone_is_deleted")
def numbers_its_records(base: Base) -> Base:
    """Takes the number of a record in the list for its key."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        count = 0
        for page in base.read(self, schema, since):
            numbers = range(count, count + len(page.keys))
            count += len(page.keys)
            snapshot = self.reads[schema].mode == "snapshot"
            yield page._replace(keys=[str(number).encode() for number in numbers]) if snapshot else page

    return made(base, read=read)


@mutant("it_lets_go_of_what_it_read", excused={"course_catalogue": "its records are short and few"})
def forgets_nothing(base: Base) -> Base:
    """Keeps everything that it ever read."""
    kept: list[bytes] = []

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for page in base.read(self, schema, since):
            kept.extend(bytes(raw) + b" " for raw in page.raws)
            yield page

    return made(base, read=read)


@mutant("it_fetches_what_is_there_now")
def fetches_once(base: Base) -> Base:
    """Gives what it fetched before, however long ago."""

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any] | None:
        kept = self.__dict__.setdefault("fetched", {})
        if their_id not in kept:
            kept[their_id] = base.fetch(self, schema, their_id)
        found: dict[str, Any] | None = kept[their_id]
        return found

    return made(base, fetch=fetch)


@mutant("an_account_is_not_let_in_by_another")
def shares_what_let_it_in(base: Base) -> Base:
    """Uses the log-in that the first account got at the same address."""
    first: dict[str, Connector] = {}

    def check(self: Any) -> None:
        base.check(first.get(self.account.url, self))
        first.setdefault(self.account.url, self)

    return made(base, check=check)


@mutant("an_account_is_not_let_in_by_another", needs="writes")
def refuses_when_it_may_not(base: Base) -> Base:
    """Refuses every record when it is not let in itself, so that good ones lie in the quarantine."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        try:
            return base.write(self, schema, batch)
        except AccessError:
            return [Receipt(refused=Refused("no-access")) for _ in batch]

    return made(base, write=write)


@mutant("what_is_settled_can_be_read_again")
def forgets_what_is_settled(base: Base) -> Base:
    """Takes what has arrived for something that need not be read again."""
    settled: set[str] = set()

    def told(self: Any, schema: str) -> None:
        base.settled(self, schema)
        settled.add(schema)

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for page in base.read(self, schema, since):
            yield Page((), (), cursor=page.cursor) if schema in settled else page

    return made(base, settled=told, read=read)
