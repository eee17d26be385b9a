"""The store: what was planned, sent, acknowledged and held back. SQLite for one machine, PostgreSQL for many.

``SAMSPIL_STORE`` is an SQLAlchemy URL; ``{municipality}`` in it is replaced by the municipality's code, so that a
SQLite file, or a role of PostgreSQL, serves one municipality. The default is ``sqlite:///var/samspil-{municipality}.db``.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, StaticPool

from samspil.errors import SettingsError
from samspil.store import trouble
from samspil.store.separation import require_role
from samspil.store.tables import metadata

DEFAULT = "sqlite:///var/samspil-{municipality}.db"
_BUSY = 60  # seconds that another process's write is waited for
_IDLE = 600  # seconds after which PostgreSQL ends the transaction of a process that stands still in the middle of it
_MAY_VACUUM = """
    SELECT pg_has_role(relowner, 'USAGE') OR CASE
        WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(oid, 'MAINTAIN') ELSE FALSE END
    FROM pg_class WHERE oid = %s::regclass
    """
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds


class Store:
    """An open store. Use ``transaction`` for everything, and ``close`` it."""

    def __init__(self, url: str, *, create: bool = True, write: bool = True) -> None:
        parsed = _parsed(url)
        self.postgresql = parsed.get_backend_name() == "postgresql"
        self.unwiped: set[str] = set()
        if not self.postgresql and parsed.database and create:
            _make_folder(Path(parsed.database).parent)
        pool: dict[str, Any] = {"pool_size": 3, "pool_pre_ping": True}
        if not self.postgresql:
            pool = {"poolclass": NullPool if parsed.database else StaticPool}  # in memory, one connection is the store
        try:
            self.engine: Engine = create_engine(parsed, hide_parameters=True, **pool)
        except ImportError:
            raise SettingsError("needs psycopg: pip install 'samspil[postgresql]'", field="SAMSPIL_STORE") from None
        if not self.postgresql:
            event.listen(self.engine, "connect", _tune_sqlite if write else _tune_reader)
            event.listen(self.engine, "begin", _begin_immediate if write else _begin)
        else:
            event.listen(self.engine, "connect", _tune_postgresql)
        if create:
            with ExitStack() as undo:
                undo.callback(self.close)
                self._create()
                undo.pop_all()

    def _create(self) -> None:
        with self.transaction() as connection:
            if metadata.tables.keys() <= set(inspect(connection).get_table_names()):
                return  # one question; ``create_all`` asks of each table
            if self.postgresql:  # two first starts at once must not both create
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7266774513)")
            metadata.create_all(connection)

    @classmethod
    def from_environment(cls, municipality: str, *, create: bool = True) -> Store:
        """Open the store named by SAMSPIL_STORE. With ``create=False`` nothing is written or locked.

        Raises AccessError if it is separated and we are another municipality's role: it would look empty.
        """
        url = os.environ.get("SAMSPIL_STORE", DEFAULT).replace("{municipality}", municipality)
        store = cls(url) if create else cls.to_look_at(url)
        if store.postgresql:
            with ExitStack() as undo:
                undo.callback(store.close)
                with store.transaction() as connection:
                    require_role(connection, municipality)
                undo.pop_all()
        return store

    @classmethod
    def to_look_at(cls, url: str) -> Store:
        """Open without creating or locking; a store that isn't there yet is an empty one in memory."""
        parsed = _parsed(url)
        database = parsed.database
        if parsed.get_backend_name() == "sqlite" and not (database and Path(database).exists()):
            return cls("sqlite://")
        store = cls(url, create=False, write=False)
        with ExitStack() as undo:
            undo.callback(store.close)
            with store.transaction() as connection:
                there = inspect(connection).has_table("links")
            if there:
                undo.pop_all()
        return store if there else cls("sqlite://")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Raises Unavailable when the database cannot be reached."""
        with self.answering(), self.engine.begin() as connection:
            yield connection

    def wipe(self, *tables: str) -> None:
        """Let nothing of what was overwritten in tables lie about: in PostgreSQL's dead rows, in SQLite's log.

        Tables that only their owner may clean up are in ``unwiped`` afterwards.
        """
        with self.answering():
            if self.postgresql:
                with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    for table in tables:
                        if connection.exec_driver_sql(_MAY_VACUUM, (table,)).scalar():
                            connection.exec_driver_sql(f"VACUUM {table}")
                        else:  # PostgreSQL would only warn
                            self.unwiped.add(table)
            else:
                with closing(self.engine.raw_connection()) as raw:  # outside any transaction
                    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own for several transactions, closed at the end with all it had: locks, temporary tables.

        Raises Unavailable as ``transaction`` does.
        """
        with self.answering(), self.engine.connect() as connection:
            try:
                yield connection
            finally:
                if self.postgresql:  # elsewhere no connection is kept
                    connection.invalidate()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Say which of the database's errors can be tried again; COPY raises the driver's own."""
        with trouble.answering(self.engine.dialect.loaded_dbapi):
            yield

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "sqlite"):
        raise SettingsError(
            "is not a database's URL such as postgresql://host/name or sqlite:///var/samspil.db", field="SAMSPIL_STORE"
        )
    return parsed


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder cannot be made ({error.strerror})", file=str(folder), field="SAMSPIL_STORE"
        ) from None


def _tune_postgresql(connection: Any, _record: Any) -> None:
    """A process that was stopped in a transaction must not hold up all the others for ever."""
    from psycopg.types.string import BytesBinaryDumper  # noqa: PLC0415  # only the extra "postgresql" installs it

    connection.adapters.register_dumper(
        None, BytesBinaryDumper
    )  # else COPY takes a wrapper's, in Python, for each value
    connection.autocommit = True  # else it would be forgotten with the first rollback
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false)",
            (f"{_BUSY * 1000:.0f}", f"{_IDLE * 1000}"),
        )
    connection.autocommit = False


def _tune_sqlite(connection: Any, record: Any) -> None:
    _tune_reader(connection, record)
    cursor = connection.cursor()
    for pause in (
        *_PAUSES,
        None,
    ):  # of several first starts at once one changes it, and SQLite lets nobody wait for that
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if pause is None:
                raise
            time.sleep(pause)
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
