"""Bulk upserts by key: COPY and one statement on PostgreSQL, ON CONFLICT on SQLite, UPDATE or INSERT elsewhere.

Columns that the declaration does not name keep what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from types import GenericAlias
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from samspil.connector import Change
from samspil.declared.database.columns import KINDS, is_required
from samspil.declared.database.declaration import DeclaredTable
from samspil.declared.database.reading import key_of
from samspil.errors import Refused
from samspil.store import bulk

_LOOKED_UP = 200  # keys in one statement

_FIELD = re.compile(r"field `(\w+)`|- at `\$\.([\w.]+)")

# Kinds that stay the text they are in JSON, which PostgreSQL reads too, and are checked a column at a time: to make a
# Python date of each and text of it again would cost as much as all the rest.
_AS_TEXT = {kind: GenericAlias(list, (KINDS[kind].python | None,)) for kind in ("date", "timestamp")}

Values = dict[str, Any]
Column = Sequence[Any]


class Rows:
    """What a table's changes are decoded with."""

    def __init__(self, declared: DeclaredTable) -> None:
        key = declared.told.keys
        self._keys = [(name, KINDS[declared.kinds[name]].python) for name in key]
        self._row: Callable[[bytes], Any] = _decoder(
            "Row", [_field(declared, name) for name in declared.names], closed=True
        )
        self._key: Callable[[bytes], Any] = _decoder("Key", self._keys, closed=False)
        self._key_of: Callable[[Any], str] = partial(_key_of, key)
        if [declared.kinds[name] for name in key] == ["text"]:
            self._key_of = attrgetter(key[0])

    def rows(self, batch: Sequence[Change]) -> Sequence[Any]:
        """A struct of columns for every change; of a deletion, of the key's columns alone.

        Raises Refused naming the field that does not fit; never with its value.
        """
        row, key = self._row, self._key
        try:
            return [row(change.raw) if change.action == "put" else key(change.raw) for change in batch]
        except msgspec.ValidationError as error:
            found = _FIELD.search(str(error))
            raise _misfit(found[1] or found[2] if found else "") from None
        except (msgspec.MsgspecError, ValueError):
            raise Refused("bad-json") from None

    def keys(self, rows: Sequence[Any]) -> Sequence[str]:
        """The rows' keys as ``key_of`` has them. Raises Refused if a row has none, or two have the same."""
        keys = list(map(self._key_of, rows))
        different = set(keys)
        if "" in different:
            raise Refused("no-key")
        if len(different) < len(keys):
            raise Refused("two-changes-of-a-row", hint="they take effect one after the other")
        return keys

    def key_from(self, text: str) -> Values:
        """The key's columns from what ``key_of`` made of them."""
        parts = [text] if len(self._keys) == 1 else msgspec.json.decode(text, type=list[Any])
        return {
            name: msgspec.convert(part, kind, strict=False)
            for (name, kind), part in zip(self._keys, parts, strict=True)
        }


