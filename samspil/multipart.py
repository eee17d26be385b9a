"""``multipart/related`` taken apart as it streams in (RFC 2046, RFC 2387)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message as Headers
from email.parser import BytesHeaderParser
from typing import NamedTuple

from samspil.errors import Refused
from samspil.spool import Spool

LARGEST = 1 << 30  # bytes a message may have, attachments and all
PARTS = 1000
_HEAD = 1 << 13  # bytes of one part's headers


class Part(NamedTuple):
    """One part, put aside."""

    content_type: str
    content: Spool


def multipart(content_type: str) -> bool:
    """Whether a message of this type has parts."""
    return content_type.strip().lower().startswith("multipart/")


def parts(chunks: Iterable[bytes], content_type: str) -> tuple[str, dict[str, Part]]:
    """The content id of the part to start with, and all parts by theirs.

    Raises Refused: ``multipart-invalid``, ``multipart-truncated``, ``multipart-size``.
    """
    outer = _headers(b"Content-Type: " + content_type.encode("latin-1", "replace"))
    boundary = outer.get_boundary("")
    if outer.get_content_type() != "multipart/related" or not boundary or len(boundary) > 70:
        raise invalid("not multipart/related with a boundary")
    found: dict[str, Part] = {}
    for headers, content in _parts(iter(chunks), b"\r\n--" + boundary.encode("latin-1")):
        name = _bare(_text(headers, "Content-ID")) or f"part {len(found)}"
        if name in found:
            raise invalid("two parts of one content id")
        found[name] = Part(headers.get_content_type(), content)
    start = _bare(str(outer.get_param("start", ""))) or next(iter(found), "")
    if start not in found:
        raise invalid("no part to start with")
    return start, found


def invalid(hint: str) -> Refused:
    """What a message is that is not put together as it should be."""
    return Refused("multipart-invalid", hint=hint)


def _text(headers: Headers, name: str, otherwise: str = "") -> str:
    """A header's text; with bytes beyond ASCII in it, it comes as another type."""
    return str(headers.get(name, otherwise))


def _bare(name: str) -> str:
    return name.strip().removeprefix("<").removesuffix(">")


def _parts(chunks: Iterator[bytes], boundary: bytes) -> Iterator[tuple[Headers, Spool]]:
    reader = _Reader(chunks)
    reader.until(boundary, Spool())  # what stands before the first boundary says nothing
    for _ in range(PARTS):
        mark = reader.exactly(2)
        if mark == b"--":
            return
        if mark != b"\r\n":
            raise invalid("a boundary that goes on")
        head = Spool()
        reader.until(b"\r\n\r\n", head, limit=_HEAD)
        headers = _headers(b"".join(head.chunks()))
        if _text(headers, "Content-Transfer-Encoding", "binary").strip().lower() not in ("binary", "8bit", "7bit"):
            raise invalid("a part in an encoding of its own")
        content = Spool()
        reader.until(boundary, content)
        yield headers, content
    raise Refused("multipart-size", hint=f"more than {PARTS} parts")


class _Reader:
    """Bytes of a stream up to a mark."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._data, self._size = chunks, b"\r\n", 0

    def until(self, mark: bytes, out: Spool, *, limit: int = LARGEST) -> None:
        """All before the mark goes to ``out``; the mark itself is dropped."""
        while (at := self._data.find(mark)) < 0:
            safe = max(0, len(self._data) - len(mark) + 1)
            self._pass(safe, out, limit)
            self._data += self._more()
        self._pass(at, out, limit)
        self._data = self._data[len(mark) :]

    def _pass(self, count: int, out: Spool, limit: int) -> None:
        out.write(self._data[:count])
        self._data = self._data[count:]
        if out.size > limit:
            raise Refused("multipart-size", hint=f"something in it is larger than {limit} bytes")

    def exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            self._data += self._more()
        found, self._data = self._data[:count], self._data[count:]
        return found

    def _more(self) -> bytes:
        chunk = next(self._chunks, b"")
        self._size += len(chunk)
        if not chunk:
            raise Refused("multipart-truncated", hint="it ends before its last boundary")
        if self._size > LARGEST:
            raise Refused("multipart-size", hint=f"larger than {LARGEST} bytes")
        return chunk


def _headers(data: bytes) -> Headers:
    return BytesHeaderParser().parsebytes(data.lstrip(b"\r\n") + b"\r\n\r\n")
