"""Messages made from a schema alone: every element that must be there, each with a value that fits.

What a sandbox answers where nothing else is known of the system yet.
"""

from __future__ import annotations

import re
import re._parser as regular  # type: ignore[import-not-found]  # Python has no public parser of regular expressions
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from samspil.declared.soap.documents import XSD
from samspil.declared.soap.schemas import Element

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


def sampled(pattern: str) -> str:
    """The simplest text that a regular expression matches as a whole."""
    return "".join(_sample(regular.parse(_translated(pattern))))


def _translated(pattern: str) -> str:
    """An XML Schema expression as Python's: the classes of name characters are its own."""
    return re.sub(r"\\[icIC]", lambda match: {"i": "[A-Za-z]", "c": "[A-Za-z0-9]"}.get(match[0][1], "[-]"), pattern)


def _sample(parsed: Any) -> Iterator[str]:
    """The simplest text that an expression matches."""
    for kind, value in parsed:
        name = str(kind)
        if name == "LITERAL":
            yield chr(value)
        elif name == "IN":
            yield _one(value)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            for _ in range(value[0]):
                yield from _sample(value[2])
        elif name == "SUBPATTERN":
            yield from _sample(value[3])
        elif name == "BRANCH":
            yield from _sample(value[1][0])
        elif name in ("ANY", "NOT_LITERAL", "CATEGORY"):
            yield "a"


def _one(members: Any) -> str:
    kind, value = members[0]
    if str(kind) == "RANGE":
        return chr(value[0])
    if str(kind) == "LITERAL":
        return chr(value)
    return "0" if str(value) == "CATEGORY_DIGIT" else "a"
