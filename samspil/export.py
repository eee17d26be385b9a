"""Shared schemas as JSON Schema (draft 2020-12), for partners who do not read Python.

What JSON Schema has no word for stands in keys that begin with ``x-``: the Danish term, unit, sensitivity, source,
code list with its dated codes, and whether address protection hides the field. A Decimal is a string, bytes are
base64, as msgspec writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from samspil import codes, registry

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:samspil:schema:"


def json_schema(name: str, folder: Path = codes.FOLDER) -> dict[str, Any]:
    """The schema ``name`` as JSON Schema, the same each time. ``folder`` has the code lists.

    Raises SettingsError for a name that is none, or a code list that is wrong.
    """
    struct = registry.schema(name)
    document = msgspec.json.schema(struct)
    for part in structs(struct):
        properties = document["$defs"][part.cls.__name__]["properties"]
        for field in part.fields:
            properties[field.encode_name] |= _x(facts(field), folder)
    return {"$schema": DRAFT, "$id": f"{ID}{name}", "x-name": name, **document}


def structs(struct: type) -> list[inspect.StructType]:
    """The struct and those nested in it, each once, in the order of their fields."""
    found: dict[type, inspect.StructType] = {}
    for part in _structs(inspect.type_info(struct)):
        found.setdefault(part.cls, part)
    return list(found.values())


def facts(field: inspect.Field) -> dict[str, Any]:
    """What the schema says of a field beyond its type: da, unit, sensitivity, source and so on."""
    kind = field.type
    return dict(kind.extra or {}) if isinstance(kind, inspect.Metadata) else {}


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    if isinstance(kind, inspect.Metadata):
        yield from _structs(kind.type)
    elif isinstance(kind, inspect.StructType):
        yield kind
        for field in kind.fields:
            yield from _structs(field.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _structs(one)
    elif isinstance(kind, inspect.ListType):
        yield from _structs(kind.item_type)


def _x(known: dict[str, Any], folder: Path) -> dict[str, Any]:
    keys = {f"x-{key.replace('_', '-')}": value for key, value in known.items() if value is not None}
    if "code_list" in known:
        keys["x-codes"] = [msgspec.to_builtins(code._asdict()) for code in codes.load(known["code_list"], folder).codes]
    return keys
