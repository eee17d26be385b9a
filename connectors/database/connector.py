"""The reporting database as a target: bulk upserts, one transaction per batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec
from sqlalchemy import JSON, Connection, Date, Engine, Numeric, Table, bindparam, create_engine, delete, inspect, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from connectors.database import contract
from samspil.account import SECRET, Account, Settings
from samspil.connector import Change, Connector, Field, Receipt, Writes
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.store import bulk

_BATCH = 2_000  # rows in one transaction

_json = msgspec.json.Encoder().encode


class DatabaseSettings(Settings, frozen=True, kw_only=True):
    """``dsn`` is an SQLAlchemy URL (PostgreSQL or SQLite) with user and password; the host is not used."""

    dsn: Annotated[str, SECRET]


class Database(Connector):
    """One database. A row's primary key is the sender's id, so sending again changes nothing."""

    title = "Reporting database (ledelsesinformation)"
    Settings = DatabaseSettings
    writes: ClassVar[Mapping[str, Writes]] = {
        "course_order": Writes("course_orders", batch=_BATCH),
        "action_plan": Writes("action_plans", batch=_BATCH),
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        try:
            self._engine: Engine = create_engine(make_url(self.settings.dsn))
        except ArgumentError:
            raise SettingsError("dsn is not a database URL", field=f"connection {account.id}") from None

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return contract.fields(schema)

    def check(self) -> None:
        with self._transaction() as connection:
            there = set(inspect(connection).get_table_names())
        missing = sorted({contract.table(schema).name for schema in contract.schemas()} - there)
        if missing:
            raise SettingsError(f"tables are missing: {', '.join(missing)}", field=f"connection {self.account.id}")

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        table = contract.table(schema)
        puts = [change.record for change in batch if change.action == "put"]
        gone = [{"gone": change.record["id"]} for change in batch if change.action == "delete"]
        with self._transaction() as connection:
            if puts:
                _upsert(connection, table, puts)
            if gone:
                connection.execute(delete(table).where(table.c.id == bindparam("gone")), gone)
        return [Receipt(their_id=change.record["id"]) for change in batch]

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        table = contract.table(schema)
        with self._transaction() as connection:
            row = connection.execute(select(table).where(table.c.id == their_id)).mappings().one_or_none()
        return None if row is None else {name: value for name, value in row.items() if value is not None}

    def create_tables(self) -> None:
        """Make the contract's tables where they are missing. A municipality runs this once, or its own DDL."""
        for schema in contract.schemas():
            with self._transaction() as connection:
                contract.table(schema).create(connection, checkfirst=True)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            if "password" in str(error.orig) or "authentication" in str(error.orig):
                raise AccessError("the database refuses the login", system=self.account.id) from None
            raise Unavailable("the database does not answer", system=self.account.id) from None
        except DBAPIError as error:  # its message quotes the row
            raise Unavailable(
                f"the database refused the batch ({type(error.orig).__name__})", system=self.account.id
            ) from None


def _upsert(connection: Connection, table: Table, records: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace rows by their key, in bulk."""
    if connection.dialect.name == "postgresql":
        _copy_upsert(connection, table, records)
        return
    row = _row(table)
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    statement = statement.on_conflict_do_update(index_elements=[table.c.id], set_=others)
    connection.execute(statement, [row(record) for record in records])


def _copy_upsert(connection: Connection, table: Table, records: Sequence[Mapping[str, Any]]) -> None:
    """COPY to a temporary table, then one statement: the outbox's JSON values are what PostgreSQL reads as text."""
    names = list(table.columns.keys())
    lists = {column.name for column in table.columns if isinstance(column.type, JSON)}
    coming = f"coming_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {coming} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    rows = (
        [_json(record[name]).decode() if name in lists and name in record else record.get(name) for name in names]
        for record in records
    )
    bulk.copy_text(connection, coming, names, rows)
    quoted = [f'"{name}"' for name in names]
    others = ", ".join(f"{name} = excluded.{name}" for name in quoted if name != '"id"')
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(quoted)}) SELECT {', '.join(quoted)} FROM {coming} "
        f"ON CONFLICT (id) DO UPDATE SET {others}"
    )


def _row(table: Table) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """How a record becomes a row elsewhere: dates and decimals are text in the outbox's JSON."""
    blank = dict.fromkeys(table.columns.keys())
    convert: dict[str, Callable[[str], Any]] = {
        column.name: date.fromisoformat if isinstance(column.type, Date) else Decimal
        for column in table.columns
        if isinstance(column.type, (Date, Numeric))
    }

    def row(record: Mapping[str, Any]) -> dict[str, Any]:
        values = {**blank, **record}
        for name, of in convert.items():
            if values[name] is not None:
                values[name] = of(values[name])
        return values

    return row
