"""What an answer says: a list's page cut into raw records, and single values at dotted places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from samspil import json
from samspil.connector import Page

_KINDS: Mapping[str, Any] = {
    "records": list[Raw],
    "more": bool,
    "total": int,
    "next": str | int | UnsetType | None,
    "gone": list[str | int],
    "clock": str,
}


class Cut(NamedTuple):
    """A page, and what is beside the records. ``readable`` is False if the page is one Rejected as a whole."""

    page: Page
    readable: bool
    sent: int = 0  # records in the answer, the rejected and deleted ones included
    more: bool | None = None
    next: str | None = None
    total: int | None = None
    gone: Sequence[bytes] = ()
    clock: datetime | None = None
    latest: datetime | None = None


class AnswerShape:
    """How a list's answer is built: ``places`` says where ``records``, ``more``, ``next``, ``total``, ``gone`` and ``clock`` are.

    ``key`` is the record's key, ``changed`` its time of change, ``deleted`` a field that has ``value`` in a record that
    is no more; all at the record's top level.
    """

    def __init__(
        self, places: Mapping[str, str], key: str, *, changed: str = "", deleted: str = "", value: object = True
    ) -> None:
        self._attributes: dict[str, list[str]] = {}
        self._envelope: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._type(places))
        self._keyed = json.Keyed(key)
        self._value = value
        named = {name: field for name, field in (("changed", changed), ("deleted", deleted)) if field}
        marks = msgspec.defstruct("Marks", [(name, Raw, Raw(b"null")) for name in named], rename=named)
        self._marks: msgspec.json.Decoder[Any] | None = msgspec.json.Decoder(marks) if named else None

    def cut(self, body: bytes) -> Cut:
        """A page's records, undecoded but for their key (and time of change). Never raises."""
        envelope = json.opened(self._envelope, body)
        if isinstance(envelope, Page):
            return Cut(envelope, readable=False)
        raws = [bytes(raw) for raw in self._at(envelope, "records")]
        page = self._keyed.page(raws)
        gone = [str(key).encode() for key in self._at(envelope, "gone") or ()]
        latest: datetime | None = None
        if self._marks is not None:
            page, deleted, latest = self._marked(page, self._marks)
            gone += deleted
        token = self._at(envelope, "next")
        return Cut(
            page,
            readable=True,
            sent=len(raws),
            more=self._at(envelope, "more"),
            next=None if token is None else str(token),
            total=self._at(envelope, "total"),
            gone=gone,
            clock=moment(self._at(envelope, "clock")),
            latest=latest,
        )

    def _marked(self, page: Page, decoder: msgspec.json.Decoder[Any]) -> tuple[Page, Sequence[bytes], datetime | None]:
        """The page without the deleted records, their keys, and the latest time of change."""
        raws: list[bytes] = []
        keys: list[bytes] = []
        gone: list[bytes] = []
        latest: datetime | None = None
        for raw, key in zip(page.raws, page.keys, strict=True):
            mark = decoder.decode(raw)
            time = moment(_plain(getattr(mark, "changed", None)))
            if time is not None and (latest is None or time > latest):
                latest = time
            says = _plain(getattr(mark, "deleted", None))
            if says == self._value and type(says) is type(self._value):
                gone.append(key)
            else:
                raws.append(raw)
                keys.append(key)
        return page._replace(raws=raws, keys=keys), gone, latest

    def _type(self, places: Mapping[str, str]) -> Any:
        """The envelope's type, nested as the places are; remembers the way to each value."""
        if not places["records"]:
            self._attributes = {"records": []}
            return _KINDS["records"]
        tree: dict[str, Any] = {}
        for name, place in places.items():
            *above, last = place.split(".")
            inner = tree
            for step in above:
                inner = inner.setdefault(step, {})
            inner[last] = name
        return self._struct(tree, [])

    def _struct(self, tree: Mapping[str, Any], way: list[str]) -> Any:
        fields: list[Any] = []
        rename: dict[str, str] = {}
        for n, (name, inner) in enumerate(tree.items()):
            attribute = f"f{n}"
            rename[attribute] = name
            if isinstance(inner, dict):
                fields.append((attribute, self._struct(inner, [*way, attribute])))
                continue
            self._attributes[inner] = [*way, attribute]
            kind = _KINDS[inner]
            fields.append((attribute, kind, UNSET) if inner == "next" else (attribute, kind))
        return msgspec.defstruct("Envelope", sorted(fields, key=len), rename=rename)

    def _at(self, envelope: Any, name: str) -> Any:
        if name not in self._attributes:
            return None
        for attribute in self._attributes[name]:
            envelope = getattr(envelope, attribute)
        return None if envelope is UNSET else envelope


def _plain(raw: Raw | None) -> object:
    """A single value out of a record; None if it is none."""
    try:
        return _SCALAR.decode(raw) if raw is not None else None
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


_SCALAR = msgspec.json.Decoder(str | bool | int | None)


def at(document: Any, place: str) -> Any:
    """The value at a dotted place of a decoded answer, None if there is none."""
    for step in place.split(".") if place else ():
        document = document.get(step) if isinstance(document, dict) else None
    return document


def moment(text: object) -> datetime | None:
    """A time with its offset, None if it is none: a day that does not exist, no offset, another type."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
