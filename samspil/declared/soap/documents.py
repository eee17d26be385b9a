"""A WSDL and the schemas it stands on, read from one folder and never from the network.

Everything is read here before anything else sees it: what is no XML, has a document type (where bombs and external
entities are kept), is missing, or would be fetched, is one SettingsError that names the file and the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from samspil import xml
from samspil.errors import SettingsError

WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
LONGEST = 200  # characters of a file's name; one of 256 is an error of the operating system's own

_LOCATED = {  # what names another file, and the attribute it does it with
    f"{{{WSDL}}}import": "location",
    f"{{{XSD}}}import": "schemaLocation",
    f"{{{XSD}}}include": "schemaLocation",
    f"{{{XSD}}}redefine": "schemaLocation",
}


class Document(NamedTuple):
    """One ``xs:schema``. ``namespace`` is its target, which an included one without has from the one that includes it."""

    file: Path
    root: etree._Element
    namespace: str


def documents(wsdl: Path) -> list[Document]:
    """Every schema of a WSDL, its own and those it imports, directly or not. Raises SettingsError."""
    root = _parsed(wsdl)
    if root.tag != f"{{{WSDL}}}definitions":
        raise SettingsError(f"is not a WSDL 1.1: its root is {xml.local(root)}", file=str(wsdl), line=line(root))
    return list(_Walk(wsdl).of(wsdl, root, ""))


def line(element: etree._Element) -> int:
    """Where an element stands in its file; 0 if nobody knows."""
    found: int | None = element.sourceline  # type: ignore[assignment]  # the stubs have an ellipsis
    return found or 0


class _Walk:
    def __init__(self, wsdl: Path) -> None:
        self._folder = wsdl.resolve().parent
        self._seen: set[tuple[Path, str]] = set()

    def of(self, file: Path, root: etree._Element, adopted: str) -> Iterator[Document]:
        schemas = [root] if root.tag == f"{{{XSD}}}schema" else list(root.iter(f"{{{XSD}}}schema"))
        for schema in schemas:
            yield Document(file, schema, schema.get("targetNamespace") or adopted)
        for element in root.iter(*_LOCATED):
            location = element.get(_LOCATED[str(element.tag)])
            if location:
                yield from self._other(file, element, location, adopted)

    def _other(self, file: Path, element: etree._Element, location: str, adopted: str) -> Iterator[Document]:
        path = (file.parent / location.removeprefix("file://")).resolve()
        if "://" in location.removeprefix("file://") or not path.is_relative_to(self._folder):
            raise SettingsError(
                "is not imported from elsewhere; save it in the WSDL's folder and name it here by its file's name",
                file=str(file),
                line=line(element),
                field=location[:200],
            )
        if len(path.name) > LONGEST or not path.is_file():
            raise SettingsError(
                "there is no such file to import", file=str(file), line=line(element), field=location[:200]
            )
        above = element.getparent()
        while above is not None and above.tag != f"{{{XSD}}}schema":
            above = above.getparent()
        included = element.tag != f"{{{XSD}}}import" and above is not None
        namespace = (above.get("targetNamespace") or adopted) if included and above is not None else ""
        root = _parsed(path)
        own = (path, root.get("targetNamespace") or namespace)
        if own not in self._seen:
            self._seen.add(own)
            yield from self.of(path, root, namespace)


def _parsed(file: Path) -> etree._Element:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", file=str(file)) from None
    try:
        root = etree.fromstring(data, etree.XMLParser(**xml.SAFE))
    except etree.XMLSyntaxError as error:
        raise SettingsError("is not well-formed XML", file=str(file), line=error.lineno or 0) from None
    if xml.has_doctype(root):
        place = data[: data.find(b"<!DOCTYPE")].count(b"\n") + 1
        raise SettingsError("has a document type, which is never accepted; take it out", file=str(file), line=place)
    return root
