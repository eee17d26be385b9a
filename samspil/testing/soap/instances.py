"""Messages made from a schema alone: every element that must be there, each with a value that fits.

What a sandbox answers where nothing else is known of the system yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from samspil.declared.soap.documents import XSD
from samspil.declared.soap.schemas import Element
from samspil.testing.sampled import sampled

_PLAIN = {
    "boolean": "false",
    "date": "2026-10-30",
    "dateTime": "2026-10-30T12:00:00+01:00",
    "time": "12:00:00",
    "gYear": "2031",
    "gYearMonth": "2031-01",
    "duration": "P1D",
    "base64Binary": "RWtzZW1wZWw=",
    "hexBinary": "00",
    "anyURI": "urn:eksempel",
}
_TEXTS = ("string", "normalizedString", "token", "anyType", "anySimpleType", "Name", "NCName", "ID", "language")


def instance(element: Element, given: Mapping[str, Any] | None = None, at: str = "") -> dict[str, Any]:
    """An element's content as nested dicts. ``given`` has values by dotted path, a list where one repeats.

    Given values are put in though nothing requires them; what contains itself ends where nothing requires it.
    """
    given = given or {}
    made: dict[str, Any] = {}
    for name, child in element.children.items():
        path = f"{at}{name}"
        if path in given:
            made[name] = given[path]
            continue
        inside = any(other.startswith(f"{path}.") for other in given)
        if child.required or child.chosen or inside:
            value = instance(child, given, f"{path}.") if child.children else example(child)
            made[name] = [value] if child.many else value
    return made


def example(element: Element) -> str:
    """A text that fits a leaf's type, as far as its facets tell."""
    facets: dict[str, str] = {}
    definition, builtin = element.schemas.type_of(element.definition)
    while definition is not None:
        step = next(
            definition.iter(*(f"{{{XSD}}}{name}" for name in ("restriction", "extension", "list", "union"))), None
        )
        if step is None:
            return ""
        for facet in step.iterchildren(f"{{{XSD}}}*"):
            if value := facet.get("value"):
                facets.setdefault(etree.QName(facet).localname, value)
        base = step.get("base") or step.get("itemType") or (step.get("memberTypes") or "").partition(" ")[0]
        if not base:
            break
        definition, builtin = element.schemas.typed(step, base)
    return _fitting(builtin, facets)


def _fitting(builtin: str, facets: Mapping[str, str]) -> str:
    if "enumeration" in facets:
        return facets["enumeration"]
    if "pattern" in facets:
        return sampled(facets["pattern"])
    if builtin in _TEXTS:
        least = int(facets.get("minLength") or facets.get("length") or 0)
        most = int(facets.get("maxLength") or facets.get("length") or 1_000)
        return "Eksempel".ljust(least, "x")[:most]
    if builtin in _PLAIN:
        return _PLAIN[builtin]
    least_number = facets.get("minInclusive") or facets.get("maxInclusive")
    if least_number is not None:
        return least_number
    return "1"
