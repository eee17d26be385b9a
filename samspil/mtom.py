"""SOAP with attachments: MTOM/XOP messages (``multipart/related``), taken apart and put together as they stream.

An attachment is never held whole: it goes through a ``Spool`` on the way in, and from where it is on the way out.
In a message without XOP (SOAP with Attachments) a text ``cid:…`` is such a reference, too (``swaRef``).
"""

from __future__ import annotations

import os
import re
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxml import etree

from samspil import xml
from samspil.attachment import Attachment
from samspil.errors import Refused
from samspil.multipart import invalid, parts

__all__ = ["INCLUDE", "Attachment", "Message", "Multipart", "Placed", "parse"]

INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"

_XML = frozenset({"application/xop+xml", "text/xml", "application/soap+xml"})
_WRITTEN = re.compile(  # an xop:Include as bytes
    rb"""<(?:[\w.-]+:)?Include\s[^<>]*?href\s*=\s*["']cid:([^"'<>]+)["'][^<>]*?(?:/>|>\s*</(?:[\w.-]+:)?Include\s*>)"""
)


class Placed:
    """Attachments by the text that stands in their place while a message is built, signed, checked or decoded.

    The texts are base64 themselves and cannot be guessed, so no content can be mistaken for one.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(15)
        self._found: dict[str, Attachment] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def put(self, attachment: Attachment) -> str:
        """The text that stands for it."""
        text = b64encode(self._secret + len(self._found).to_bytes(3, "big")).decode()
        self._found[text] = attachment
        return text

    def out(self, values: Any) -> Any:
        """The same values with bytes in place of each attachment, which zeep writes as that text."""
        if isinstance(values, Attachment):
            return b64decode(self.put(values))
        if isinstance(values, Mapping):
            return {name: self.out(value) for name, value in values.items()}
        return [self.out(value) for value in values] if isinstance(values, list) else values

    def back(self, values: Any, *, streamed: bool) -> Any:
        """Decoded values with the attachments where they belong: as base64 text, or ``streamed`` as they are."""
        if isinstance(values, str):
            found = self._found.get(values)
            if found is None:
                return values
            return found if streamed else b"".join(found.base64()).decode()
        if isinstance(values, dict):
            return {name: self.back(value, streamed=streamed) for name, value in values.items()}
        return [self.back(value, streamed=streamed) for value in values] if isinstance(values, list) else values

    def expand(self, data: bytes) -> Iterator[bytes]:
        """Canonical bytes with each attachment's base64 in its place, a piece at a time."""
        for at, piece in enumerate(self._split(data)):
            if at % 2:
                yield from self._found[piece.decode()].base64()
            else:
                yield piece

    def compose(self, data: bytes, content_type: str) -> Multipart:
        """The message to send: each text in ``data`` becomes an ``xop:Include``. Raises Refused if one is missing."""
        if any(data.count(text.encode()) != 1 for text in self._found):
            raise Refused("attachment-misplaced", hint="a value that is not binary in the contract holds an attachment")
        names = {text: f"{uuid.uuid4()}@samspil" for text in self._found}
        uri = INCLUDE[1:].partition("}")[0]
        pieces = [
            f'<xop:Include xmlns:xop="{uri}" href="cid:{names[piece.decode()]}"/>'.encode() if at % 2 else piece
            for at, piece in enumerate(self._split(data))
        ]
        return Multipart(b"".join(pieces), {names[text]: one for text, one in self._found.items()}, content_type)

    def _split(self, data: bytes) -> list[bytes]:
        if not self._found:
            return [data]
        return re.split(b"(" + b"|".join(re.escape(text.encode()) for text in self._found) + b")", data)


