"""JSON pages cut into raw records without decoding them, and raw records decoded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from samspil.connector import Page, Rejected
from samspil.errors import Refused

LARGEST_RECORD = 16 << 20  # bytes; room for a document of 10 MB in base64

_DAMAGED = (msgspec.MsgspecError, RecursionError, ValueError)  # ValueError: bytes that are not UTF-8


T = TypeVar("T")


class Cut(NamedTuple):
    """A page, and what its envelope says beside the records; ``more`` is None if that cannot be read."""

    page: Page
    more: bool | None
    total: int | None = None


class Keyed:
    """Raw records and their keys. ``key`` is the field with the record's own key, a text or an integer at its top level."""

    def __init__(self, key: str) -> None:
        keyed = msgspec.defstruct("Keyed", [("key", str | int)], rename={"key": key}, gc=False)
        self._keyed: msgspec.json.Decoder[Any] = msgspec.json.Decoder(keyed)

    def page(self, raws: Sequence[bytes]) -> Page:
        """A page of these records. Nothing but the key is read in them.

        One without a key or too large is a Rejected of its own (``no-key``, ``record-too-large``). Never raises.
        """
        decode = self._keyed.decode
        try:
            if max(map(len, raws), default=0) > LARGEST_RECORD:
                return self._one_by_one(raws)
            keys = [str(decode(raw).key).encode() for raw in raws]
        except _DAMAGED:
            return self._one_by_one(raws)
        return self._one_by_one(raws) if b"" in keys else Page(raws, keys)

    def _one_by_one(self, raws: Sequence[bytes]) -> Page:
        kept: list[bytes] = []
        keys: list[bytes] = []
        rejected: list[Rejected] = []
        for raw in raws:
            if len(raw) > LARGEST_RECORD:
                rejected.append(Rejected(raw, Refused("record-too-large")))
                continue
            try:
                key = str(self._keyed.decode(raw).key).encode()
            except _DAMAGED:
                key = b""
            if key:
                kept.append(raw)
                keys.append(key)
            else:
                rejected.append(Rejected(raw, Refused("no-key")))
        return Page(kept, keys, rejected)


def opened(decoder: msgspec.json.Decoder[T], body: bytes) -> T | Page:
    """A page's envelope; one that is not JSON of its shape is a page of one Rejected (``bad-json``, ``bad-page``)."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return _rejected(body, "bad-page")
    except _DAMAGED:
        return _rejected(body, "bad-json")


class PageShape:
    """How a system wraps records: ``{"data": [record, …], "hasMore": true}``, under whatever names.

    ``key`` is the field with the record's own key, a text or an integer at its top level. ``total``: the name of the
    number of records on all pages together, which a system may leave out.
    """

    def __init__(self, *, data: str = "data", more: str = "hasMore", total: str = "total", key: str = "id") -> None:
        envelope = msgspec.defstruct(
            "Envelope",
            [("data", list[msgspec.Raw]), ("more", bool), ("total", int | None, None)],
            rename={"data": data, "more": more, "total": total},
        )
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)
        self._keyed = Keyed(key)

    def cut(self, body: bytes) -> Cut:
        """Raw records and their keys. Records keep their bytes exactly; nothing but the key is read in them.

        A page that is not JSON of this shape is one Rejected (``bad-json``, ``bad-page``); a record without a key or
        too large is a Rejected of its own (``no-key``, ``record-too-large``). Never raises.
        """
        envelope = opened(self._envelope, body)
        if isinstance(envelope, Page):
            return Cut(envelope, None)
        return Cut(self._keyed.page([bytes(raw) for raw in envelope.data]), envelope.more, envelope.total)


def decoded(raws: Sequence[bytes]) -> list[dict[str, Any] | Refused]:
    """Each raw record as a dict; a Refused (``bad-json``) in the place of each that is none."""
    decode = _OBJECT.decode
    try:
        return [decode(raw) for raw in raws]
    except _DAMAGED:
        return [_decoded(raw) for raw in raws]


_OBJECT = msgspec.json.Decoder(dict[str, Any])


def _decoded(raw: bytes) -> dict[str, Any] | Refused:
    try:
        return _OBJECT.decode(raw)
    except _DAMAGED:
        return Refused("bad-json")


def _rejected(body: bytes, reason: str) -> Page:
    return Page([], [], [Rejected(body, Refused(reason, hint="the page could not be cut into records"))])
