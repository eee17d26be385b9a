"""A database's tables, cell by cell as bytes: SQLite files of the store and of Airflow, and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

_PIECE = 1 << 20  # bytes of cells searched together
AIRFLOW = {"xcom": "XCom", "rendered_task_instance_fields": "rendered templates"}
MAGIC = b"SQLite format 3\0"


class Cells(NamedTuple):
    """Some cells of a table. ``place`` is where they count."""

    place: str
    table: str
    data: bytes


def sqlite(path: Path) -> Iterator[Cells]:
    """All cells of a SQLite file. What is no database, or none any more, has none: it is searched as a file."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            names = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            airflow = "dag_run" in names
            for name in names:
                place = AIRFLOW.get(name, "Airflow's database") if airflow else "store"
                for data in _joined(connection.execute(f'SELECT * FROM "{name}"')):
                    yield Cells(place, name, data)
    except sqlite3.DatabaseError:
        return


def postgresql(url: str) -> Iterator[Cells]:
    """All rows of a PostgreSQL database as it dumps them in binary, outside of the system's own schemas.

    Temporary tables may go at any moment, and others than their own session cannot read them anyway.
    """
    import psycopg  # noqa: PLC0415 - only the extra "postgresql" installs it
    from psycopg import sql  # noqa: PLC0415

    listed = (
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
        "AND NOT starts_with(schemaname, 'pg_temp')"
    )
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        connection.execute("SET lock_timeout = '10s'")  # what a test left locked is an error, not a wait without end
        for schema, name in connection.execute(listed).fetchall():
            table = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(schema, name))
            with connection.cursor().copy(table) as copy:
                yield Cells("store", name, b"".join(bytes(piece) for piece in copy))


def _joined(rows: Iterator[tuple[Any, ...]] | sqlite3.Cursor) -> Iterator[bytes]:
    """The cells, one after another, divided by line ends; each that may be packed alone as well."""
    kept: list[bytes] = []
    size = 0
    for row in rows:
        for cell in row:
            data = cell if isinstance(cell, bytes) else str(cell).encode()
            kept.append(data)
            size += len(data)
            if data.startswith((b"\x1f\x8b", b"PK", b"x\x9c", b"x\xda", b"BZh", b"\xfd7z")):
                yield data
        if size > _PIECE:
            yield b"\n".join(kept)
            kept, size = [], 0
    if kept:
        yield b"\n".join(kept)
