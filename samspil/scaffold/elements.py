"""The elements of a WSDL's messages, looked through for a scaffold."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from samspil.declared.soap.documents import XSD
from samspil.declared.soap.schemas import Element
from samspil.scaffold.fields import Kind

ROOM = 40  # characters that a key of ours may need


def inner(element: Element, at: str = "", above: tuple[etree._Element, ...] = ()) -> Iterator[tuple[str, Element]]:
    """Every element below, with its path; nothing below itself."""
    for name, child in element.children.items():
        yield f"{at}{name}", child
        if child.definition not in above:
            yield from inner(child, f"{at}{name}.", (*above, child.definition))


def needed(element: Element, at: str = "") -> Iterator[str]:
    """The leaves that must be there."""
    for name, child in element.children.items():
        if child.required and not child.many:
            if child.children:
                yield from needed(child, f"{at}{name}.")
            else:
                yield f"{at}{name}"


def leaves(element: Element) -> Iterator[tuple[str, Element]]:
    """The elements below that hold a value, with their paths."""
    return ((path, child) for path, child in inner(element) if not child.children)


def described(element: Element, path: str) -> tuple[Kind, tuple[str, ...]]:
    """How a field comes to a mapping, and its codes."""
    leaf = element.find(path)
    if leaf is None or leaf.children:
        return "object", ()
    kinds: dict[str, Kind] = {"date": "date", "dateTime": "moment", "boolean": "boolean", "base64Binary": "binary"}
    kind: Kind = "integer" if leaf.node().kind == "integer" else kinds.get(leaf.type_name, "text")
    definition, _ = leaf.schemas.type_of(leaf.definition)
    while definition is not None:
        codes = [one.get("value") or "" for one in definition.iter(f"{{{XSD}}}enumeration")]
        step = definition.find(f"{{{XSD}}}restriction")
        base = None if step is None else step.get("base")
        if codes or step is None or base is None:
            return kind, tuple(codes)
        definition, _ = leaf.schemas.typed(step, base)
    return kind, ()


def is_free(leaf: Element) -> bool:
    """Whether any short text fits."""
    definition, builtin = leaf.schemas.type_of(leaf.definition)
    while definition is not None:
        facets = {etree.QName(one).localname: one.get("value") or "" for one in definition.iter(f"{{{XSD}}}*")}
        step = definition.find(f"{{{XSD}}}restriction")
        base = None if step is None else step.get("base")
        if (
            base is None
            or {"pattern", "enumeration", "length"} & set(facets)
            or int(facets.get("maxLength", "99")) < ROOM
        ):
            return False
        definition, builtin = leaf.schemas.typed(definition, base)
    return builtin in ("string", "token", "normalizedString") and not leaf.many
