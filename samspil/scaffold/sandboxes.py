"""Sandboxes that say facts by the connector's mapping read backwards, or by example while there is none.

That needs no hand, and shares the mapping's mistakes: a sandbox that says a fact in words written by hand (``renders``)
finds a field that is mapped to the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from samspil import mapping, openapi, registry
from samspil.connector import Field
from samspil.declared.drop.declaration import Declared as Files
from samspil.declared.rest.declaration import Declared
from samspil.errors import Refused, SettingsError
from samspil.mapping.mapping import FOLDER
from samspil.scaffold.terms import plain
from samspil.testing.drop import DropSandbox
from samspil.testing.facts import Fact
from samspil.testing.rest import RestSandbox
from samspil.testing.rest.example import Example

Say = Callable[[Fact], dict[str, Any]]


class MappedRestSandbox(RestSandbox):
    """See ``RestSandbox``. What ``renders`` does not say is said by the mapping."""

    mappings: ClassVar[Path] = FOLDER

    def _render(self, schema: str, declared: Declared) -> Say:
        if schema in self.renders:
            return self.renders[schema]
        fields = openapi.fields(self.contract.path, declared.record)
        example = Example(self.contract, declared.record, declared.key)
        return said(self.folder.name, schema, fields, example, self.mappings)


class MappedDropSandbox(DropSandbox):
    """See ``DropSandbox``. What ``renders`` does not say is said by the mapping."""

    mappings: ClassVar[Path] = FOLDER

    def _render(self, schema: str, declared: Files) -> Say:
        if schema in self.renders:
            return self.renders[schema]
        kind = declared.read_kind

        def example(fact: Fact) -> dict[str, Any]:
            numbers = {name: fact["cpr"] for name in kind.names if "cpr" in plain(name) and "cpr" in fact}
            return {**dict.fromkeys(kind.names, "Eksempel"), **numbers, **dict.fromkeys(kind.keys, fact["id"])}

        say = said(self.folder.name, schema, kind.fields(), example, self.mappings)
        return lambda fact: {**dict.fromkeys(kind.names), **say(fact)}


def said(name: str, schema: str, fields: Mapping[str, Field], example: Say, mappings: Path) -> Say:
    """How a fact is said: by the mapping, or by ``example`` where it has open decisions or cannot carry the fact.

    A required field that the mapping loses, since nobody here needs it, is taken from the example.
    """
    struct = registry.schema(schema)
    loose = dict.fromkeys(fields, Field(required=False))  # a mapping that only reads may lose what they require
    try:
        loaded = mapping.load(name, schema, fields=loose, struct=struct, folder=mappings, directions=("to_theirs",))
        to_theirs = loaded.to_theirs(
            [node.path.removesuffix("[]") for node in loaded.resolution.ours.children.values()]
        )
    except SettingsError:
        return example
    lost = [node.path for side, node, _ in loaded.resolution.lost if side == "theirs" and "[]" not in node.path]
    required = [path for path in lost if path in fields and fields[path].required]

    def say(fact: Fact) -> dict[str, Any]:
        try:
            record = to_theirs(msgspec.convert(fact, struct))
        except Refused:
            return example(fact)
        sample = example(fact) if required else {}
        for path in required:
            _put(record, path, _got(sample, path))
        return record

    return say


def _got(record: Any, path: str) -> Any:
    for step in path.split("."):
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _put(record: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for step in above:
        record = record.setdefault(step, {})
    record[last] = value
