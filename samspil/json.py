"""JSON pages cut into raw records without decoding them, and raw records decoded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from samspil.connector import Page, Rejected
from samspil.errors import Refused

LARGEST_RECORD = 16 << 20  # bytes; room for a document of 10 MB in base64

_DAMAGED = (msgspec.MsgspecError, RecursionError, ValueError)  # ValueError: bytes that are not UTF-8


class Cut(NamedTuple):
    """A page, and what its envelope says beside the records; ``more`` is None if that cannot be read."""

    page: Page
    more: bool | None


class PageShape:
    """How a system wraps records: ``{"data": [record, …], "hasMore": true}``, under whatever names.

    ``key`` is the field with the record's own key, a text or an integer at its top level.
    """

    def __init__(self, *, data: str = "data", more: str = "hasMore", key: str = "id") -> None:
        envelope = msgspec.defstruct(
            "Envelope", [("data", list[msgspec.Raw]), ("more", bool)], rename={"data": data, "more": more}
        )
        keyed = msgspec.defstruct("Keyed", [("key", str | int)], rename={"key": key}, gc=False)
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)
        self._keyed: msgspec.json.Decoder[Any] = msgspec.json.Decoder(keyed)

    def cut(self, body: bytes) -> Cut:
        """Raw records and their keys. Records keep their bytes exactly; nothing but the key is read in them.

        A page that is not JSON of this shape is one Rejected (``bad-json``, ``bad-page``); a record without a key or
        too large is a Rejected of its own (``no-key``, ``record-too-large``). Never raises.
        """
        try:
            envelope = self._envelope.decode(body)
        except msgspec.ValidationError:
            return Cut(_rejected(body, "bad-page"), None)
        except _DAMAGED:
            return Cut(_rejected(body, "bad-json"), None)
        raws = [bytes(raw) for raw in envelope.data]
        decode = self._keyed.decode
        try:
            if len(body) > LARGEST_RECORD and max(map(len, raws)) > LARGEST_RECORD:
                return Cut(self._one_by_one(raws), envelope.more)
            keys = [str(decode(raw).key).encode() for raw in raws]
        except _DAMAGED:
            return Cut(self._one_by_one(raws), envelope.more)
        if b"" in keys:
            return Cut(self._one_by_one(raws), envelope.more)
        return Cut(Page(raws, keys), envelope.more)

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
