"""Bodies rewritten field by field: JSON, XML, forms, CSV and text; what wraps others is in ``wrapped``.

The same walk serves three ends: to collect what is to be replaced, to replace it, and to compare two requests.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode

from lxml import etree

from samspil import xml
from samspil.errors import Refused
from samspil.testing.recording.coverage import Place

_STRUCTURE = {f"{{{xml.XSI}}}nil", f"{{{xml.XSI}}}type"}
_SECURITY = "{*}Header/{*}Security"  # of WS-Security: tokens, certificates, signatures; a replay has no use for any


class Visitor(Protocol):
    """What is done with each field."""

    def leaf(self, place: Place, value: Any, record: bytes) -> Any:
        """Another value for it. ``record`` is a digest of the record it is in, empty outside of records."""

    def is_record(self, place: Place) -> bool:
        """Whether a record begins here."""

    def unreadable(self, place: Place, why: str) -> Exception:
        """An error that says that a body cannot be looked into."""


def as_json(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """Every key is kept, every value visited; numbers keep their kind."""

    def walk(value: Any, place: Place, record: bytes) -> Any:
        if isinstance(value, dict):
            if not record and visitor.is_record(place):
                record = _digest(json.dumps(value, sort_keys=True).encode())
            if not value:
                visitor.leaf((*place, "(empty)"), None, record)
            return {key: walk(below, (*place, key), record) for key, below in value.items()}
        if isinstance(value, list):
            return [walk(below, place, record) for below in value]
        return visitor.leaf(place, value, record)

    try:
        read = json.loads(body.decode("utf-8-sig"))
        return json.dumps(walk(read, at, b""), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise visitor.unreadable(at, "is not JSON") from None


def as_xml(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """Comments, processing instructions and WS-Security are left out; every text and attribute is visited."""
    try:
        root = xml.parse(body)
    except Refused as error:
        raise visitor.unreadable(at, f"is refused: {error.reason}") from None
    for security in root.findall(_SECURITY):
        header = security.getparent()
        if header is not None:
            header.remove(security)
    _element(root, (*at, xml.local(root)), visitor, b"")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _element(element: etree._Element, place: Place, visitor: Visitor, record: bytes) -> None:
    if not record and visitor.is_record(place):
        record = _digest(etree.tostring(element, method="c14n"))
    for uri in set(element.nsmap.values()):
        visitor.leaf(("(namespace)",), uri, b"")
    for name, value in element.attrib.items():
        if name not in _STRUCTURE:
            below = (*place, f"@{etree.QName(name).localname}")
            element.set(name, _attribute(visitor, below, str(value), record))
    children = list(element)
    if not children:
        text = visitor.leaf(place, element.text, record)
        element.text = None if text is None else str(text)
    elif any((part or "").strip() for part in (element.text, *(child.tail for child in children))):
        raise visitor.unreadable(place, "has text between elements")
    for child in children:
        _element(child, (*place, xml.local(child)), visitor, record)


def _attribute(visitor: Visitor, place: Place, value: str, record: bytes) -> str:
    """An attribute. One that points at another part of the message is replaced as that part's id is."""
    if place[-2:] == ("Include", "@href") and value.startswith("cid:"):
        return "cid:" + quote(str(visitor.leaf(("(id)",), unquote(value[4:]), b"")), safe="@.")
    return str(visitor.leaf(place, value, record))


def as_form(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """application/x-www-form-urlencoded."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise visitor.unreadable(at, "is not a form") from None
    return urlencode([(name, visitor.leaf((*at, name), value, b"")) for name, value in pairs]).encode()


def as_csv(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """A line of column names, then records."""
    try:
        text, encoding = body.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = body.decode("latin-1"), "latin-1"
    first = text.partition("\n")[0]
    delimiter = max(";,\t|", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if first.endswith("\r") else "\n")
    writer.writerow(rows[0])
    for name in rows[0]:
        visitor.leaf((*at, name), None, b"")
    for row in rows[1:]:
        if len(row) != len(rows[0]):
            raise visitor.unreadable(at, "has rows of different lengths")
        record = _digest("\0".join(row).encode())
        writer.writerow([visitor.leaf((*at, name), value, record) for name, value in zip(rows[0], row, strict=True)])
    return out.getvalue().encode(encoding)


def as_text(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """All of it as one field; markup is no exception."""
    return str(visitor.leaf((*at, "(text)"), body.decode("utf-8", "replace"), b"")).encode()


def as_bytes(body: bytes, visitor: Visitor, at: Place) -> bytes:
    """All of it as one field of bytes."""
    return bytes(visitor.leaf((*at, "(binary)"), body, b""))


Rewrite = Callable[[bytes, Visitor, Place], bytes]


def format_of(media_type: str) -> Rewrite:
    """How to walk through a body of a media type (without parameters)."""
    if media_type.endswith(("/json", "+json")):
        return as_json
    if media_type.endswith(("/xml", "+xml")):
        return as_xml
    if media_type == "application/x-www-form-urlencoded":
        return as_form
    if media_type == "text/csv":
        return as_csv
    return as_text if media_type.startswith("text/") else as_bytes


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