class Multipart:
    """A message with attachments on the way out: iterate it, or hand it to requests as ``data``."""

    def __init__(self, root: bytes, attachments: Mapping[str, Attachment], content_type: str) -> None:
        boundary = uuid.uuid4().hex
        self.content_type = (
            f'multipart/related; type="application/xop+xml"; start="<root@samspil>"; start-info="{content_type}"; '
            f'boundary="{boundary}"'
        )
        heads = [
            f'--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="{content_type}"\r\n'
            "Content-Transfer-Encoding: binary\r\nContent-ID: <root@samspil>\r\n\r\n".encode()
        ]
        heads += [
            f"\r\n--{boundary}\r\nContent-Type: {one.content_type}\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{name}>\r\n\r\n".encode()
            for name, one in attachments.items()
        ]
        self._parts = list(zip(heads, [Attachment(root), *attachments.values()], strict=True))
        self._end = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return sum(len(head) + part.size for head, part in self._parts) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        for head, part in self._parts:
            yield head
            yield from part.chunks()
        yield self._end


class Message(NamedTuple):
    """A message taken apart: the XML, and the attachments by content id. Without ``xop``, text may refer to them."""

    root: bytes
    attachments: Mapping[str, Attachment]
    xop: bool

    def place(self, root: etree._Element) -> Placed:
        """Put a text in the tree where each attachment belongs.

        Raises Refused: ``attachment-missing``, ``attachment-unused``, ``multipart-invalid``.
        """
        placed, used = Placed(), set()
        for element in list(root.iter()):  # its children are taken out on the way
            if element.tag == INCLUDE and element.getparent() is not None:  # a good one was taken out with its parent
                raise _misplaced()
            name = _referred(element, xop=self.xop)
            if not name:
                continue
            if name not in self.attachments:
                raise Refused("attachment-missing", hint="the message refers to a part that it does not have")
            used.add(name)
            for child in element:
                element.remove(child)
            element.text = placed.put(self.attachments[name])
        if used != self.attachments.keys():
            raise Refused("attachment-unused", hint="the message has a part that it does not refer to")
        return placed

    def inlined(self) -> Iterator[bytes]:
        """The XML with each attachment's base64 where it belongs, a piece at a time; it need not be well-formed.

        Raises Refused: ``attachment-missing``, ``attachment-unused``.
        """
        root = self._plain()
        names = [unquote(found[1].decode("latin-1")) for found in _WRITTEN.finditer(root)]
        if not self.attachments.keys() >= set(names):
            raise Refused("attachment-missing", hint="the message refers to a part that it does not have")
        if self.attachments.keys() > set(names):
            raise Refused("attachment-unused", hint="the message has a part that it does not refer to")
        at = 0
        for name, found in zip(names, _WRITTEN.finditer(root), strict=True):
            yield root[at : found.start()]
            yield from self.attachments[name].base64()
            at = found.end()
        yield root[at:]

    def _plain(self) -> bytes:
        """The XML without CDATA and comments, in which something could look like a reference and be none."""
        if b"<!" not in self.root:
            return self.root
        try:
            return etree.tostring(xml.parse(self.root), encoding="utf-8", xml_declaration=True)
        except Refused:
            return self.root  # whoever reads it finds the same, and refuses it


def _referred(element: etree._Element, *, xop: bool) -> str:
    """The content id that an element's content is under; "" if it stands in the element itself."""
    if len(element) == 0:
        text = (element.text or "").strip()
        return unquote(text[4:]) if text.startswith("cid:") and not xop else ""
    if element[0].tag != INCLUDE:
        return ""
    href = element[0].get("href", "")
    beside = (element.text or "") + (element[0].tail or "")
    if len(element) != 1 or len(element[0]) or not href.startswith("cid:") or beside.strip():
        raise _misplaced()
    return unquote(href[4:])


def _misplaced() -> Refused:
    return invalid("an xop:Include that is not all of its element")


def parse(chunks: Iterable[bytes], content_type: str, *, small: int = 1 << 24) -> Message:
    """Take a message apart as it streams in. ``small`` is how many bytes its XML may have.

    Raises Refused: ``multipart-invalid``, ``multipart-truncated``, ``multipart-size``.
    """
    start, found = parts(chunks, content_type)
    kind, root = found.pop(start)
    if kind not in _XML:
        raise invalid("what it starts with is not XML")
    if root.size > small:
        raise Refused("multipart-size", hint=f"its XML is larger than {small} bytes")
    attachments = {name: Attachment(part.content, part.content_type) for name, part in found.items()}
    return Message(b"".join(root.chunks()), attachments, xop=kind == "application/xop+xml")