def upsert(connection: Connection, declared: DeclaredTable, rows: Sequence[Any], *, new: bool) -> None:
    """Insert or update rows by their key, which is in no two of them. ``new``: probably none of them is there.

    Raises Refused naming the column in which a day or a moment is none.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        columns = list(_columns(declared, rows, _WRITTEN))
        if not (new and _appended(connection, declared, columns)):
            _copy_upsert(connection, declared, columns)
    elif dialect == "sqlite":
        _on_conflict(connection, declared, rows)
    else:
        update_or_insert(connection, declared, rows)


def remove(connection: Connection, declared: DeclaredTable, keys: Sequence[Any]) -> None:
    """Delete rows by key; those that are not there are none too many."""
    table = declared.table
    wanted = and_(*(table.c[name] == bindparam(f"b_{name}") for name in declared.told.keys))
    connection.execute(delete(table).where(wanted), [_bound(msgspec.structs.asdict(key)) for key in keys])


def _appended(connection: Connection, declared: DeclaredTable, columns: Sequence[Column]) -> bool:
    """COPY straight to the table. False, and nothing done, if a row is there already or the table takes no COPY."""
    driver: Any = connection.dialect.loaded_dbapi  # COPY raises the driver's own errors
    target = connection.dialect.identifier_preparer.format_table(declared.table)
    try:
        with connection.begin_nested():
            bulk.copy_text(connection, target, declared.names, zip(*columns, strict=True))
    except (driver.errors.UniqueViolation, driver.errors.FeatureNotSupported):  # the latter: row-level security
        return False
    return True


def _copy_upsert(connection: Connection, declared: DeclaredTable, columns: Sequence[Column]) -> None:
    """COPY to a temporary table, then one statement."""
    names, target = declared.names, connection.dialect.identifier_preparer.format_table(declared.table)
    listed = ", ".join(f'"{name}"' for name in names)
    coming = f'"coming_{declared.table.name}"'
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {coming} ON COMMIT DELETE ROWS AS SELECT {listed} FROM {target} WITH NO DATA"
    )
    bulk.copy_text(connection, coming, names, zip(*columns, strict=True))
    others = [name for name in names if name not in declared.told.keys]
    values = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    then = f"UPDATE SET {values}" if values else "NOTHING"
    key = ", ".join(f'"{name}"' for name in declared.told.keys)
    connection.exec_driver_sql(
        f"INSERT INTO {target} ({listed}) SELECT {listed} FROM {coming} ON CONFLICT ({key}) DO {then}"
    )


def _on_conflict(connection: Connection, declared: DeclaredTable, rows: Sequence[Any]) -> None:
    statement = sqlite.insert(declared.table)
    others = {name: statement.excluded[name] for name in declared.names if name not in declared.told.keys}
    if others:
        statement = statement.on_conflict_do_update(index_elements=declared.told.keys, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=declared.told.keys)
    connection.execute(statement, _values(declared, rows))


def update_or_insert(connection: Connection, declared: DeclaredTable, rows: Sequence[Any]) -> None:
    """For any other dialect: look up which keys are there, then two bulk statements."""
    table, key = declared.table, declared.told.keys
    coming = _values(declared, rows)
    there: set[tuple[Any, ...]] = set()
    for start in range(0, len(rows), _LOOKED_UP):
        some = coming[start : start + _LOOKED_UP]
        wanted = or_(*(_is_row(table.c, key, row) for row in some))
        there.update(map(tuple, connection.execute(select(*(table.c[name] for name in key)).where(wanted))))
    old = [row for row in coming if tuple(row[name] for name in key) in there]
    new = [row for row in coming if tuple(row[name] for name in key) not in there]
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


def _columns(
    declared: DeclaredTable, rows: Sequence[Any], made: Mapping[str, Callable[[Column], Column]]
) -> Iterator[Column]:
    """The rows' columns, each as ``made`` has its kind."""
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    for (name, kind), column in zip(declared.kinds.items(), columns, strict=True):
        try:
            yield made[kind](column) if kind in made else column
        except msgspec.ValidationError:
            raise _misfit(name) from None


def _values(declared: DeclaredTable, rows: Sequence[Any]) -> list[Values]:
    """Rows for SQLAlchemy, whose types want Python's own values and lists."""
    columns = _columns(declared, rows, _PYTHONS)
    return [dict(zip(declared.names, row, strict=True)) for row in zip(*columns, strict=True)]


def _texts(column: Column) -> Column:
    return [None if value is None else str(value) for value in column]


def _lists(column: Column) -> Column:
    """The JSON as it came; a list that the record does not have is NULL."""
    return [str(value, "utf-8") or None for value in column]


def _parsed(column: Column) -> Column:
    return [msgspec.json.decode(value) if bytes(value) else None for value in column]


def _checked(kind: Any, column: Column) -> Column:
    msgspec.convert(column, kind)
    return column


# What the driver is given for COPY: text, which it writes faster than most values.
_WRITTEN: Mapping[str, Callable[[Column], Column]] = {
    "integer": _texts,
    "decimal": _texts,
    "list": _lists,
    **{name: partial(_checked, kind) for name, kind in _AS_TEXT.items()},
}
_PYTHONS: Mapping[str, Callable[[Column], Column]] = {
    "list": _parsed,
    **{name: partial(msgspec.convert, type=kind) for name, kind in _AS_TEXT.items()},
}


def _field(declared: DeclaredTable, name: str) -> tuple[Any, ...]:
    """The column as ``msgspec.defstruct`` wants it."""
    kind = KINDS[declared.kinds[name]].python
    if name in declared.told.keys:
        return name, kind
    if declared.kinds[name] in _AS_TEXT:
        kind = str
    if is_required(declared.told.columns[name]):
        return name, kind
    return (name, kind, msgspec.Raw()) if kind is msgspec.Raw else (name, kind | None, None)


def _misfit(field: str) -> Refused:
    return Refused("bad-value", field=field, hint="does not fit the column")


def _key_of(names: Sequence[str], row: Any) -> str:
    return key_of([getattr(row, name) for name in names]).decode()


def _decoder(name: str, fields: list[Any], *, closed: bool) -> Callable[[bytes], Any]:
    struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=closed, gc=False)  # it holds no others
    return msgspec.json.Decoder(struct).decode
