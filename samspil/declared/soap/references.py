"""What a WSDL and its schemas refer to by name must be there: a missing part is found here, with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree

from samspil.declared.soap.documents import WSDL, XSD, Document, line
from samspil.errors import SettingsError

_XSD = {  # attribute of a schema's element → the kinds it may name
    "type": ("complexType", "simpleType"),
    "base": ("complexType", "simpleType"),
    "itemType": ("simpleType",),
    "substitutionGroup": ("element",),
}
_REFS = ("element", "group", "attribute", "attributeGroup")
_WSDL = {  # element of the WSDL → its attribute and the kind it names
    "part": ("element", "element"),
    "input": ("message", "message"),
    "output": ("message", "message"),
    "binding": ("type", "portType"),
    "port": ("binding", "binding"),
}


def check(found: Sequence[Document]) -> None:
    """Raises SettingsError for the first name that leads nowhere, in the schemas or in the WSDL around them."""
    named = {
        (etree.QName(child).localname, f"{{{document.namespace}}}{child.get('name')}")
        for document in found
        for child in document.root.iterchildren(f"{{{XSD}}}*")
    }
    for document in found:
        for element in document.root.iter(f"{{{XSD}}}*"):
            for kinds, name in _schema_names(element):
                tag = _tag(element, name, document.namespace)
                if tag is None or not (tag.startswith(f"{{{XSD}}}") or _foreign(tag) or _in(named, kinds, tag)):
                    raise _missing(document.file, element, kinds[0], name)
    for file, root in {document.file: document.root.getroottree().getroot() for document in found}.items():
        if root.tag == f"{{{WSDL}}}definitions":
            _wsdl(file, root, named)


def _wsdl(file: Path, root: etree._Element, named: set[tuple[str, str]]) -> None:
    space = root.get("targetNamespace", "")
    local = {
        (etree.QName(child).localname, f"{{{space}}}{child.get('name')}") for child in root.iterchildren(f"{{{WSDL}}}*")
    }
    imports = root.find(f"{{{WSDL}}}import") is not None
    for element in root.iter(f"{{{WSDL}}}*"):
        attribute, kind = _WSDL.get(etree.QName(element).localname, ("", ""))
        name = element.get(attribute) if attribute else None
        if name:
            tag = _tag(element, name, space)
            known = named if kind == "element" else local
            elsewhere = imports and tag is not None and not tag.startswith(f"{{{space}}}")
            if tag is None or not ((kind, tag) in known or elsewhere):
                raise _missing(file, element, kind, name)


def _schema_names(element: etree._Element) -> Iterator[tuple[tuple[str, ...], str]]:
    for attribute, kinds in _XSD.items():
        if name := element.get(attribute):
            yield kinds, name
    kind = etree.QName(element).localname
    if kind in _REFS and (name := element.get("ref")):
        yield (kind,), name


def _tag(element: etree._Element, name: str, namespace: str) -> str | None:
    prefix, _, local = name.rpartition(":")
    uri = element.nsmap.get(prefix or None)
    if uri is None:
        return None if prefix else f"{{{namespace}}}{local}"
    return f"{{{uri}}}{local}"


def _in(named: set[tuple[str, str]], kinds: tuple[str, ...], tag: str) -> bool:
    return any((kind, tag) in named for kind in kinds)


def _foreign(tag: str) -> bool:
    """Parts of standards that no WSDL brings along: ``xml:lang`` and SOAP's own encoding."""
    return tag.startswith(("{http://www.w3.org/XML/1998/namespace}", "{http://schemas.xmlsoap.org/"))


def _missing(file: Path, element: etree._Element, kind: str, name: str) -> SettingsError:
    return SettingsError(
        f"there is no such {kind}; is an import missing?", file=str(file), line=line(element), field=name
    )
