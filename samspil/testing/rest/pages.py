"""A declared list's pages: cut in the way it is paged, with a token, a link or a number to the next."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from samspil.declared.rest.paging import Link, Numbered, Offset, Pages, Token
from samspil.testing.rest.shown import Record

CURSOR = "cursor"  # in a link; the other ways have a name for it in the declaration
DEFAULT = 100  # records on a page, where nobody says how many


class Part(NamedTuple):
    """One page: its records, whether it is the first, whether there is a next, and the token that leads there."""

    records: Sequence[Record]
    first: bool
    more: bool
    token: str


def part(paging: Pages, records: Sequence[Record], query: Mapping[str, str]) -> Part | None:
    """The page that a query asks for; None if it asks for none that can be.

    A record that is no JSON breaks off its page, so it has one of its own, after the first; only where pages are
    counted in records (offset) it takes those after it along.
    """
    size = int(query.get(paging.size, DEFAULT)) if paging.size else DEFAULT
    if isinstance(paging, Offset):
        start = int(query.get(paging.parameter, 0))
        return Part(records[start : start + size], start == 0, start + size < len(records), "")
    if not isinstance(paging, Numbered | Token | Link):
        return Part(records, first=True, more=False, token="")
    good = [record for record in records if record.whole]
    pages = [good[start : start + size] for start in range(0, len(good), size)]
    pages[1:1] = [[record] for record in records if not record.whole]
    number = _number(paging, query)
    if number is None or number < 0:
        return None
    shown = pages[number] if number < len(pages) else []
    return Part(shown, number == 0, number + 1 < len(pages), _opaque(number + 1))


def body(document: Any, records: Sequence[Record], place: str) -> bytes:
    """The answer with the records at their place; it ends after the first that is no JSON."""
    whole = [record.whole for record in records]
    upto = whole.index(False) + 1 if False in whole else len(whole)
    joined = b",".join(record.raw for record in records[:upto])
    encoded = msgspec.json.encode(put(document, place, msgspec.Raw(b"[" + joined + b"]")))
    return encoded if upto == len(whole) and all(whole) else encoded[: encoded.index(joined) + len(joined)]


def put(document: Any, place: str, value: Any) -> Any:
    """A document with a value at a dotted place, "" for the document itself."""
    if not place:
        return value
    first, _, rest = place.partition(".")
    inner = document.get(first, {}) if isinstance(document, dict) else {}
    return {**document, first: put(inner, rest, value)}


def _number(paging: Numbered | Token | Link, query: Mapping[str, str]) -> int | None:
    if isinstance(paging, Numbered):
        return int(query.get(paging.parameter, paging.first_page)) - paging.first_page
    token = query.get(paging.parameter if isinstance(paging, Token) else CURSOR)
    try:
        return 0 if token is None else int(urlsafe_b64decode(token).removeprefix(b"page "))
    except ValueError:
        return None


def _opaque(number: int) -> str:
    return urlsafe_b64encode(f"page {number}".encode()).decode()
