"""The sandbox of a declared database connector: its tables on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, literal_column, select, update

from samspil.declared import FILE, declared
from samspil.declared.database import DatabaseConnector
from samspil.declared.database.declaration import DeclaredTable
from samspil.declared.database.reading import key_of, renderer
from samspil.testing.database.postgresql import PostgresqlSandbox
from samspil.testing.facts import Fact
from samspil.testing.world import World

Row = dict[str, Any]


class DatabaseSandbox(PostgresqlSandbox):
    """Tables that are read hold the night's facts: a row is touched only when it changes, and then its ``changed``
    column says when; what is gone is marked or deleted, as the declaration has it. Tables that are written stay.
    """

    folder: ClassVar[Path]
    renders: ClassVar[Mapping[str, Callable[[Fact], Row]]]
    plays: ClassVar[Collection[str]] = ("late-commit",)

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self._placed: dict[str, dict[str, str]] = {}  # by schema and key: the version of the row that fill left

    @cached_property
    def connector(self) -> type[DatabaseConnector]:
        """The connector's class, made of the folder's declaration."""
        return cast("type[DatabaseConnector]", declared(self.folder / FILE))

    def account_fields(self) -> dict[str, Any]:
        dsn = f"postgresql+psycopg://{self.name}:{self.password}@{self.host}:{self.port}/{self.name}"
        return {"extra": {"dsn": dsn}}

    def damage(self, schema: str, row: Row, kind: str) -> None:
        """Spoil a row as far as its columns' types let it: ``kind`` is one of those of ``World.broken``."""

    def fill(self, connection: Connection) -> None:
        self.connector.metadata.create_all(connection)
        for schema, render in self.renders.items():
            broken = self.world.broken(schema, self.night)
            rows = []
            for fact in self.world.records(schema, self.night):
                row = render(fact)
                if fact["id"] in broken:
                    self.damage(schema, row, broken[fact["id"]])
                rows.append(row)
            self._place(connection, self.connector.tables[schema], rows)
            self._placed[schema] = _versions(connection, self.connector.tables[schema])

    def held(self, schema: str) -> dict[str, dict[str, Any]]:
        """The rows that were written by somebody else, by key, as records."""
        table = self.connector.tables.get(schema)
        if table is None:
            return {}
        render, placed = renderer(table), self._placed.get(schema, {})
        with self.engine.begin() as connection:
            versions, rows = _versions(connection, table), _rows(connection, table)
        mine = {key for key, version in versions.items() if placed.get(key) == version}
        return {
            key: msgspec.json.decode(render([row[name] for name in table.names]))
            for key, row in rows.items()
            if key not in mine
        }

    def _place(self, connection: Connection, table: DeclaredTable, rows: list[Row]) -> None:
        """Make the table hold these rows, touching none that is right.

        What was there from the beginning was changed long ago, row after row, as in a table that grew over the years.
        """
        there = _rows(connection, table)
        wanted = {_key(table, row): self._full(table, row) for row in rows}
        now = datetime.now(UTC) + timedelta(seconds=self.skew - self.late)
        first = now - timedelta(days=2) if not there else now
        apart = timedelta(hours=1 if not there else 0)
        new = [row for name, row in wanted.items() if name not in there]
        if new:
            stamped = [{**row, **_stamp(table, first - n * apart)} for n, row in enumerate(new)]
            connection.execute(insert(table.table), stamped)
        for name, row in wanted.items():
            if name in there and {column: there[name][column] for column in row} != row:
                _change(connection, table, there[name], {**row, **_stamp(table, now)})
        for name in there.keys() - wanted.keys():
            if table.gone is None:
                connection.execute(delete(table.table).where(*_is(table, there[name])))
            elif not there[name][table.gone.name]:
                _change(connection, table, there[name], {table.gone.name: True, **_stamp(table, now)})

    @staticmethod
    def _full(table: DeclaredTable, row: Row) -> Row:
        flag = {table.gone.name: False} if table.gone is not None else {}
        return {**dict.fromkeys(table.names), **row, **flag}


def _stamp(table: DeclaredTable, moment: datetime) -> Row:
    return {table.changed.name: moment} if table.changed is not None else {}


def _is(table: DeclaredTable, row: Row) -> list[ColumnElement[bool]]:
    return [table.table.c[name] == row[name] for name in table.told.keys]


def _change(connection: Connection, table: DeclaredTable, row: Row, values: Row) -> None:
    connection.execute(update(table.table).where(*_is(table, row)).values(values))


def _versions(connection: Connection, table: DeclaredTable) -> dict[str, str]:
    """What PostgreSQL says of who wrote each row last."""
    keys = [table.table.c[name] for name in table.told.keys]
    found = connection.execute(select(*keys, literal_column("xmin::text")).select_from(table.table))
    return {key_of(row[:-1]).decode(): row[-1] for row in found}


def _rows(connection: Connection, table: DeclaredTable) -> dict[str, Row]:
    found = connection.execute(select(table.table)).mappings()
    return {_key(table, row): dict(row) for row in found}


def _key(table: DeclaredTable, row: Mapping[Any, Any]) -> str:
    return key_of([row[name] for name in table.told.keys]).decode()
