"""Reading a declared list: page after page, cut but not decoded, and where the next read may start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from samspil.connector import Page
from samspil.declared.rest.answer import AnswerShape, Cut, moment
from samspil.declared.rest.caller import Caller
from samspil.declared.rest.declaration import Declared, Incremental, List
from samspil.declared.rest.paging import Query, Step

UNREADABLE = 3  # pages in a row that cannot be cut, after which the system is taken to be ill
EMPTY = 100  # pages in a row without a record, though each names a next one


class Reading:
    """One read of one schema. Iterate once.

    Every page is yielded; an unreadable one as rejected. ``day``: whether ``since`` takes a day, not a moment.
    """

    def __init__(self, caller: Caller, declared: Declared, listing: List, since: str | None, *, day: bool) -> None:
        self._caller, self._declared, self._list, self._day = caller, declared, listing, day
        self._size = getattr(caller.settings, "page_size", 0)
        self._since = moment(since)
        self._latest: datetime | None = None
        self._clock: datetime | None = None
        self._lost = False  # a page was passed over

    def __iter__(self) -> Iterator[Page]:
        incremental = self._list.incremental
        if incremental is None:
            for cut in self._cuts(self._list.path, None):
                yield cut.page
            return
        for cut in self._cuts(self._list.path, incremental):
            yield cut.page._replace(gone=cut.gone)
        if incremental.told.path and self._since is not None:
            for cut in self._cuts(incremental.told.path, incremental):
                yield Page([], [], cut.page.rejected, [*cut.page.keys, *cut.gone])
        yield Page([], [], cursor=self._cursor(incremental))

    def _cuts(self, path: str, incremental: Incremental | None) -> Iterator[Cut]:
        """One list's pages. Raises Unavailable if they repeat, do not add up, or several in a row cannot be read."""
        paging, shape = self._list.pages, answer_shape(self._declared, self._list)
        url = f"{self._caller.address}{path}"
        query: Query | None = {**paging.first(self._size), **self._asked(incremental)}
        seen: set[int] = set()
        unreadable = empty = sent = 0
        totals: set[int] = set()
        bad = b""
        while query is not None:
            self._once(seen, hash(tuple(sorted(query.items()))) if not unreadable else None, path)
            answer = self._caller.get(path, query=query)
            cut = shape.cut(answer.body)
            step = Step(url, cut.sent, cut.more, cut.next, answer.headers.get("link", ""))
            if not cut.readable:
                after = paging.past(query, step)
                self._lost = self._lost or after != query
                unreadable += 1
                if answer.body != bad:  # asked for again and the same is one piece, not two
                    yield cut
                bad = answer.body
                if unreadable == UNREADABLE:
                    raise self._strange(path, f"gave {UNREADABLE} pages in a row that cannot be read", "unreadable")
                query = after
                continue
            unreadable, sent = 0, sent + cut.sent
            totals |= {cut.total} if cut.total is not None else set()
            if cut.page.keys:
                self._once(seen, hash(cut.page.keys[0]), path)
            self._note(cut, incremental)
            query = paging.following(query, step)
            empty = 0 if cut.sent else empty + 1
            if totals and not self._lost and (len(totals) > 1 or (query is None and totals != {sent})):
                raise self._strange(path, "changed while it was read: not as many records as it says", "moved")
            if query is not None and empty > (0 if cut.more else EMPTY):
                raise self._strange(path, "gives empty pages and says there is more", "empty")
            yield cut

    def _once(self, seen: set[int], what: int | None, path: str) -> None:
        if what in seen:
            raise self._strange(path, "gives the same page again", "repeat")
        if what is not None:
            seen.add(what)

    def _asked(self, incremental: Incremental | None) -> Query:
        """The part of the query that asks for changes only."""
        if incremental is None or self._since is None:
            return {}
        start = self._since - timedelta(seconds=incremental.overlap)
        return {incremental.since: f"{start:%Y-%m-%d}" if self._day else f"{start:%Y-%m-%dT%H:%M:%SZ}"}

    def _note(self, cut: Cut, incremental: Incremental | None) -> None:
        if incremental is None:
            return
        if self._clock is None:
            self._clock = cut.clock  # the first page's: what changes while the others are read is later
        if cut.latest is not None and (self._latest is None or cut.latest > self._latest):
            self._latest = cut.latest

    def _cursor(self, incremental: Incremental) -> str | None:
        """Where the next read may start: never before where this one did, and nowhere if a page was lost."""
        found = self._clock if incremental.clock else self._latest
        if self._lost or found is None:
            found = self._since
        elif self._since is not None:
            found = max(found, self._since)
        return found.isoformat() if found is not None else None

    def _strange(self, path: str, message: str, reason: str) -> Exception:
        return self._caller.strange(f"GET {path}: {message}", f"pages-{reason}")


def answer_shape(declared: Declared, listing: List) -> AnswerShape:
    """How the answer of a schema's list is built."""
    incremental = listing.incremental
    places = {"records": listing.records, **listing.pages.places}
    if incremental is None:
        return AnswerShape(places, declared.key)
    gone = incremental.told
    places |= {name: place for name, place in (("gone", gone.keys), ("clock", incremental.clock)) if place}
    return AnswerShape(places, declared.key, changed=incremental.changed, deleted=gone.field, value=gone.value)
