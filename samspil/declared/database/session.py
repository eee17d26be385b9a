"""Transactions, and a database's own errors as ours. Its messages quote rows, so none is passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from samspil.errors import AccessError, SettingsError, Unavailable

_LOGIN = ("password", "authentication", 'role "', "access denied", "login failed", "permission denied")
_PATIENCE = {  # libpq's: a server that is silently gone is noticed
    "connect_timeout": "{}",
    "keepalives_idle": "{}",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
_READ_ONLY = {  # what makes a transaction unable to write, by dialect
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    **dict.fromkeys(("mysql", "mariadb", "oracle"), "SET TRANSACTION READ ONLY"),
}


class RowsRefused(Exception):
    """The database refuses what a row says. ``column`` names the place where the driver tells it."""

    def __init__(self, kind: str, column: str) -> None:
        super().__init__(kind)
        self.kind, self.column = kind, column


class Session:
    """The way to one database. Nothing is opened before the first transaction.

    ``timeout``: seconds to wait for PostgreSQL to answer a login or a sign of life; other drivers have it in the URL.
    """

    def __init__(self, dsn: str, *, system: str, timeout: float) -> None:
        self._system = system
        try:
            url = make_url(dsn)
            patience = _PATIENCE if url.get_backend_name() == "postgresql" else {}
            given = {
                name: value.format(max(1, ceil(timeout))) for name, value in patience.items() if name not in url.query
            }
            self.engine: Engine = create_engine(url, pool_pre_ping=True, connect_args=given)
        except (ArgumentError, NoSuchModuleError, ValueError):
            raise SettingsError("dsn is not a database URL", field=f"connection {system}") from None
        except ModuleNotFoundError as error:
            raise SettingsError(f"dsn wants a driver that is not installed: {error.name}", field=system) from None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """To write in. Raises AccessError, Unavailable, or RowsRefused for a row's sake."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """To read in, in a transaction that can write nothing."""
        name = self.engine.dialect.name
        with self._translated(), self.engine.connect() as connection, connection.begin():
            if name in _READ_ONLY:
                connection.exec_driver_sql(_READ_ONLY[name])
            try:
                yield connection
            finally:
                if name == "sqlite":  # there it holds for the connection, which goes back to the pool
                    connection.exec_driver_sql("PRAGMA query_only = OFF")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        driver: Any = self.engine.dialect.loaded_dbapi  # COPY raises the driver's own errors
        try:
            yield
        except (DBAPIError, driver.Error) as error:
            raise self._ours(error.orig if isinstance(error, DBAPIError) else error, driver) from None

    def _ours(self, error: Any, driver: Any) -> Exception:
        said, kind = str(error).lower(), type(error).__name__
        state = getattr(error, "sqlstate", None) or ""
        if state.startswith("28") or state == "42501" or any(word in said for word in _LOGIN):
            return AccessError("the database refuses the login, or the login a table", system=self._system)
        if isinstance(error, (driver.IntegrityError, driver.DataError)):
            return RowsRefused(kind, str(getattr(getattr(error, "diag", None), "column_name", "") or ""))
        if isinstance(error, driver.OperationalError) and not state.startswith("42"):
            return Unavailable("the database does not answer", system=self._system)
        return Unavailable(f"the database refused the statement ({kind})", system=self._system, reason="refused")
