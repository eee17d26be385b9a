"""A declared list, read to its end: in pages of any kind or all at once, whole or since a moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from samspil.connector import Page
from samspil.declared.soap.declaration import Listing
from samspil.declared.soap.moments import Latest, asked
from samspil.declared.soap.source import Source
from samspil.errors import Unavailable

STUCK = 20  # answers in a row that cannot be read; then something else is wrong than a record


class _Answered(NamedTuple):
    """One answer. ``whole``: every record of it could be cut out; ``size`` is how many were asked for."""

    page: Page
    whole: bool
    size: int
    told: dict[str, str]  # more, total, next and clock, empty where it does not tell

    @property
    def found(self) -> int:
        return len(self.page.keys) + len(self.page.rejected)


class Listed:
    """Iterate once. Raises Unavailable for a list that moves or repeats itself: it is never a shorter list."""

    def __init__(self, source: Source, listing: Listing, size: int, since: str | None) -> None:
        self._source, self._listing, self._since = source, listing, since
        self._paging = listing.pages
        self._size = size or (self._paging.page_size if self._paging else 1)
        self._latest = Latest(listing.incremental, since) if listing.incremental else None
        self._total, self._count, self._whole, self._unread = "", 0, True, 0

    def __iter__(self) -> Iterator[Page]:
        start, place, first = 0, "", b""
        while True:
            answered = self._answer(start, self._size, place)
            keys = answered.page.keys
            if keys and keys[0] == first:
                raise self._moved("pages repeat themselves", "paging-stuck")
            first = keys[0] if keys else first
            for part in [answered] if answered.whole else self._apart(answered, start, self._size):
                yield self._seen(part)
                answered = part  # the last one tells whether the list goes on
            if not self._goes_on(answered):
                break
            by_offset = self._paging is not None and self._paging.offset
            start += answered.found if by_offset and answered.size == self._size else self._size
            place = answered.told["next"] or (keys[-1].decode() if keys else place)
        if self._whole and self._total and int(self._total) != self._count:
            raise self._moved("the list changed while it was read", "list-moved")
        if self._latest and self._whole:
            yield Page([], [], cursor=self._latest.cursor)

    def _seen(self, answered: _Answered) -> Page:
        total = answered.told["total"]
        self._total = self._total or total
        if self._total != (total or self._total):
            raise self._moved("the list changed while it was read", "list-moved")
        self._whole = self._whole and answered.whole
        self._count += answered.found
        if self._latest:
            self._latest.see(answered.page.raws, answered.told["clock"], self._source.shape.prefix)
        return answered.page

    def _apart(self, answered: _Answered, start: int, size: int) -> Iterator[_Answered]:
        """An answer that cannot be read, asked for in smaller ones until what is broken stands alone."""
        paging = self._paging
        if size == 1 or paging is None or not (paging.size and (paging.page or paging.offset)):
            yield answered
            return
        each = size // 2 if size % 2 == 0 else 1
        for at in range(start, start + size, each):
            part = self._answer(at, each, "")
            if not part.whole:
                yield from self._apart(part, at, each)
                continue
            yield part
            if not part.found:  # after the end
                return

    def _goes_on(self, answered: _Answered) -> bool:
        """Whether there is more. After an answer that nobody could read there is, if pages are counted."""
        paging = self._paging
        if paging is None:
            return False
        if not answered.whole:
            if paging.after:
                raise self._moved("a page cannot be read, and nobody knows where the next one starts", "paging-stuck")
            return bool(paging.page or paging.offset)
        if paging.more:
            return answered.told["more"] in ("true", "1")
        if paging.next:
            return bool(answered.told["next"])
        if self._total and self._whole:
            return answered.found > 0 and self._count < int(self._total)
        return bool(paging.size) and answered.found >= answered.size

    def _given(self, start: int, size: int, place: str) -> dict[str, Any]:
        given: dict[str, Any] = {}
        incremental = self._listing.incremental
        if incremental and self._since:
            given[incremental.since] = asked(incremental, self._since)
        paging = self._paging
        if paging is None:
            return given
        if paging.page:
            given[paging.page] = paging.first + start // size
        if paging.offset:
            given[paging.offset] = start
        if paging.after and place:
            given[paging.after] = place
        if paging.size:
            given[paging.size] = size
        return given

    def _answer(self, start: int, size: int, place: str) -> _Answered:
        """One answer, asked for again as a whole: nothing of it has been handed on."""
        given, incremental = self._given(start, size, place), self._listing.incremental
        for attempt in self._source.service.soap.retried():
            with attempt:
                answer = self._source.ask(self._listing, given)
        paths = {name: getattr(self._paging, name, "") for name in ("more", "total", "next")}
        paths["clock"] = incremental.clock if incremental else ""
        self._unread = 0 if answer.beside.whole and (answer.keys or answer.rejected) else self._unread + 1
        if self._unread == STUCK:
            raise self._moved(f"{STUCK} answers in a row have nothing that can be read", "paging-stuck")
        told = {name: "".join(answer.beside.texts(path)[:1]) if path else "" for name, path in paths.items()}
        if not told["total"].isdigit():
            told["total"] = ""
        gone = (
            [key.encode() for key in answer.beside.texts(incremental.told)] if incremental and incremental.told else []
        )
        return _Answered(Page(answer.raws, answer.keys, answer.rejected, gone), answer.beside.whole, size, told)

    def _moved(self, message: str, reason: str) -> Unavailable:
        return Unavailable(message, system=self._source.service.system, reason=reason)
