"""XML parsed safely, and written so that the same content gives the same bytes.

No DTD, no entities beyond XML's own five, no network, no huge trees. ``samspil.cut`` cuts large answers into raw
records, ``samspil.xsd`` decodes, checks and encodes records by their schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
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
    """The element's name without its namespace. Not by ``QName``, which raises where a prefix was never declared."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: etree._Element) -> str:
    """The namespace of the element's name; empty if it is in none."""
    return str(element.tag).rpartition("}")[0][1:]


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
_PLAIN = re.compile("[\t\n\x20-\x25\x27-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NEVER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def escaped(text: str) -> str:
    """Text as an element's content. Raises Refused (``bad-character``) for what XML cannot carry at all."""
    if _PLAIN.fullmatch(text):
        return text
    if _NEVER.search(text):
        raise Refused("bad-character")
    return text.translate(_TEXT)


def canonical(element: etree._Element, prefixes: Prefixes) -> bytes:
    """An element as bytes that depend on its content only: fixed prefixes, sorted attributes, no CDATA or comments.

    An element written plainly with these prefixes keeps its very bytes. Declarations of ``prefixes`` are left out.
    """
    out: list[str] = []
    _write(element, _names(tuple(prefixes.items())), out)
    return "".join(out).encode()


class _Names(dict[str, str]):
    """Tags as they are written with fixed prefixes; empty for one that needs a declaration of its own."""

    def __init__(self, prefixes: Iterable[tuple[str | None, str]]) -> None:
        self.prefixes = {uri: f"{prefix}:" if prefix else "" for prefix, uri in prefixes}

    def __missing__(self, tag: str) -> str:
        uri, bracket, rest = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
        if bracket:
            name = self.prefixes[uri] + rest if uri in self.prefixes else ""
        else:  # in no namespace: fine unless there is a default around it
            name = "" if "" in self.prefixes.values() else rest
        if len(self) < 1000:  # more are no system's names
            self[tag] = name
        return name

    @cached_property
    def below(self) -> _Names:
        """The same where the default namespace is none."""
        return _Names((prefix[:-1], uri) for uri, prefix in self.prefixes.items() if prefix)


_names = cache(_Names)


def _write(element: etree._Element, names: _Names, out: list[str]) -> None:
    name = names[str(element.tag)]
    attributes = element.items()
    if name and not attributes:
        out.append(f"<{name}>")
    else:
        name, opening, names = _opening(element, names)
        out.append(opening)
    text = element.text
    if text:
        out.append(text.translate(_TEXT) if _SPECIAL.search(text) else text)
    for child in element:
        _write(child, names, out)
        text = child.tail
        if text:
            out.append(text.translate(_TEXT) if _SPECIAL.search(text) else text)
    out.append(f"</{name}>")


def _opening(element: etree._Element, names: _Names) -> tuple[str, str, _Names]:
    """Name and start tag of an element with attributes or of another namespace, and the names below it."""
    strangers: dict[str, str] = {}

    def written(tag: str, *, attribute: bool) -> str:
        uri, bracket, rest = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
        if not bracket:
            return rest if attribute or names[tag] else strangers.setdefault("", "") + rest
        if uri == _XML:
            return f"xml:{rest}"
        prefix = names.prefixes.get(uri)
        if prefix or (prefix == "" and not attribute):
            return prefix + rest
        return strangers.setdefault(uri, f"other{len(strangers)}:") + rest

    name = written(str(element.tag), attribute=False)
    attributes = [
        f' {written(str(key), attribute=True)}="{str(value).translate(_QUOTED)}"'
        for key, value in sorted(element.attrib.items())
    ]
    declared = [
        f' xmlns{":" if prefix else ""}{prefix[:-1]}="{uri.translate(_QUOTED)}"' for uri, prefix in strangers.items()
    ]
    opening = f"<{name}{''.join(declared)}{''.join(attributes)}>"
    return name, opening, names.below if "" in strangers else names
