"""Large XML answers cut into raw records without decoding them.

:class:`Cut` is a filter on a stream of bytes. Whole records are sliced off at their boundaries (the fast way, many
times as fast as parsing) as long as that is provably what a parser would do; everything else, from the envelope to a
record with a comment in it, goes through a parser (the slow way). A record written plainly has the same bytes both
ways, so a comment somewhere in tonight's answer does not make every record look changed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

from lxml import etree

from samspil import xml
from samspil.connector import Rejected
from samspil.errors import Refused, Unavailable
from samspil.opening import PROLOG, Opening, elements, fed, scope

BLOCK = 1 << 18  # bytes sliced at a time; about what a core's cache holds
PIECE = 1 << 14  # bytes parsed at a time
KEPT = 1 << 24  # bytes kept of what could not be cut
BESIDE = 1 << 25  # bytes that may come beside the records: they are a tree in memory, many times as large

_OUTSIDE = (  # what an envelope declares and a record never uses; if it does, decoding refuses it
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2001/XMLSchema",
)
_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml [^<>?]*\?>")
_MARKUP = re.compile(rb"<[!?]")  # CDATA, comments, DTDs, processing instructions


class RecordShape(NamedTuple):
    """What to cut out: elements ``{namespace}record`` that are not inside another such element.

    ``key`` is the path of the record's key below it, by local names (``Hoved.Id``); where it is the record's first
    element the fast way finds it. ``prefix`` is the one the system writes for ``namespace``, and the one in every raw
    record ("" for the default namespace).
    """

    namespace: str
    record: str
    key: str
    prefix: str

    @property
    def tag(self) -> str:
        return f"{{{self.namespace}}}{self.record}" if self.namespace else self.record

    @property
    def prefixes(self) -> dict[str | None, str]:
        """The declarations a raw record leaves out; for ``xml.wrap``."""
        return {**({self.prefix or None: self.namespace} if self.namespace else {}), "xsi": xml.XSI}


class Slices(NamedTuple):
    """Some records: ``keys[i]`` is the key of ``raws[i]``. ``rejected`` holds what has no key or cannot be cut."""

    raws: list[bytes]
    keys: list[bytes]
    rejected: list[Rejected]


class Cut:
    """The records of one streamed answer, by blocks; memory is bounded by the block, not by the answer.

    Iterate once. Afterwards ``rest`` is the answer without its records, None if it is not well-formed. Raises
    Unavailable if the answer is not XML, is large for what is beside its records (``answer-size``), or ends early: a truncated answer is never a shorter list. What is malformed
    in itself, and all after it, comes as ``rejected``; so does an answer with a DTD, as a whole.
    """

    def __init__(self, chunks: Iterable[bytes], shape: RecordShape, *, system: str) -> None:
        self.rest: etree._Element | None = None
        self._chunks, self._shape, self._system = iter(chunks), shape, system
        colon = f"{shape.prefix}:" if shape.prefix else ""
        name = re.escape(f"{colon}{shape.record}")
        key = re.escape(f"{colon}{shape.key}")
        self._start, self._end = f"<{colon}{shape.record}>".encode(), f"</{colon}{shape.record}>".encode()
        self._odd = re.compile(rf"<{name}[\s/]".encode())  # the start tag in any other spelling
        self._key = re.compile(rf"<{name}>\s*<{key}>\s*([^<&\s]+)\s*</{key}>".encode())
        self._key_path = "/".join(f"{{*}}{step}" for step in shape.key.split("."))
        self._foreign: list[bytes] = []  # prefixes in scope that a raw record must not use

    def __iter__(self) -> Iterator[Slices]:
        opening = Opening(self._chunks, self._system)
        data = opening.data
        if opening.doctype:
            error = Refused("xml-doctype", hint="a document type is never accepted")
            for chunk in self._chunks:
                data += chunk[: max(0, KEPT - len(data))]
            yield Slices([], [], [Rejected(data, error)])
            return
        while (at := data.find(self._start)) < 0 and len(data) < PROLOG and (chunk := next(self._chunks, b"")):
            data += chunk
        parser = etree.XMLPullParser(events=("end",), tag=self._shape.tag, **xml.SAFE)
        if at >= 0 and opening.utf8 and self._sliceable(data[:at]):
            parser.feed(data[:at])
            data = yield from self._sliced(data[at:])
        yield from self._parsed(parser, data, opening.end_tag)

    def _sliceable(self, head: bytes) -> bool:
        """Whether the names before the first record mean what the raw records take for granted."""
        if _MARKUP.search(_DECLARATION.sub(b"", head)):
            return False
        names = scope(head)
        if names.get(self._shape.prefix or None) != self._shape.namespace:
            return False
        known = {*self._shape.prefixes.items(), *((prefix, uri) for prefix, uri in names.items() if uri in _OUTSIDE)}
        foreign = [prefix for prefix, uri in names.items() if (prefix, uri) not in known]
        self._foreign = [f"{prefix}:".encode() for prefix in foreign]
        return None not in foreign

    def _sliced(self, data: bytes) -> Generator[Slices, None, bytes]:
        """The fast way, as far as it is right. Returns the bytes from the first record it is not right for."""
        while (sliced := self._slice(data)) is not None:
            slices, data = sliced
            if slices.raws or slices.rejected:
                yield slices
            block, size = [data], len(data)
            while size < BLOCK and (chunk := next(self._chunks, b"")):
                block.append(chunk)
                size += len(chunk)
            if len(block) == 1:  # at the end, or a record larger than a block
                break
            data = b"".join(block)
        return data

    def _slice(self, block: bytes) -> tuple[Slices, bytes] | None:
        """The whole records at the block's beginning and what is left; None if a parser might see it differently."""
        body, end, tail = block.rpartition(self._end)
        if not end:
            return Slices([], [], []), tail
        if _has_markup(body) or self._odd.search(body) or any(prefix in body for prefix in self._foreign):
            return None
        parts = body.split(end)
        if body.count(self._start) != len(parts):  # a record inside a record
            return None
        raws = [part.lstrip() + end for part in parts]
        found = list(map(self._key.match, raws))
        if None not in found:
            return Slices(raws, [match[1] for match in found if match], []), tail
        if not all(raw.startswith(self._start) for raw in raws):  # something else between the records
            return None
        slices = Slices([], [], [])
        for raw, match in zip(raws, found, strict=True):
            slices = _with(slices, raw, match[1] if match else self._parsed_key(raw))
        return slices, tail

    def _parsed_key(self, raw: bytes) -> bytes:
        try:
            return self._key_of(xml.parse(xml.wrap([raw], self._shape.prefixes))[0])
        except Refused:
            return b""

    def _key_of(self, record: etree._Element) -> bytes:
        return (record.findtext(self._key_path) or "").strip().encode()

    def _parsed(self, parser: etree.XMLPullParser, data: bytes, end_tag: re.Pattern[bytes]) -> Iterator[Slices]:
        """The slow way: each record in canonical form, its tree freed when the next one is there."""
        done: list[etree._Element] = []
        last, kept, beside = b"", b"", 0
        error: etree.XMLSyntaxError | None = None
        pieces = _pieces(data, self._chunks)
        for piece in pieces:
            last, kept = (last + piece)[-512:], piece
            error = fed(parser, piece)
            slices = self._records(parser, done)
            beside = max(0, beside + len(piece) - sum(map(len, slices.raws)))
            if slices.raws or slices.rejected:
                yield slices
            if error:
                break
            if beside > BESIDE:
                raise Unavailable(
                    f"the answer has more than {BESIDE} bytes beside its records",
                    system=self._system,
                    reason="answer-size",
                )
        else:
            try:
                self.rest = parser.close()
            except etree.XMLSyntaxError as caught:
                error = caught
        if error:
            for piece in pieces:
                last = (last + piece)[-512:]
                kept += piece[: max(0, KEPT - len(kept))]
            if not end_tag.search(last):
                raise Unavailable("the answer ends early", system=self._system, reason="answer-truncated")
            yield Slices([], [], [Rejected(kept, xml.malformed(error))])
            return
        slices = self._records(parser, done)
        if slices.raws or slices.rejected:
            yield slices
        _free(done)

    def _records(self, parser: etree.XMLPullParser, done: list[etree._Element]) -> Slices:
        slices = Slices([], [], [])
        for _, record in elements(parser):
            if next(record.iterancestors(self._shape.tag), None) is None:
                raw = xml.canonical(record, self._shape.prefixes)
                slices = _with(slices, raw, self._key_of(record))
                _free(done)  # the parser is through with it: it is no longer the last node of its parent
                done.append(record)
        return slices


def _has_markup(block: bytes) -> bool:
    """``_MARKUP.search`` for ordinary text: looking for a single rare byte is many times as fast."""
    for mark in (b"!", b"?"):
        at = block.find(mark)
        while at >= 0:
            if block[at - 1] == 0x3C:  # "<"
                return True
            at = block.find(mark, at + 1)
    return False


def _with(slices: Slices, raw: bytes, key: bytes) -> Slices:
    if key:
        slices.raws.append(raw)
        slices.keys.append(key)
    else:
        slices.rejected.append(Rejected(raw, Refused("key-missing")))
    return slices


def _free(done: list[etree._Element]) -> None:
    for element in done:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    done.clear()


def _pieces(data: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``data`` and all after it, in pieces of which a parser's tree stays small."""
    while data:
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]
        data = next(chunks, b"")
