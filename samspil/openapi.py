"""A contract in OpenAPI 3 (YAML or JSON): the fields of its records, and what its calls take and answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from samspil.connector import Field
from samspil.yamlfile import YamlFile

DEEPEST = 20  # levels; a contract that goes deeper refers to itself
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Schema = Mapping[str, Any]


@cache
def fields(contract: Path, component: str) -> Mapping[str, Field]:
    """Every field of ``#/components/schemas/<component>``: dotted paths, ``[]`` after a list, containers included.

    Understands ``properties``, ``required``, ``items``, ``allOf`` and ``$ref`` within the file; a record described
    otherwise, or a component that is not there, raises SettingsError.
    """
    document = YamlFile(contract, dict[str, Any])  # JSON is YAML too
    return MappingProxyType(dict(_walk(document, {"$ref": f"#/components/schemas/{component}"}, "", DEEPEST)))


class Parameter(NamedTuple):
    """One parameter of a call. ``place`` is path, query or header; a header's ``name`` is in lower case."""

    name: str
    place: str
    required: bool
    schema: Schema


class Operation(NamedTuple):
    """One call of a contract. ``body`` and ``answer`` (its first 2xx) are JSON schemas, None where it has none."""

    method: str
    path: str
    line: int
    parameters: tuple[Parameter, ...]
    body: Schema | None
    answer: Schema | None
    statuses: frozenset[str]

    def parameter(self, name: str, place: str) -> Parameter | None:
        """The parameter of this name, None if the call has none."""
        wanted = name.lower() if place == "header" else name
        return next((one for one in self.parameters if (one.name, one.place) == (wanted, place)), None)


class Contract:
    """A contract, to ask what it has. Raises SettingsError if the file cannot be read or a reference leads nowhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._document = YamlFile(path, dict[str, Any])

    @property
    def components(self) -> list[str]:
        """The names of the records it describes."""
        return sorted(_map(_map(self._document.value.get("components")).get("schemas")))

    @property
    def calls(self) -> list[str]:
        """Every call as method and path."""
        return [
            f"{method} {path}"
            for path, item in _map(self._document.value.get("paths")).items()
            for method in METHODS
            if method.lower() in _map(item)
        ]

    def component(self, name: str) -> Schema:
        """A record's schema."""
        return self.resolved({"$ref": f"#/components/schemas/{name}"})

    def operation(self, method: str, path: str) -> Operation | None:
        """One call, by its path as the contract spells it; None if it has no such call."""
        item = _map(_map(self._document.value.get("paths")).get(path))
        call = item.get(method.lower())
        if not isinstance(call, dict):
            return None
        parameters: dict[tuple[str, str], Parameter] = {}
        for spelled in [*_list(item.get("parameters")), *_list(call.get("parameters"))]:
            one = self.resolved(_map(spelled))
            place, name = str(one.get("in", "")), str(one.get("name", ""))
            if place == "header":
                name = name.lower()
            schema = self.resolved(_map(one.get("schema")))
            parameters[name, place] = Parameter(name, place, bool(one.get("required", False)), schema)
        responses = {str(status): self.resolved(_map(one)) for status, one in _map(call.get("responses")).items()}
        good = next((one for status, one in sorted(responses.items()) if status[:1] == "2" and _json(one)), {})
        return Operation(
            method,
            path,
            self._document.line(f"paths.{path}.{method.lower()}"),
            tuple(parameters.values()),
            self._content(self.resolved(_map(call.get("requestBody")))),
            self._content(good),
            frozenset(responses),
        )

    def resolved(self, schema: Schema) -> Schema:
        """What a ``$ref`` leads to; anything else as it is."""
        return _resolved(self._document, schema, DEEPEST)

    def object(self, schema: Schema) -> tuple[dict[str, Any], set[str]]:
        """The properties and the required names of an object, those of ``allOf`` included."""
        return _object(self._document, schema, DEEPEST)

    def within(self, schema: Schema | None, path: str) -> Schema | None:
        """The schema at a dotted path below another; None if there is nothing."""
        for step in path.split(".") if path else ():
            inner = self.object(schema)[0].get(step) if schema is not None else None
            schema = self.resolved(inner) if isinstance(inner, dict) else None
        return schema

    def _content(self, holder: Schema) -> Schema | None:
        found = _json(holder)
        return self.resolved(_map(found["schema"])) if found and "schema" in found else None


def _json(holder: Schema) -> dict[str, Any]:
    """The JSON one of the media types of a body or an answer."""
    contents = _map(holder.get("content"))
    return next((_map(one) for kind, one in contents.items() if "json" in str(kind).lower()), {})


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _walk(document: YamlFile[dict[str, Any]], schema: Schema, at: str, deep: int) -> Iterator[tuple[str, Field]]:
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


def _object(document: YamlFile[dict[str, Any]], schema: Schema, deep: int) -> tuple[dict[str, Any], set[str]]:
    """The properties and the required names of an object, those of ``allOf`` included."""
    resolved = _resolved(document, schema, deep)
    properties: dict[str, Any] = dict(resolved.get("properties", {}))
    required = set(resolved.get("required", ()))
    for part in resolved.get("allOf", ()):
        more, needed = _object(document, part, deep - 1)
        properties |= more
        required |= needed
    return properties, required


def _resolved(document: YamlFile[dict[str, Any]], schema: Schema, deep: int) -> Schema:
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
