"""What a declared list shows to who asks: what changed since a moment, and of that one page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lxml import etree

from samspil.declared.soap.declaration import Listing, Paging
from samspil.mapping.dates import DENMARK
from samspil.testing.soap.history import History
from samspil.testing.soap.register import text


def listed(
    history: History, listing: Listing, message: etree._Element, night: int, now: datetime
) -> tuple[dict[str, Any], list[bytes]]:
    """The answer's values by path, and its records. ``message`` is the request's element."""
    shown, incremental = history.shown(night), listing.incremental
    given: dict[str, Any] = {}
    if incremental:
        moment = _moment(text(message, incremental.since))
        if moment:
            shown = {key: one for key, one in shown.items() if one.changed >= moment}
        if incremental.told:
            given[incremental.told] = [key for key, at in history.gone(night).items() if moment and at >= moment]
        if incremental.clock:
            given[incremental.clock] = now.isoformat()
    keys = list(shown)
    start, end = 0, len(keys)
    if listing.pages:
        start, end = _page(listing.pages, message, keys)
        given |= _told(listing.pages, keys, start, end)
        if incremental and incremental.told and end < len(keys):
            given[incremental.told] = []  # they come with the last page
    return given, [shown[key].raw for key in keys[start:end]]


def _page(paging: Paging, message: etree._Element, keys: list[str]) -> tuple[int, int]:
    size = int(text(message, paging.size) or paging.page_size) if paging.size else paging.page_size
    if paging.page:
        start = (int(text(message, paging.page) or paging.first) - paging.first) * size
    elif paging.offset:
        start = int(text(message, paging.offset) or 0)
    else:
        last = text(message, paging.after)
        start = sum(key <= last for key in keys) if last else 0
    start = min(start, len(keys))
    return start, min(len(keys), start + size)


def _told(paging: Paging, keys: list[str], start: int, end: int) -> dict[str, Any]:
    """What stands beside the records: whether there are more, how many in all, and where to go on."""
    told: dict[str, Any] = {}
    if paging.more:
        told[paging.more] = "true" if end < len(keys) else "false"
    if paging.total:
        told[paging.total] = str(len(keys))
    if paging.next:
        told[paging.next] = keys[end - 1] if start < end < len(keys) else None
    return told


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=DENMARK)
