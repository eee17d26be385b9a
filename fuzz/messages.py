"""SOAP answers and JSON pages."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from lxml import etree

from connectors.jobcenter.contract import CODES, HERE, READS, record_type, shape
from connectors.jobcenter.pages import Pages
from connectors.journal_rest import rendering
from connectors.journal_rest.connector import COLLECTIONS, SHAPE
from fuzz.parser import Lost, Outcome, Parser, chunks
from samspil import json, mapping, registry, xml
from samspil.cut import Cut
from samspil.declared.rest.answer import AnswerShape
from samspil.errors import SamspilError, Unavailable
from samspil.soap import Soap
from samspil.testing.world import World

WORLD = World("760", citizens=20)


def mapped(system: str, schema: str) -> Callable[[dict[str, Any]], Any]:
    """The function that makes ours of a system's record."""
    fields = registry.connector(system).fields(schema)
    struct = registry.schema(schema)
    return mapping.load(system, schema, fields=fields, struct=struct, directions=("to_ours",)).to_ours


class Xml(Parser):
    """Bulk answers of the jobcenter: cut, decoded by the XSD, mapped; and each as a small answer, too."""

    name = "XML"
    words = (
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
        b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>",
        b"&b;",
        b"&#0;",
        b"&#x10FFFF;",
        b"<!-- -->",
        b"<![CDATA[",
        b"]]>",
        b"<?pi?>",
        b"<a>",
        b"</a>",
        b' xmlns="urn:x"',
        b' xsi:nil="true"',
        b' jc:x="1"',
        b"<jc:Bestilling>",
        b"</jc:Bestilling>",
        b'<?xml version="1.0" encoding="UTF-16"?>',
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>',
    )
    piece = rb"<([\w:]+)(?:\s[^<>]*)?>([^<]*)</[\w:]+>"

    def made(self) -> Sequence[bytes]:
        self._schemas = [schema for schema in READS for _ in range(3)]
        self._to_ours = {schema: mapped("jobcenter", schema) for schema in READS}
        session: Any = None  # nothing is called
        self._soap = Soap(session, HERE / "jobcenter.wsdl", url="https://x", system="x", codes=CODES)
        pages = [Pages(WORLD, schema, 1) for schema in READS]
        return [page.page(number, 5) for page in pages for number in (1, 2, 3)]

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        outcome = Outcome()
        schema = self._schemas[number]
        kind = record_type(schema)
        cut = Cut(chunks(chance, data), shape(schema), system="x")
        raws: list[bytes] = []
        rejected: list[Any] = []
        stopped: SamspilError | None = None
        try:
            for slices in cut:
                raws += slices.raws
                rejected += slices.rejected
                if len(slices.raws) != len(slices.keys) or b"" in slices.keys:
                    raise Lost("a record has no key")
        except Unavailable as error:
            stopped = error
        outcome.decoded(kind.decode(raws), self._to_ours[schema])
        outcome.reject(rejected)
        self._look(data, shape(schema).tag, outcome, rejected, whole=cut.rest is not None and stopped is None)
        self._small(data)
        if stopped:
            raise stopped
        return outcome

    def _look(self, data: bytes, tag: str, outcome: Outcome, rejected: Sequence[Any], *, whole: bool) -> None:
        """What another parser sees: as many records, or something wrong that is told."""
        try:
            root = etree.fromstring(data, etree.XMLParser(**xml.SAFE))
            doctype = xml.has_doctype(root)
        except (etree.XMLSyntaxError, ValueError):
            root, doctype = None, False
        if root is None or doctype:
            if whole and not (outcome["rejected"] or outcome["refused"]):
                raise Lost("what is not well-formed was taken for whole")
            return
        there = [one for one in root.iter(tag) if next(one.iterancestors(tag), None) is None]
        if whole and len(there) != outcome.total():
            raise Lost(f"{len(there)} records are in it, {outcome.total()} came out")
        if not whole and not rejected:
            raise Lost("a whole answer was taken for half of one")

    def _small(self, data: bytes) -> None:
        try:
            root = xml.parse(data)
            self._soap._decoded("Hent", self._soap._answer("Hent", root))  # noqa: SLF001 - without a call
        except SamspilError as error:
            if not error.reason:
                raise Lost("an answer was refused without a reason") from None


class Json(Parser):
    """Pages of the journal over REST, as its connector cuts them and as a declared one does."""

    name = "JSON"
    words = (
        b"null",
        b"[" * 40,
        b"{" * 40,
        b'{"a":' * 40,
        b'"\\ud800"',
        b'"\\u0000"',
        b'"id":"",',
        b'"id":1e2,',
        b'"id":12345678901234567890123,',
        b'"hasMore":null,',
        b'"data":{},',
        b"\\",
        b'"',
        b"// x",
        b"-0",
        b"1" * 400,
        b"0.1e-400",
        b'"__proto__":{},',
    )
    piece = rb'("[^"\\]*"):("[^"\\]*"|[-0-9.]+|true|false|null|\{[^{}]*\}|\[[^\[\]]*\])'

    _shapes: ClassVar[Sequence[AnswerShape]] = (
        AnswerShape({"records": "data", "more": "hasMore"}, "id"),
        AnswerShape({"records": "data", "next": "next"}, "id", changed="writtenAt", deleted="kind", value="x"),
    )

    def made(self) -> Sequence[bytes]:
        found: list[bytes] = []
        self._schemas: list[str] = []
        self._to_ours = {schema: mapped("journal_rest", schema) for schema in COLLECTIONS}
        for schema in COLLECTIONS:
            raws = [raw for raw, _ in rendering.records(WORLD, schema, 1)]
            for start in (0, 3):
                found.append(b'{"data":[' + b",".join(raws[start : start + 4]) + b'],"hasMore":true}')
                self._schemas.append(schema)
        return found

    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        outcome = Outcome()
        cut = SHAPE.cut(data)
        self._look(data, cut.page, readable=cut.more is not None)
        for one in self._shapes:
            other = one.cut(data)
            if other.readable and other.sent != len(other.page.raws) + len(other.page.rejected) + len(other.gone):
                raise Lost("a declared page loses records")
            if other.readable and cut.more is not None and other.sent != len(cut.page.raws) + len(cut.page.rejected):
                raise Lost("two ways to cut disagree")
        del chance
        outcome.decoded(json.decoded(cut.page.raws), self._to_ours[self._schemas[number]])
        outcome.reject(cut.page.rejected)
        return outcome

    def _look(self, data: bytes, page: Any, *, readable: bool) -> None:
        """Every byte between the list's brackets is in a record or rejected, in its order, or the page is as it came."""
        pieces = sorted([*page.raws, *(one.raw for one in page.rejected)], key=len)
        if not readable:
            if pieces != [data]:
                raise Lost("a page that cannot be read is not kept as it came")
            return
        if len(page.raws) != len(page.keys) or b"" in page.keys:
            raise Lost("a record has no key")
        rest = data
        for one in reversed(pieces):  # a shorter one may stand inside a longer one
            at = rest.find(one)
            if at < 0:
                raise Lost("a record is not what stands in the page")
            rest = rest[:at] + b"\x01" + rest[at + len(one) :]
        listed = re.search(rb"\[((?:\s*\x01\s*,)*\s*\x01\s*|\s*)\]", rest)
        if listed is None or listed[1].count(b"\x01") != len(pieces):
            raise Lost("something between the records is in none")
