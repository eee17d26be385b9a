"""The fields of a record, from a contract in OpenAPI 3 (YAML or JSON)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from samspil.connector import Field
from samspil.yamlfile import YamlFile

DEEPEST = 20  # levels; a contract that goes deeper refers to itself


@cache
def fields(contract: Path, component: str) -> Mapping[str, Field]:
    """Every field of ``#/components/schemas/<component>``: dotted paths, ``[]`` after a list, containers included.

    Understands ``properties``, ``required``, ``items``, ``allOf`` and ``$ref`` within the file; a record described
    otherwise, or a component that is not there, raises SettingsError.
    """
    document = YamlFile(contract, dict[str, Any])  # JSON is YAML too
    return MappingProxyType(dict(_walk(document, {"$ref": f"#/components/schemas/{component}"}, "", DEEPEST)))


def _walk(
    document: YamlFile[dict[str, Any]], schema: Mapping[str, Any], at: str, deep: int
) -> Iterator[tuple[str, Field]]:
    properties, required = _object(document, schema, deep)
    for name, inner in properties.items():
        path = f"{at}.{name}" if at else name
        below = _resolved(document, inner, deep)
        while "items" in below:
            path += "[]"
            below = _resolved(document, below["items"], deep)
        yield path, Field(required=name in required)
        if "properties" in below or "allOf" in below:
            yield from _walk(document, below, path, deep - 1)


def _object(
    document: YamlFile[dict[str, Any]], schema: Mapping[str, Any], deep: int
) -> tuple[dict[str, Any], set[str]]:
    """The properties and the required names of an object, those of ``allOf`` included."""
    resolved = _resolved(document, schema, deep)
    properties: dict[str, Any] = dict(resolved.get("properties", {}))
    required = set(resolved.get("required", ()))
    for part in resolved.get("allOf", ()):
        more, needed = _object(document, part, deep - 1)
        properties |= more
        required |= needed
    return properties, required


def _resolved(document: YamlFile[dict[str, Any]], schema: Mapping[str, Any], deep: int) -> Mapping[str, Any]:
    if deep <= 0:
        raise document.error("a schema refers to itself")
    if "$ref" not in schema:
        return schema
    reference = str(schema["$ref"])
    found: Any = document.value
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not reference.startswith("#/"):
        raise document.error(f"{reference} is not in the file")
    return _resolved(document, found, deep - 1)
