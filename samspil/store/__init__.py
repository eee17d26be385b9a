"""The store: what was planned, sent, acknowledged and held back. SQLite for one machine, PostgreSQL for many.

``SAMSPIL_STORE`` is an SQLAlchemy URL; ``{municipality}`` in it is replaced by the municipality's code, so that a
SQLite file serves one municipality. The default is ``sqlite:///var/samspil-{municipality}.db``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from samspil.errors import SettingsError, Unavailable
from samspil.store.tables import metadata

DEFAULT = "sqlite:///var/samspil-{municipality}.db"
_BUSY = 60  # seconds SQLite waits for another process's write


class Store:
    """An open store. Use ``transaction`` for everything; nothing is kept open between."""

    def __init__(self, url: str, *, create: bool = True, write: bool = True) -> None:
        try:
            parsed = make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
        except ArgumentError:
            raise SettingsError("is not a database URL such as postgresql://host/name", field="SAMSPIL_STORE") from None
        self.postgresql = parsed.get_backend_name() == "postgresql"
        if not self.postgresql and parsed.database and create:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        memory = not self.postgresql and not parsed.database
        self.engine: Engine = create_engine(parsed, poolclass=StaticPool if memory else NullPool)
        if not self.postgresql:
            event.listen(self.engine, "connect", _tune_sqlite if write else _tune_reader)
            event.listen(self.engine, "begin", _begin_immediate if write else _begin)
        if create:
            with self.transaction() as connection:
                if self.postgresql:  # two first starts at once must not both create
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7266774513)")
                metadata.create_all(connection)

    @classmethod
    def from_environment(cls, municipality: str, *, create: bool = True) -> Store:
        """Open the store named by SAMSPIL_STORE. With ``create=False`` nothing is written or locked."""
        url = os.environ.get("SAMSPIL_STORE", DEFAULT).replace("{municipality}", municipality)
        if not create:
            return cls.to_look_at(url)
        return cls(url)

    @classmethod
    def to_look_at(cls, url: str) -> Store:
        """Open without creating or locking; a store that isn't there yet is an empty one in memory."""
        database = make_url(url).database
        if url.startswith("sqlite") and not (database and Path(database).exists()):
            return cls("sqlite://")
        store = cls(url, create=False, write=False)
        with store.transaction() as connection:
            there = inspect(connection).has_table("links")
        return store if there else cls("sqlite://")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Raises Unavailable when the database cannot be reached."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(f"the store does not answer ({type(error.orig).__name__})", system="store") from error

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def _tune_sqlite(connection: Any, record: Any) -> None:
    _tune_reader(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a receipt must survive a power cut
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.close()


def _tune_reader(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN, not the driver's
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY * 1000}")
    cursor.execute("PRAGMA temp_store = FILE")  # bounded memory however large the source
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # a reader that later writes would fail on another's write


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
