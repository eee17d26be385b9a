"""The elements that a WSDL's schemas describe, found lazily: a vendor's types may be large and contain themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from samspil.declared.soap.documents import XSD, Document, line
from samspil.elements import Kind, Node
from samspil.errors import SettingsError

_KINDS: dict[str, Kind] = {  # of the built-in types; the others are tokens
    **dict.fromkeys(("string", "normalizedString", "token", "language", "Name", "NCName", "anyType"), "text"),
    **dict.fromkeys(("date", "dateTime", "time"), "date"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte"), "integer"),
    **dict.fromkeys(("nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"), "integer"),
    **dict.fromkeys(("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"), "integer"),
    "boolean": "boolean",
}
_GROUPS = ("sequence", "all", "choice", "group")


class Place(NamedTuple):
    """How an element stands in another. ``chosen``: it is the first of several of which one must be there."""

    required: bool = True
    many: bool = False
    chosen: bool = False


ALONE = Place()


class Schemas:
    """All schema documents of a WSDL, with what they declare by kind and name."""

    def __init__(self, found: Sequence[Document]) -> None:
        self.documents = found
        self._globals: dict[tuple[str, str], etree._Element] = {}
        self._of: dict[etree._Element, Document] = {}
        for document in found:
            self._of[document.root] = document
            for child in document.root.iterchildren(f"{{{XSD}}}*"):
                if name := child.get("name"):
                    kind = etree.QName(child).localname
                    self._globals.setdefault((kind, f"{{{document.namespace}}}{name}"), child)

    def element(self, tag: str) -> Element | None:
        """A global element by ``{namespace}name``."""
        found = self._globals.get(("element", tag))
        return None if found is None else Element(self, found)

    def elements(self, name: str) -> list[Element]:
        """The global elements of this local name, in any namespace; of this one if it is written ``{namespace}name``."""
        return [
            Element(self, found)
            for (kind, tag), found in self._globals.items()
            if kind == "element" and name in (tag, tag.rpartition("}")[2])
        ]

    @property
    def roots(self) -> list[Element]:
        """Every global element."""
        return [Element(self, found) for (kind, _), found in self._globals.items() if kind == "element"]

    def declared(self, document: Document, like: etree._Element) -> etree._Element | None:
        """What a document declares with the kind and name of an element that was copied from it."""
        return self._globals.get((etree.QName(like).localname, f"{{{document.namespace}}}{like.get('name')}"))

    def document(self, definition: etree._Element) -> Document:
        """The schema document that a definition stands in."""
        while definition.getparent() is not None and definition not in self._of:
            definition = definition.getparent()  # type: ignore[assignment]  # it was looked at in the condition
        return self._of[definition]

    def named(self, kind: str, definition: etree._Element, name: str) -> etree._Element | None:
        """What a definition refers to by a QName; None for a type that is built in."""
        tag = self.tag(definition, name)
        if tag.startswith(f"{{{XSD}}}"):
            return None
        found = self._globals.get((kind, tag))
        if found is None:
            raise SettingsError(
                f"there is no such {kind}",
                file=str(self.document(definition).file),
                line=line(definition),
                field=name,
            )
        return found

    def tag(self, definition: etree._Element, name: str) -> str:
        """A QName as ``{namespace}name``."""
        prefix, _, local = name.rpartition(":")
        uri = definition.nsmap.get(prefix or None)
        if uri is None:
            uri = "" if prefix else self.document(definition).namespace
        return f"{{{uri}}}{local}"

    def type_of(self, definition: etree._Element) -> tuple[etree._Element | None, str]:
        """An element's type: its definition, or None and the name of a built-in one."""
        for tag in ("complexType", "simpleType"):
            inline = definition.find(f"{{{XSD}}}{tag}")
            if inline is not None:
                return inline, ""
        name = definition.get("type")
        if name is None:
            return None, "anyType"
        return self.typed(definition, name)

    def typed(self, definition: etree._Element, name: str) -> tuple[etree._Element | None, str]:
        """A named type: its definition, or None and the name of a built-in one."""
        tag = self.tag(definition, name)
        if tag.startswith(f"{{{XSD}}}"):
            return None, tag.rpartition("}")[2]
        for kind in ("complexType", "simpleType"):
            if (found := self._globals.get((kind, tag))) is not None:
                return found, ""
        return self.named("type", definition, name), ""

    def particles(self, parent: etree._Element, place: Place = ALONE) -> Iterator[tuple[etree._Element, Place]]:
        """The element definitions within a type or group, in order."""
        first = place.chosen
        for child in parent.iterchildren(f"{{{XSD}}}*"):
            kind = etree.QName(child).localname
            must = child.get("minOccurs", "1") != "0"
            more = place.many or child.get("maxOccurs", "1") not in ("0", "1")
            here = Place(place.required and must, more, first and must)
            if kind == "element":
                yield child, here
                first = False
            elif kind in ("complexContent", "extension", "restriction"):
                base = child.get("base")
                if kind == "extension" and base and (above := self.typed(child, base)[0]) is not None:
                    yield from self.particles(above, place)
                yield from self.particles(child, place)
            elif kind in _GROUPS:
                ref = child.get("ref")
                group = self.named("group", child, ref) if ref else child
                if group is not None:
                    chosen = kind == "choice" and must and (place.required or first)
                    yield from self.particles(
                        group, Place(here.required and kind != "choice", more, chosen or here.chosen)
                    )
                first = False


