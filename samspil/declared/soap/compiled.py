"""A WSDL's schemas as one that libxml2 validates with: inline ones, imports and records that are no global element.

libxml2 wants files that import each other by name, one per namespace, and validates global elements only. So the
documents are written to a folder for the moment of compiling, each namespace gathered in one file, and an element
that stands only inside another is declared once more on its own.
"""

from __future__ import annotations

import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from lxml import etree

from samspil.declared.soap.documents import XSD, line
from samspil.declared.soap.schemas import Element, Schemas
from samspil.errors import SettingsError

_OWN = "samspil-own-type"


def compiled(schemas: Schemas, element: Element | None = None) -> etree.XMLSchema:
    """Validates every global element, and ``element`` if it is none. Raises SettingsError."""
    # through bytes: a copied element would lose the prefixes declared around it, which its attributes use
    roots = [etree.fromstring(etree.tostring(document.root)) for document in schemas.documents]
    extra = None
    if element is not None and not element.is_global:
        extra = _own(schemas, element, roots)
    with tempfile.TemporaryDirectory(prefix="samspil-xsd-") as folder:
        _write(schemas, roots, extra, Path(folder))
        try:
            return etree.XMLSchema(etree.parse(Path(folder) / "all.xsd"))
        except etree.LxmlError as error:
            raise _problem(schemas, roots, error) from None


def _problem(schemas: Schemas, roots: list[etree._Element], error: etree.LxmlError) -> SettingsError:
    """What libxml2 says of a part, at the declaration in the vendor's own file that it is about."""
    entries: Any = error.error_log  # a list, which the stubs do not tell
    for entry in entries:
        number = Path(entry.filename).stem.removeprefix("part")
        if number.isdigit():
            document, root = schemas.documents[int(number)], roots[int(number)]
            there = [child for child in root if child.get("name") and line(child) <= entry.line]
            found = schemas.declared(document, there[-1]) if there else None
            at = found if found is not None else document.root
            return SettingsError(f"is not a usable schema: {entry.message}", file=str(document.file), line=line(at))
    return SettingsError("is not a usable schema", file=str(schemas.documents[0].file))


def _own(schemas: Schemas, element: Element, roots: list[etree._Element]) -> etree._Element | None:
    """Declare a local element as a global one; the schema of no namespace to add if it has none."""
    document = schemas.document(element.definition)
    number = next(index for index, other in enumerate(schemas.documents) if other is document)
    root = roots[number]
    if element.namespace and schemas.element(element.tag) is not None:
        raise SettingsError(
            "stands in the schema both on its own and inside another element",
            file=str(element.file),
            line=line(element.definition),
            field=element.name,
        )
    copy = root
    for step in _way(element.definition, document.root):
        copy = copy[step]
    inline = copy.find(f"{{{XSD}}}complexType")
    if inline is not None:
        kind = deepcopy(inline)
        kind.set("name", _OWN)
        root.append(kind)
    attributes = {"name": element.name}
    if element.namespace:
        made = etree.SubElement(root, f"{{{XSD}}}element", attributes)
        own_type = copy.get("type") if inline is None else None
        made.set("type", own_type or _qualified(root, document.namespace))
        return None
    own = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD, "own": document.namespace})
    etree.SubElement(own, f"{{{XSD}}}import", {"namespace": document.namespace})
    name = schemas.tag(element.definition, element.definition.get("type") or "") if inline is None else ""
    etree.SubElement(own, f"{{{XSD}}}element", {**attributes, "type": f"own:{name.rpartition('}')[2] or _OWN}"})
    return own


def _way(definition: etree._Element, root: etree._Element) -> list[int]:
    steps: list[int] = []
    while definition is not root:
        parent = definition.getparent()
        if parent is None:
            break
        steps.insert(0, parent.index(definition))
        definition = parent
    return steps


def _qualified(root: etree._Element, namespace: str) -> str:
    for prefix, uri in root.nsmap.items():
        if uri == namespace:
            return f"{prefix}:{_OWN}" if prefix else _OWN
    raise SettingsError("its schema has no prefix for its own namespace", field=namespace)


def _write(schemas: Schemas, roots: list[etree._Element], extra: etree._Element | None, folder: Path) -> None:
    spaces = dict.fromkeys(document.namespace for document in schemas.documents)
    names = {namespace: f"space{number}.xsd" for number, namespace in enumerate(spaces)}
    for number, root in enumerate(roots):
        for child in list(root.iterchildren(f"{{{XSD}}}include", f"{{{XSD}}}import")):
            if child.tag == f"{{{XSD}}}include":
                root.remove(child)  # its namespace's file has them all
            else:
                _located(child, names)
        (folder / f"part{number}.xsd").write_bytes(etree.tostring(root))
    for namespace, name in names.items():
        parts = [f"part{number}.xsd" for number, each in enumerate(schemas.documents) if each.namespace == namespace]
        _gathered(namespace, parts, folder / name)
    whole = extra if extra is not None else etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
    imported = set()
    for child in whole.iterchildren(f"{{{XSD}}}import"):
        _located(child, names)
        imported.add(child.get("namespace"))
    for namespace, name in names.items():
        if namespace not in imported:
            kind, attributes = ("import", {"namespace": namespace}) if namespace else ("include", {})
            whole.insert(0, etree.Element(f"{{{XSD}}}{kind}", {**attributes, "schemaLocation": name}))
    (folder / "all.xsd").write_bytes(etree.tostring(whole))


def _gathered(namespace: str, parts: list[str], file: Path) -> None:
    gathered = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
    if namespace:
        gathered.set("targetNamespace", namespace)
    for part in parts:
        etree.SubElement(gathered, f"{{{XSD}}}include", {"schemaLocation": part})
    file.write_bytes(etree.tostring(gathered))


def _located(child: etree._Element, names: dict[str, str]) -> None:
    name = names.get(child.get("namespace") or "")
    if name:
        child.set("schemaLocation", name)
    else:
        child.attrib.pop("schemaLocation", "")
