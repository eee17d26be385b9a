"""The reporting database as a target: bulk upserts, one transaction per batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any, ClassVar

import msgspec
from sqlalchemy import JSON, Connection, Engine, Table, bindparam, create_engine, delete, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from connectors.database import contract
from samspil.account import SECRET, Account, Settings
from samspil.connector import Change, Connector, Field, Receipt, Writes
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.store import bulk

_BATCH = 1_000  # rows in one transaction: larger ones are hardly faster and take more memory
_LOGIN = ("password", "authentication", "role ")  # words PostgreSQL uses when it refuses a login


class DatabaseSettings(Settings, frozen=True, kw_only=True):
    """``dsn`` is an SQLAlchemy URL (PostgreSQL or SQLite) with user and password; the host is not used."""

    dsn: Annotated[str, SECRET]


class Database(Connector):
    """One database. A row's primary key is the sender's id, so sending again changes nothing."""

    title = "Reporting database (ledelsesinformation)"
    Settings = DatabaseSettings
    writes: ClassVar[Mapping[str, Writes]] = {
        "course_order": Writes("course_orders", batch=_BATCH, idempotency="id"),
        "action_plan": Writes("action_plans", batch=_BATCH, idempotency="id"),
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
        decode = _decoder(schema)
        records = [decode(change.raw) for change in batch]
        puts = [record for record, change in zip(records, batch, strict=True) if change.action == "put"]
        gone = [{"gone": record.id} for record, change in zip(records, batch, strict=True) if change.action == "delete"]
        with self._transaction() as connection:
            if puts and not (all(change.their_id is None for change in batch) and _copied(connection, table, puts)):
                _upsert(connection, table, puts)
            if gone:
                connection.execute(delete(table).where(table.c.id == bindparam("gone")), gone)
        return [Receipt(record.id) for record in records]

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
        driver: Any = self._engine.dialect.loaded_dbapi  # COPY raises the driver's own errors
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, driver.OperationalError) as error:
            if any(word in str(error) for word in _LOGIN):
                raise AccessError("the database refuses the login", system=self.account.id) from None
            raise Unavailable("the database does not answer", system=self.account.id) from None
        except (DBAPIError, driver.Error) as error:  # its message quotes the row
            kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
            raise Unavailable(f"the database refused the batch ({kind})", system=self.account.id) from None


@cache
def _decoder(schema: str) -> Callable[[bytes], Any]:
    """Decodes a record to a struct with the table's columns; lists stay JSON, undecoded."""
    fields: list[Any] = [
        (str(name), msgspec.Raw, msgspec.Raw()) if isinstance(column.type, JSON) else (str(name), Any, None)
        for name, column in contract.table(schema).columns.items()
    ]
    struct = msgspec.defstruct(f"{schema}_row", fields, forbid_unknown_fields=True)
    return msgspec.json.Decoder(struct).decode


def _rows(table: Table, records: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The records as rows; the outbox's JSON values are what PostgreSQL reads as text."""
    lists = [n for n, column in enumerate(table.columns) if isinstance(column.type, JSON)]
    rows = [list(msgspec.structs.astuple(record)) for record in records]
    for row in rows:
        for n in lists:
            row[n] = bytes(row[n]).decode() or None
    return rows


def _copied(connection: Connection, table: Table, records: Sequence[Any]) -> bool:
    """Append rows that should all be new; False, and nothing done, if one is there already, or where COPY is not."""
    if connection.dialect.name != "postgresql":
        return False
    driver: Any = connection.dialect.loaded_dbapi
    try:
        with connection.begin_nested():
            bulk.copy_text(connection, table.name, list(table.columns.keys()), _rows(table, records))
    except driver.errors.UniqueViolation:
        return False
    return True


def _upsert(connection: Connection, table: Table, records: Sequence[Any]) -> None:
    """Insert or replace rows by their key, in bulk."""
    rows = _rows(table, records)
    if connection.dialect.name == "postgresql":
        _copy_upsert(connection, table, rows)
        return
    names = list(table.columns.keys())
    columns, places = ", ".join(map(_quoted, names)), ", ".join("?" * len(names))
    connection.exec_driver_sql(
        f"INSERT OR REPLACE INTO {table.name} ({columns}) VALUES ({places})", [tuple(row) for row in rows]
    )


def _copy_upsert(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """COPY to a temporary table, then one statement."""
    names = list(table.columns.keys())
    coming = f"coming_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {coming} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    bulk.copy_text(connection, coming, names, rows)
    columns = ", ".join(map(_quoted, names))
    others = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in names if name != "id")
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {coming} ON CONFLICT (id) DO UPDATE SET {others}"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'
