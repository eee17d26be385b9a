"""An OpenAPI 3 file looked through for a scaffold: its records, and the calls that answer and take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from samspil import openapi
from samspil.openapi import Contract, Operation, Schema
from samspil.scaffold.fields import Described, Kind, Record
from samspil.yamlfile import YamlFile


class Answered(NamedTuple):
    """A call whose answer has a record: ``place`` says where, ``many`` whether it is a list of them."""

    call: Operation
    place: str
    many: bool


class OpenApi:
    """An OpenAPI file. Raises SettingsError, with the line, if it is not version 3 or refers to another file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: YamlFile[Any] = YamlFile(path, Any)
        document = self._file.value
        version = document.get("openapi") if isinstance(document, dict) else None
        if not str(version or "").startswith("3."):
            older = isinstance(document, dict) and "swagger" in document
            was = "it is Swagger 2; convert it first" if older else "it does not begin with `openapi: 3.…`"
            raise self._file.error(f"is not OpenAPI 3: {was}", at="swagger" if older else "openapi")
        for at, reference in _references(document, ""):
            if not reference.startswith("#/"):
                raise self._file.error(
                    "refers to another file, which is not fetched; put everything into one file ($ref: '#/…')", at=at
                )
            if _at(document, reference) is None:
                raise self._file.error("refers to what is not in the file", at=at)
        self.contract = Contract(path)
        self._document: Mapping[str, Any] = document
        if not self.contract.calls:
            raise self._file.error("has no calls", at="paths")
        self.calls = [found for call in self.contract.calls if (found := self.contract.operation(*call.split(" ", 1)))]

    @property
    def title(self) -> str:
        info = self._document.get("info")
        return str(info.get("title") or "") if isinstance(info, dict) else ""

    @property
    def records(self) -> list[str]:
        """The components that are carried by calls as records: those in lists first."""
        found = {name: self.answering(name) for name in self.contract.components if self._is_object(name)}
        lists = [name for name, calls in found.items() if any(one.many for one in calls)]
        return lists + [name for name, calls in found.items() if calls and name not in lists]

    def record(self, name: str) -> Record:
        """A component's fields."""
        schema = self.contract.component(name)
        described = dict(self._described(schema, ""))
        fields = openapi.fields(self.path, name)
        return Record(
            name,
            {path: described.get(path, Described())._replace(required=one.required) for path, one in fields.items()},
        )

    def answering(self, component: str) -> list[Answered]:
        """The calls that read a component, with the place of it in their answer."""
        wanted = self.contract.component(component)
        found: list[Answered] = []
        for call in self.calls:
            if call.method == "GET" and call.answer is not None:
                places = self._places(call.answer, wanted, "", 3)
                found += [Answered(call, place, many) for place, many in places]
        return found

    def taking(self, component: str) -> list[Operation]:
        """The calls that send a component as it is."""
        wanted = self.contract.component(component)
        return [call for call in self.calls if call.body is not None and call.body == wanted]

    def schemes(self) -> list[Mapping[str, Any]]:
        """The ways to log in that the file names."""
        components = self._document.get("components")
        named = components.get("securitySchemes", {}) if isinstance(components, dict) else {}
        return [self.contract.resolved(one) for one in named.values() if isinstance(one, dict)]

    def links(self, call: Operation) -> bool:
        """Whether the answer of a call has the header Link."""
        raw = self._document["paths"][call.path][call.method.lower()]
        responses = raw.get("responses", {})
        found = [self.contract.resolved(one) for status, one in responses.items() if str(status).startswith("2")]
        return any(str(name).lower() == "link" for one in found for name in one.get("headers", {}))

    def refusal(self, call: Operation) -> Schema | None:
        """What the first status 4xx that the contract has for a call says, None if it says nothing."""
        responses = self._document["paths"][call.path][call.method.lower()].get("responses", {})
        told = [self.contract.resolved(one) for status, one in responses.items() if str(status).startswith("4")]
        found = [
            media.get("schema") for one in told for name, media in one.get("content", {}).items() if "json" in name
        ]
        return next((self.contract.resolved(one) for one in found if isinstance(one, dict)), None)

    def _is_object(self, name: str) -> bool:
        return bool(self.contract.object(self.contract.component(name))[0])

    def _places(self, schema: Schema, wanted: Schema, at: str, deep: int) -> Iterator[tuple[str, bool]]:
        if schema == wanted:
            yield at, False
        elif "items" in schema:
            if self.contract.resolved(schema["items"]) == wanted:
                yield at, True
        elif deep:
            for name, inner in self.contract.object(schema)[0].items():
                below = self.contract.resolved(inner)
                yield from self._places(below, wanted, f"{at}.{name}" if at else name, deep - 1)

    def _described(self, schema: Schema, at: str) -> Iterator[tuple[str, Described]]:
        for name, inner in self.contract.object(schema)[0].items():
            path, below = f"{at}.{name}" if at else name, self.contract.resolved(inner)
            while "items" in below:
                path, below = f"{path}[]", self.contract.resolved(below["items"])
            codes = tuple(one for one in below.get("enum", ()) if isinstance(one, str | int))
            yield path, Described(kind=_kind(below), codes=codes)
            if "properties" in below or "allOf" in below:
                yield from self._described(below, path)


def _kind(schema: Schema) -> Kind:
    kinds: dict[str, Kind] = {"integer": "integer", "number": "number", "boolean": "boolean", "object": "object"}
    formats: dict[str, Kind] = {"date": "date", "date-time": "moment", "byte": "binary"}
    told = schema.get("type", "object" if "properties" in schema else "string")
    told = next((one for one in told if one != "null"), "string") if isinstance(told, list) else str(told)
    return kinds.get(told) or formats.get(str(schema.get("format")), "text")


def _references(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{at}.{name}" if at else str(name)
            if name == "$ref" and isinstance(inner, str):
                yield path, inner
            elif name not in ("example", "examples"):
                yield from _references(inner, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _references(inner, f"{at}[{number}]")


def _at(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        document = document.get(name) if isinstance(document, dict) else None
    return document
