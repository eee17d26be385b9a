"""XML parsed safely, and written so that the same content gives the same bytes.

No DTD, no entities beyond XML's own five, no network, no huge trees. ``samspil.cut`` cuts large answers into raw
records, ``samspil.xsd`` decodes, checks and encodes records by their schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypedDict

from lxml import etree

from samspil.errors import Refused

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XML = "http://www.w3.org/XML/1998/namespace"

Prefixes = Mapping[str | None, str]  # prefix → namespace; None is the default namespace


class _Safe(TypedDict):
    resolve_entities: bool
    no_network: bool
    huge_tree: bool
    load_dtd: bool
    remove_comments: bool
    remove_pis: bool


SAFE: _Safe = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}


def parse(data: bytes) -> etree._Element:
    """A small document's root. Raises Refused (``xml-doctype``, ``xml-malformed``)."""
    try:
        root = etree.fromstring(data, etree.XMLParser(**SAFE))
    except etree.XMLSyntaxError as error:
        raise malformed(error) from None
    if has_doctype(root):
        raise Refused("xml-doctype", hint="a document type is never accepted")
    return root


def has_doctype(root: etree._Element) -> bool:
    """Whether the document this is the root of has a DTD, which is where XML's bombs are kept."""
    return root.getroottree().docinfo.internalDTD is not None


def malformed(error: etree.XMLSyntaxError) -> Refused:
    """A syntax error without the parser's message, which may quote the text."""
    return Refused("xml-malformed", hint=f"line {error.lineno}" if error.lineno else "")


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def find(root: etree._Element, name: str) -> etree._Element | None:
    """The first element of this local name, in whatever namespace."""
    return next(root.iter(f"{{*}}{name}"), None)


def text(root: etree._Element, name: str) -> str:
    """The text of the first element of this local name; empty if there is none."""
    found = find(root, name)
    return "" if found is None else (found.text or "").strip()


def wrap(raws: Iterable[bytes], prefixes: Prefixes) -> bytes:
    """Raw records as one document, with the declarations that they leave out."""
    declared = "".join(f' xmlns{":" if prefix else ""}{prefix or ""}="{uri}"' for prefix, uri in prefixes.items())
    return b"<samspil%s>%s</samspil>" % (declared.encode(), b"".join(raws))


_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_QUOTED = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


_SPECIAL = re.compile("[&<>\r]")
_NEVER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def escaped(text: str) -> str:
    """Text as an element's content. Raises Refused (``bad-character``) for what XML cannot carry at all."""
    if text.isalnum():
        return text
    if _NEVER.search(text):
        raise Refused("bad-character")
    return text.translate(_TEXT) if _SPECIAL.search(text) else text


def canonical(element: etree._Element, prefixes: Prefixes) -> bytes:
    """An element as bytes that depend on its content only: fixed prefixes, sorted attributes, no CDATA or comments.

    An element written plainly with these prefixes keeps its very bytes. Declarations of ``prefixes`` are left out.
    """
    out: list[str] = []
    _write(element, {uri: f"{prefix}:" if prefix else "" for prefix, uri in prefixes.items()}, out)
    return "".join(out).encode()


def _write(element: etree._Element, known: dict[str, str], out: list[str]) -> None:
    strangers: dict[str, str] = {}

    def name(tag: str, *, attribute: bool = False) -> str:
        uri, bracket, rest = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
        if not bracket:  # in no namespace: an attribute is so by itself, an element needs no default around it
            return rest if attribute or "" not in known.values() else strangers.setdefault("", "") + rest
        if uri == _XML:
            return f"xml:{rest}"
        if uri in known and (known[uri] or not attribute):
            return known[uri] + rest
        return strangers.setdefault(uri, f"other{len(strangers)}:") + rest

    tag = name(str(element.tag))
    attributes = [
        f' {name(str(key), attribute=True)}="{str(value).translate(_QUOTED)}"'
        for key, value in sorted(element.attrib.items())
    ]
    declared = [
        f' xmlns{":" if prefix else ""}{prefix[:-1]}="{uri.translate(_QUOTED)}"' for uri, prefix in strangers.items()
    ]
    if "" in strangers:  # below it the default namespace is none
        known = {uri: prefix for uri, prefix in known.items() if prefix}
    out.append(f"<{tag}{''.join(declared)}{''.join(attributes)}>")
    if element.text:
        out.append(element.text.translate(_TEXT))
    for child in element:
        _write(child, known, out)
        if child.tail:
            out.append(child.tail.translate(_TEXT))
    out.append(f"</{tag}>")
