"""The beginning of an XML document that arrives in pieces, and feeding the pieces to a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from samspil import xml
from samspil.errors import Unavailable

PROLOG = 1 << 16  # bytes within which the root must have begun

_UTF8 = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*<(?:[^?]|\?xml(?![^>]*encoding)|\?xml[^>]*encoding\s*=\s*.(?i:utf-8|us-ascii).)"
)


class Opening:
    """The beginning of an answer, read until its root element has begun."""

    def __init__(self, chunks: Iterator[bytes], system: str) -> None:
        parser = etree.XMLPullParser(events=("start",), **xml.SAFE)
        self.data = b""
        for chunk in chunks:
            self.data += chunk
            root, error = _first(parser, chunk)
            if root is not None:
                break
            if error or len(self.data) > PROLOG:
                raise Unavailable("the answer is not XML", system=system, reason="answer-not-xml")
        else:
            raise Unavailable("the answer ends early", system=system, reason="answer-truncated")
        self.doctype = xml.has_doctype(root)
        self.utf8 = _UTF8.match(self.data) is not None
        name = f"{root.prefix}:{xml.local(root)}" if root.prefix else xml.local(root)
        self.end_tag = re.compile(rb"</" + re.escape(name.encode()) + rb"\s*>\s*\Z")


def scope(head: bytes) -> dict[str | None, str]:
    """The namespaces in scope where ``head`` ends; empty if it is not the beginning of a document."""
    parser = etree.XMLPullParser(events=("start", "end"), **xml.SAFE)
    try:
        parser.feed(head)
    except etree.XMLSyntaxError:
        return {}
    open_elements: list[etree._Element] = []
    for event, element in elements(parser):
        if event == "start":
            open_elements.append(element)
        else:
            open_elements.pop()
    return dict(open_elements[-1].nsmap) if open_elements else {}


def fed(parser: etree.XMLPullParser, piece: bytes) -> etree.XMLSyntaxError | None:
    try:
        parser.feed(piece)
    except etree.XMLSyntaxError as error:
        return error
    return None


def _first(parser: etree.XMLPullParser, chunk: bytes) -> tuple[etree._Element | None, etree.XMLSyntaxError | None]:
    """Feed no more of the chunk than it takes to meet an element or an error."""
    for at in range(0, len(chunk), 1024):
        error = fed(parser, chunk[at : at + 1024])
        root = next((element for _, element in elements(parser)), None)
        if error or root is not None:
            return root, error
    return None, None


def elements(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
    """The events since last asked, of elements only."""
    for event, element in parser.read_events():
        if isinstance(element, etree._Element):  # noqa: SLF001  # lxml gives its element type no public name
            yield event, element
