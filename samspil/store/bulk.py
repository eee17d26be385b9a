"""Many rows in one go: COPY on PostgreSQL, executemany on SQLite. The one place where the two differ for speed.

PostgreSQL refuses COPY into a table whose rows it must look at one by one (row-level security, see ``separation``).
There the rows go as one array for each column, in one INSERT: no temporary table, and half of what the way over one
takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from samspil.store.tables import metadata

Row = Sequence[Any]

_NAMED = re.compile(r":([a-z_]+)")

# PostgreSQL types by column name: binary COPY must be told, and every table here uses a name for one type only.
_TYPES = {
    "id": "int8",
    "n": "int4",
    "outbox_id": "int8",
    "flow_id": "int4",
    "run_id": "int4",
    "action": "int2",
    "status": "int2",
    "state": "int2",
    "at": "float8",
    "reference": "text",
}


def insert(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Append rows to a table. Columns not in the type list are bytes."""
    if connection.dialect.name == "postgresql":
        (_insert_arrays if _guarded(connection, table) else _copy)(connection, table, columns, rows)
        return
    places = ",".join("?" * len(columns))
    batch = rows if isinstance(rows, list) else list(rows)
    if batch:
        connection.exec_driver_sql(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({places})", batch)


def postpone(connection: Connection) -> None:
    """Commit this transaction without waiting for the disk: a power cut may take it, with every later one.

    Right for what counts only when something later does, such as a plan that is not valid yet.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def copy_text(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Append rows to a PostgreSQL table of any types; values are text as PostgreSQL reads it, booleans or None."""
    driver: Any = connection.connection.driver_connection
    names = ",".join(f'"{column}"' for column in columns)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {table} ({','.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_TYPES.get(column, "bytea") for column in columns])
        for row in rows:
            copy.write_row(row)


def _insert_arrays(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    arrays = [list(column) for column in zip(*rows, strict=True)]
    if not arrays:
        return
    driver: Any = connection.connection.driver_connection
    places = ",".join(f"%b::{_TYPES.get(column, 'bytea')}[]" for column in columns)
    with driver.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({','.join(columns)}) SELECT * FROM unnest({places})", arrays)


def _guarded(connection: Connection, table: str) -> bool:
    """Whether row-level security holds for us in this table: asked once per connection, never of temporary tables."""
    if table not in metadata.tables:
        return False
    known = f"{table} is guarded"
    if known not in connection.info:
        connection.info[known] = connection.exec_driver_sql("SELECT row_security_active(%s)", (table,)).scalar()
    return bool(connection.info[known])


def walk(connection: Connection) -> None:
    """Let PostgreSQL walk along indexes in this session.

    Without statistics, on a night that fills empty tables, it would gather and sort all the rest for each chunk.
    """
    if connection.dialect.name == "postgresql":
        with connection.begin():
            for way in ("bitmapscan", "seqscan", "sort", "hashjoin", "mergejoin"):
                connection.exec_driver_sql(f"SET enable_{way} = off")


def fetch_in_order(connection: Connection, query: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """Rows of a query with ``:name`` values that walks a large table along its primary key: see ``walk``.

    PostgreSQL sends bytes as they are instead of as hexadecimal text.
    """
    if connection.dialect.name != "postgresql":
        return connection.exec_driver_sql(query, dict(values)).all()
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        rows: Sequence[Any] = cursor.execute(_NAMED.sub(r"%(\1)s", query), values).fetchall()
    return rows
