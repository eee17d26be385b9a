"""The Body of a large signed answer: hashed and put aside as it streams in, its tree never larger than a piece.

libxml2 makes canonical bytes of whole trees only. So the tree is written with a mark in it that moves on: what stands
between the old mark and the new one is new, is hashed, and is freed. Whoever reads the answer afterwards gets the very
bytes that were hashed, not the ones that came over the wire, so there is nothing to read but what was signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from samspil import xml
from samspil.errors import Refused
from samspil.opening import elements
from samspil.spool import Spool
from samspil.wssecurity.canonical import NO_FORM, canonical
from samspil.wssecurity.envelope import Envelope, ids
from samspil.wssecurity.names import DIGESTS, ENVELOPES, EXCLUSIVE, ID
from samspil.wssecurity.signature import Reference, Signature

PIECE = 1 << 16  # bytes parsed at a time
BATCH = 500  # records freed at a time
LARGEST = 1 << 24  # bytes that may come without a record among them

_MARK = b"<?samspil?>"  # no other such instruction is left in the tree, and text cannot look like one


class StreamedBody:
    """Feed it all of the answer with ``read``; then ``root`` is the Envelope with what is not a record, and ``chunks``
    the Body's canonical bytes in an Envelope of their own. Nothing of it is to be used before ``holds`` was asked.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._bodies = [f"{{{namespace}}}Body" for namespace in ENVELOPES]
        self._spool = Spool()
        self._done: list[etree._Element] = []
        self._mark: etree._Element | None = None
        self._begun = False
        self._ids: set[str] = set()
        self.root: etree._Element | None = None
        self._reference: Reference | None = None

    def read(self, chunks: Iterable[bytes]) -> etree._Element:
        """The Envelope. Raises Refused (``xml-doctype``, ``answer-size``, ``id-duplicated``) and what ``Envelope``
        and ``Signature`` raise; XMLSyntaxError if it is not well-formed.
        """
        parser = etree.XMLPullParser(events=("start", "end"), tag=[*self._bodies, self._tag], **xml.SAFE)
        idle = 0
        for chunk in chunks:
            for at in range(0, len(chunk), PIECE):
                piece = chunk[at : at + PIECE]
                parser.feed(piece)
                idle = 0 if self._fed(parser) else idle + len(piece)
                if idle > LARGEST:
                    raise Refused("answer-size", hint=f"more than {LARGEST} bytes without a record")
        root = parser.close()
        self._fed(parser)
        if xml.has_doctype(root):
            raise Refused("xml-doctype", hint="a document type is never accepted")
        if self._reference is None:
            Envelope(root)
            raise Refused("signature-incomplete", hint="Body is not signed")
        self._finish(root)
        return root

    def holds(self, reference: Reference) -> bool:
        """Whether the Body is what the reference says."""
        return reference == self._reference and reference.value == self._digest.digest()

    def chunks(self) -> Iterator[bytes]:
        """The Body as it was hashed."""
        yield b'<signed:Envelope xmlns:signed="%s">' % ENVELOPES[0].encode()
        yield from self._spool.chunks()
        yield b"</signed:Envelope>"

    def _fed(self, parser: etree.XMLPullParser) -> bool:
        records = False
        for event, element in elements(parser):
            if element.tag == self._tag:
                if event == "end" and self._reference and next(element.iterancestors(self._tag), None) is None:
                    self._done.append(element)
                    records = True
            elif event == "start" and self.root is None:
                self._begin(element)
        if len(self._done) > BATCH:
            self._flush()
        return records

    def _begin(self, body: etree._Element) -> None:
        """The Body has begun, so the header is there: it says how the Body is hashed."""
        root = body.getparent()
        if root is None or root.getparent() is not None:
            return
        if xml.has_doctype(root):
            raise Refused("xml-doctype", hint="a document type is never accepted")
        self.root = root
        header = root.find(f"{{{xml.namespace(root)}}}Header")
        if header is None or len(root) != 2:
            return
        envelope = Envelope(root)
        target = body.get(ID)
        for reference in Signature(envelope.signature).references:
            if reference.target == target and reference.transforms == (EXCLUSIVE,):
                self._reference = reference
        if self._reference is None or not root.prefix == header.prefix == body.prefix:
            raise Refused("signature-incomplete", hint="Body is not signed in a way that a stream can be checked by")
        root.attrib.clear()  # what it alone uses must not be declared around the Body
        self._digest = hashlib.new(DIGESTS[self._reference.method])
        self._ids = {str(target), *(name for _, name in ids(header))}
        scope: Any = body.nsmap  # the stubs forbid the default namespace's None
        shallow = etree.Element(body.tag, nsmap=scope)
        for name, value in body.items():
            shallow.set(name, value)
        self._out(canonical(shallow, self._reference.prefixes).rpartition(b"</")[0])

    def _out(self, data: bytes) -> None:
        self._digest.update(data)
        self._spool.write(data)

    def _flush(self) -> None:
        """Hash and free all but the last record, whose following text may not be complete."""
        *freed, last = self._done
        mark = etree.ProcessingInstruction("samspil")
        last.addprevious(mark)
        pieces = self._pieces()
        new = pieces[-2]
        self._out(new)
        if b'Id="' in new or b'id="' in new:
            self._unique(freed)
        for record in freed:
            parent = record.getparent()
            if parent is not None:
                parent.remove(record)
        if self._mark is not None:
            self._remove(self._mark)
        self._mark, self._done = mark, [last]

    def _pieces(self) -> list[bytes]:
        """What is in the Body's tree, cut at the marks; the first time from the Body's start."""
        if self.root is None or self._reference is None:
            raise Refused("signature-incomplete", hint="Body is not signed")
        options: dict[str, object] = {"inclusive_ns_prefixes": list(self._reference.prefixes)}
        try:
            data: bytes = etree.tostring(self.root, method="c14n", exclusive=True, with_comments=False, **options)  # type: ignore[call-overload]  # the stubs have no prefixes
        except etree.C14NError:
            raise Refused("signature-invalid", hint=NO_FORM) from None
        pieces = data.split(_MARK)
        if not self._begun:
            prefix = f"{self.root.prefix}:".encode() if self.root.prefix else b""
            begin = data.index(b"<" + prefix + b"Body", data.index(b"</" + prefix + b"Header>"))
            pieces[0] = pieces[0][data.index(b">", begin) + 1 :]
            self._begun = True
        return pieces

    def _finish(self, root: etree._Element) -> None:
        rest = self._pieces()[-1]
        end = rest.rindex(b"</", 0, rest.rindex(b"</"))
        self._out(rest[: rest.index(b">", end) + 1])
        if self._mark is not None:
            self._remove(self._mark)
        self._unique([record for record in self._done if record.getparent() is not None])
        self.root = root

    def _unique(self, records: Iterable[etree._Element]) -> None:
        for record in records:
            for _, name in ids(record):
                if name in self._ids:
                    raise Refused("id-duplicated", hint="an id stands twice, so that a signature could mean either")
                self._ids.add(name)

    @staticmethod
    def _remove(mark: etree._Element) -> None:
        """Take the mark out, but not the text after it."""
        parent, before, after = mark.getparent(), mark.getprevious(), mark.tail
        if parent is None:
            return
        if after and before is not None:
            before.tail = (before.tail or "") + after
        elif after:
            parent.text = (parent.text or "") + after
        parent.remove(mark)
