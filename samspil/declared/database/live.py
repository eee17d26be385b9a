"""The declaration compared with the table there really is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import NoSuchTableError

from samspil.declared.database.columns import KINDS, ZONELESS
from samspil.declared.database.declaration import DeclaredTable
from samspil.errors import SettingsError


def require(connection: Connection, declared: DeclaredTable, *, system: str) -> None:
    """Raise SettingsError naming table and column that are missing or other than the declaration says.

    A table to be written needs a unique key, and no column of its own that must have a value we do not give.
    """
    inspector = inspect(connection)
    table = declared.table
    try:
        found = {each["name"]: each for each in inspector.get_columns(table.name, schema=table.schema)}
    except NoSuchTableError:
        raise _drift("the table is missing", declared, "", system) from None
    dialect = connection.dialect.name
    for name, kind in declared.kinds_beside.items():
        if name not in found:
            raise _drift("the column is missing", declared, name, system)
        live = found[name]["type"]
        fits = isinstance(live, KINDS[kind].fits) or (kind == "list" and dialect == "sqlite")
        if not fits:
            raise _drift(f"the column is {live!r}, not {kind}", declared, name, system)
        if kind == "timestamp" and dialect not in ZONELESS and not getattr(live, "timezone", False):
            raise _drift("the column has no time zone: nobody can tell which moment it means", declared, name, system)
    if declared.writes is not None:
        _require_writable(inspector, declared, found.values(), system)


def _require_writable(
    inspector: Inspector, declared: DeclaredTable, found: Iterable[ReflectedColumn], system: str
) -> None:
    for live in found:
        given = live.get("default") is not None or live.get("identity") or live.get("autoincrement") is True
        if live["name"] not in declared.kinds and not live["nullable"] and not given:
            raise _drift("the column must have a value and the declaration has none", declared, live["name"], system)
    table = declared.table
    unique = [inspector.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"]]
    unique += [each["column_names"] for each in inspector.get_unique_constraints(table.name, schema=table.schema)]
    unique += [
        [name for name in each["column_names"] if name]
        for each in inspector.get_indexes(table.name, schema=table.schema)
        if each["unique"]
    ]
    if set(declared.told.keys) not in [set(each) for each in unique]:
        raise _drift("the key is neither the primary key nor unique", declared, ", ".join(declared.told.keys), system)


def _drift(message: str, declared: DeclaredTable, column: str, system: str) -> SettingsError:
    field = ".".join(filter(None, (declared.told.record, column)))
    return SettingsError(f"{message} (connection {system})", field=field, reason="contract-drift")
