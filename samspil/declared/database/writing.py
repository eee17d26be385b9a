"""Bulk upserts by key: COPY and one statement on PostgreSQL, ON CONFLICT on SQLite, UPDATE or INSERT elsewhere.

Columns that the declaration does not name keep what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from samspil.declared.database.columns import KINDS, is_required
from samspil.declared.database.declaration import DeclaredTable
from samspil.errors import Refused
from samspil.store import bulk

_LOOKED_UP = 200  # keys in one statement

_FIELD = re.compile(r"field `(\w+)`|- at `\$\.([\w.]+)")

Values = dict[str, Any]


class Rows:
    """What a table's changes are decoded with."""

    def __init__(self, declared: DeclaredTable) -> None:
        self._declared = declared
        fields: list[Any] = []
        for name, told in declared.told.columns.items():
            kind = KINDS[declared.kinds[name]].python
            if name in declared.told.key or is_required(told):
                fields.append((name, kind))
            else:
                fields.append((name, kind, msgspec.Raw()) if kind is msgspec.Raw else (name, kind | None, None))
        keys = [(name, KINDS[declared.kinds[name]].python) for name in declared.told.key]
        self._row: Callable[[bytes], Any] = _decoder("Row", fields, closed=True)
        self._key: Callable[[bytes], Any] = _decoder("Key", keys, closed=False)

    def row(self, raw: bytes) -> Values:
        """A record's columns. Raises Refused naming the field that does not fit; never with its value."""
        values = _read(self._row, raw)
        for name, kind in self._declared.kinds.items():
            if kind == "list":
                values[name] = bytes(values[name]).decode() or None
        return values

    def key(self, raw: bytes) -> Values:
        """The key's columns alone, all that a deletion needs."""
        return _read(self._key, raw)

    def key_from(self, text: str) -> Values:
        """The key's columns from what ``key_of`` made of them."""
        names = self._declared.told.key
        parts = [text] if len(names) == 1 else msgspec.json.decode(text, type=list[Any])
        kinds = [KINDS[self._declared.kinds[name]].python for name in names]
        return {
            name: msgspec.convert(part, kind, strict=False)
            for name, part, kind in zip(names, parts, kinds, strict=True)
        }


def upsert(connection: Connection, declared: DeclaredTable, rows: Sequence[Values]) -> None:
    """Insert or update rows by their key, which is in no two of them."""
    ways = {"postgresql": _copy, "sqlite": _on_conflict}
    ways.get(connection.dialect.name, update_or_insert)(connection, declared, rows)


def remove(connection: Connection, declared: DeclaredTable, keys: Sequence[Values]) -> None:
    """Delete rows by key; those that are not there are none too many."""
    table = declared.table
    wanted = and_(*(table.c[name] == bindparam(f"b_{name}") for name in declared.told.key))
    connection.execute(delete(table).where(wanted), [_bound(key) for key in keys])


def _copy(connection: Connection, declared: DeclaredTable, rows: Sequence[Values]) -> None:
    names, target = declared.names, connection.dialect.identifier_preparer.format_table(declared.table)
    columns = ", ".join(f'"{name}"' for name in names)
    coming = f'"coming_{declared.table.name}"'
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {coming} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {target} WITH NO DATA"
    )
    bulk.copy_text(connection, coming, names, [[row[name] for name in names] for row in rows])
    others = [name for name in names if name not in declared.told.key]
    values = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    then = f"UPDATE SET {values}" if values else "NOTHING"
    key = ", ".join(f'"{name}"' for name in declared.told.key)
    connection.exec_driver_sql(
        f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {coming} ON CONFLICT ({key}) DO {then}"
    )


def _on_conflict(connection: Connection, declared: DeclaredTable, rows: Sequence[Values]) -> None:
    statement = sqlite.insert(declared.table)
    others = {name: statement.excluded[name] for name in declared.names if name not in declared.told.key}
    if others:
        statement = statement.on_conflict_do_update(index_elements=declared.told.key, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=declared.told.key)
    connection.execute(statement, _parsed(declared, rows))


def update_or_insert(connection: Connection, declared: DeclaredTable, rows: Sequence[Values]) -> None:
    """For any other dialect: look up which keys are there, then two bulk statements."""
    table, key = declared.table, declared.told.key
    there: set[tuple[Any, ...]] = set()
    for start in range(0, len(rows), _LOOKED_UP):
        some = rows[start : start + _LOOKED_UP]
        wanted = or_(*(_is_row(table.c, key, row) for row in some))
        there.update(map(tuple, connection.execute(select(*(table.c[name] for name in key)).where(wanted))))
    parsed = _parsed(declared, rows)
    old = [row for row in parsed if tuple(row[name] for name in key) in there]
    new = [row for row in parsed if tuple(row[name] for name in key) not in there]
    others = [name for name in declared.names if name not in key]
    if old and others:
        matching = and_(*(table.c[name] == bindparam(f"b_{name}") for name in key))
        values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in others}
        connection.execute(update(table).where(matching).values(values), [_bound(row) for row in old])
    if new:
        connection.execute(insert(table), new)


def _is_row(columns: Any, key: Sequence[str], row: Values) -> ColumnElement[bool]:
    return and_(*(columns[name] == row[name] for name in key))


def _bound(row: Values) -> Values:
    return {f"b_{name}": value for name, value in row.items()}


def _parsed(declared: DeclaredTable, rows: Sequence[Values]) -> list[Values]:
    """Rows for SQLAlchemy's own JSON type, which wants lists and not their text."""
    lists = [name for name, kind in declared.kinds.items() if kind == "list"]
    if not lists:
        return list(rows)
    return [{**row, **{name: row[name] and msgspec.json.decode(row[name]) for name in lists}} for row in rows]


def _decoder(name: str, fields: list[Any], *, closed: bool) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=closed)).decode


def _read(decode: Callable[[bytes], Any], raw: bytes) -> Values:
    try:
        return msgspec.structs.asdict(decode(raw))
    except msgspec.ValidationError as error:
        found = _FIELD.search(str(error))
        at = found[1] or found[2] if found else ""
        raise Refused("bad-value", field=at, hint="does not fit the column") from None
    except (msgspec.MsgspecError, ValueError):
        raise Refused("bad-json") from None
