"""A declared list as the system answers it: what changed since, what is gone, and a page of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.responses import Response

from samspil.declared.rest.answer import moment
from samspil.declared.rest.declaration import Declared, List
from samspil.declared.rest.paging import Link
from samspil.testing.rest.guard import answer
from samspil.testing.rest.pages import CURSOR, Part, body, part, put
from samspil.testing.rest.shown import Record, Showing, stamp

Show = Callable[[str, Declared], Showing]


class Listed:
    """One schema's list. ``show`` says what there is; it is asked at a first page, so pages stay put while being read."""

    def __init__(self, schema: str, declared: Declared, listing: List, show: Show) -> None:
        self._schema, self._declared, self._list, self._show = schema, declared, listing, show
        self._showing: Showing | None = None

    def page(self, url: str, query: Mapping[str, str], now: datetime, *, gone: bool) -> Response:
        """The page that a query asks for; with ``gone`` of the list of what is deleted."""
        asked = part(self._list.pages, [], query)
        if asked is None:
            return answer({"error": "no such page"}, 400)
        if asked.first or self._showing is None:
            self._showing = self._show(self._schema, self._declared)
        since = self._since(query)
        records = self._gone(self._showing) if gone else self._present(self._showing)
        chosen = [one for one in records if since is None or one.changed >= since]
        shown = part(self._list.pages, chosen, query) or asked
        document, headers = self._around(self._showing, shown, url, query, total=len(chosen))
        if self._list.incremental is not None and self._list.incremental.clock:
            document = put(document, self._list.incremental.clock, stamp(now))
        raw = body(document, shown.records, self._list.records)
        return Response(raw, media_type="application/json", headers=headers)

    def _since(self, query: Mapping[str, str]) -> datetime | None:
        text = query.get(self._list.incremental.since) if self._list.incremental else None
        return moment(f"{text}T00:00:00Z" if text and len(text) == len("2026-01-01") else text)

    def _present(self, showing: Showing) -> list[Record]:
        """The records that are there, and those that are marked as gone where that is how it is told."""
        incremental = self._list.incremental
        if incremental is None or not incremental.told.field:
            return showing.records
        return showing.records + self._gone(showing, **{incremental.told.field: incremental.told.value})

    def _gone(self, showing: Showing, **marked: Any) -> list[Record]:
        key, field = self._declared.key, self._list.incremental.changed if self._list.incremental else ""
        return [
            Record(name, msgspec.json.encode({key: name, **({field: stamp(when)} if field else {}), **marked}), when)
            for name, when in showing.gone
        ]

    def _around(
        self, showing: Showing, shown: Part, url: str, query: Mapping[str, str], *, total: int
    ) -> tuple[Any, dict[str, str]]:
        """What an answer says beside its records, and its headers."""
        document: Any = {}
        headers: dict[str, str] = {}
        paging, incremental, since = self._list.pages, self._list.incremental, self._since(query)
        if incremental is not None and incremental.told.keys:
            keys = [key for key, when in showing.gone if since is not None and when >= since]
            document = put(document, incremental.told.keys, keys if shown.first else [])
        following = shown.token if shown.more else ""
        if isinstance(paging, Link):
            links = {"self": url}
            if following:
                rest = urlencode({**query, CURSOR: following})
                links["next"] = following = urlsplit(url)._replace(query=rest).geturl()
            if not paging.next:
                headers["Link"] = ", ".join(f'<{link}>; rel="{rel}"' for rel, link in links.items())
        said = {"more": shown.more, "total": total, "next": following or None}
        for name, place in paging.places.items():
            document = put(document, place, said[name])
        return document, headers