class Element:
    """An element as a schema declares it, at one place in a message."""

    def __init__(self, schemas: Schemas, used: etree._Element, place: Place = ALONE) -> None:
        self.schemas = schemas
        self.required, self.many, self.chosen = place
        ref = used.get("ref")
        found = schemas.named("element", used, ref) if ref else used
        if found is None:
            raise SettingsError("refers to a part of XML Schema itself", field=str(ref))
        self.definition = found
        self.name = found.get("name") or ""
        document = schemas.document(found)
        self.file: Path = document.file
        self.is_global = found.getparent() is document.root
        form = found.get("form") or document.root.get("elementFormDefault", "unqualified")
        self.namespace = document.namespace if self.is_global or form == "qualified" else ""

    @property
    def tag(self) -> str:
        """As in a parsed document."""
        return f"{{{self.namespace}}}{self.name}" if self.namespace else self.name

    @cached_property
    def children(self) -> dict[str, Element]:
        """The elements that may stand in it, by local name, in the schema's order."""
        kind, _ = self.schemas.type_of(self.definition)
        found: dict[str, Element] = {}
        for used, place in () if kind is None else self.schemas.particles(kind):
            child = Element(self.schemas, used, place)
            if child.name in found:  # stands there twice
                child = Element(self.schemas, used, Place(required=False, many=True))
            found[child.name] = child
        return found

    def find(self, path: str) -> Element | None:
        """What stands at a dotted path of local names below it."""
        element: Element | None = self
        for step in path.split("."):
            element = element.children.get(step.removesuffix("[]")) if element else None
        return element

    def below(self, name: str) -> list[tuple[str, Element]]:
        """Every element of this local name below it, with its path; nothing is looked for inside a find."""
        found: list[tuple[str, Element]] = []
        waiting: list[tuple[str, Element, tuple[etree._Element, ...]]] = [("", self, (self.definition,))]
        while waiting:
            at, element, above = waiting.pop(0)
            for child in element.children.values():
                if child.name == name:
                    found.append((f"{at}{name}", child))
                elif child.definition not in above:
                    waiting.append((f"{at}{child.name}.", child, (*above, child.definition)))
        return found

    def node(self, above: tuple[etree._Element, ...] = ()) -> Node:
        """It and everything below it as a tree. Raises SettingsError if it contains itself."""
        if self.definition in above:
            raise SettingsError(
                "contains itself, which a record cannot",
                file=str(self.file),
                line=line(self.definition),
                field=self.name,
            )
        children = [child.node((*above, self.definition)) for child in self.children.values()]
        return Node(
            tag=self.tag,
            name=self.name,
            required=self.required,
            many=self.many,
            nillable=self.definition.get("nillable") in ("true", "1"),
            kind=_KINDS.get(self.type_name, "token"),
            children={child.tag: child for child in children},
        )

    def same(self, other: Element) -> bool:
        """Whether both have one name and one type."""
        if self.tag != other.tag:
            return False
        mine, yours = self.schemas.type_of(self.definition), other.schemas.type_of(other.definition)
        return mine[0] is yours[0] and mine[1] == yours[1]

    @property
    def type_name(self) -> str:
        """The built-in type that its type comes down to; empty for a list or a union."""
        definition, builtin = self.schemas.type_of(self.definition)
        while definition is not None:
            step = next(definition.iter(f"{{{XSD}}}restriction", f"{{{XSD}}}extension"), None)
            base = None if step is None else step.get("base")
            if step is None or base is None:
                return ""
            definition, builtin = self.schemas.typed(step, base)
        return builtin
