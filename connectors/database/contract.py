"""The reporting database's contract, read from ``tables.yaml``: its tables and, for mappings, their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import JSON, Boolean, Column, Date, MetaData, Numeric, Table, Text
from sqlalchemy.types import TypeEngine

from samspil.connector import Field
from samspil.yamlfile import YamlFile

_TYPES: Mapping[str, type[TypeEngine[Any]]] = {"text": Text, "date": Date, "decimal": Numeric, "boolean": Boolean}

metadata = MetaData()


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: str
    columns: dict[str, str | list[Any]]


@cache
def _contract() -> Mapping[str, _Table]:
    return YamlFile(Path(__file__).with_name("tables.yaml"), dict[str, _Table]).value


@cache
def fields(schema: str) -> Mapping[str, Field]:
    """Every field of a row by dotted path, lists marked ``[]``."""
    return dict(_paths(_contract()[schema].columns, ""))


@cache
def table(schema: str) -> Table:
    """The table that holds a schema's records; its key is the sender's id."""
    told = _contract()[schema]
    columns = [
        Column(
            name,
            JSON() if isinstance(kind, list) else _TYPES[kind.rstrip("!")](),
            primary_key=name == "id",
            nullable=not (isinstance(kind, str) and kind.endswith("!")),
        )
        for name, kind in told.columns.items()
    ]
    return Table(told.table, metadata, *columns)


def schemas() -> tuple[str, ...]:
    """The schemas there is a table for."""
    return tuple(_contract())


def _paths(columns: Mapping[str, Any], before: str) -> Iterator[tuple[str, Field]]:
    for name, kind in columns.items():
        if isinstance(kind, list):
            yield from _paths(kind[0], f"{before}{name}[].")
        else:
            yield before + name, Field(required=kind.endswith("!"))
