"""A stateful stand-in for a system, served over real HTTP on this machine: what a connector is developed against.

A connector's sandbox subclasses :class:`Sandbox`, speaks the system's language in ``routes`` and keeps what it
received in ``kept``. Endpoints are async functions; they all run in one thread, so a sandbox needs no locks.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from samspil.account import Account
from samspil.testing.faults import CLOSE, Faults, FaultyConnection
from samspil.testing.tls import CertificateProtocol
from samspil.testing.world import World


class Kept(dict[str, dict[str, Any]]):
    """Records by the sender's id; ``puts`` counts how often each was put in place, which a resend must not do again."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: Counter[str] = Counter()

    def __setitem__(self, key: str, record: dict[str, Any]) -> None:
        self.puts[key] += 1
        super().__setitem__(key, record)


class Sandbox(ABC):
    """One system of one municipality. ``start`` it, or use it as a context manager; it may be started again.

    ``calls`` are method and path of each call received; ``kept`` is what it holds, by shared schema and by the
    sender's id.
    """

    host: ClassVar[str] = "127.0.0.1"
    plays: ClassVar[Collection[str]] = ()  # faults of its own, and what else it can do that not every sandbox can

    def __init__(self, world: World, *, night: int = 1) -> None:
        self.world, self.night = world, night
        self.faults = Faults()
        self.calls: list[str] = []
        self.queries: list[str] = []  # the query strings of those calls that had one
        self.headers: list[str] = []  # the headers of each call, a line each
        self.skew = 0.0  # seconds its clock is ahead of ours, for a sandbox that plays "skew"
        self.late = 0.0  # seconds before this night that what is committed next was changed, if it plays "late-commit"
        self.kept: defaultdict[str, Kept] = defaultdict(Kept)
        self.port = 0  # chosen at the first start and kept, so that a system that was down comes back where it was
        self._server: _Server | None = None

    @abstractmethod
    def routes(self) -> Starlette:
        """The system's endpoints."""

    def account_fields(self) -> dict[str, Any]:
        """What an account at this system has besides type, host and port: login, password, schema, extra."""
        return {}

    def tls(self) -> ssl.SSLContext | None:
        """The server's TLS context, None for plain HTTP. See ``samspil.testing.tls`` for the client's certificate."""
        return None

    @property
    def account(self) -> Account:
        """How to reach it, in the form of an Airflow connection. The port is known once it was started."""
        scheme = "http" if self.tls() is None else "https"
        name = type(self).__module__.split(".")[-2:][0]  # the connector's folder
        return Account(id=name, conn_type=scheme, host=self.host, port=self.port, **self.account_fields())

    def start(self) -> Account:
        """Serve until ``stop``; calls are answered from the moment this returns."""
        if self._server is None:
            self._server = _Server(self.routes(), self.faults, self._note, self.tls(), (self.host, self.port))
            self.port = self._server.port
        return self.account

    def stop(self) -> None:
        """Close every connection and give the thread back. May be called twice."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def to_night(self, night: int) -> None:
        """Show the facts of this night from now on."""
        self.night = night

    def shown(self, schema: str) -> set[str]:
        """Ids of the world's facts that it shows to who may read everything."""
        return {fact["id"] for fact in self.world.records(schema, self.night)}

    def expired_account(self) -> Account:
        """The account with a certificate that has run out, for a sandbox that plays "expired-certificate"."""
        raise NotImplementedError(f"{type(self).__name__} knows no certificates")

    def owns(self, path: Path) -> bool:
        """Whether a file is the system's own, for one that is reached through files."""
        del path
        return False

    def held(self, schema: str) -> dict[str, dict[str, Any]]:
        """What it holds now of a shared schema, by the sender's id."""
        return dict(self.kept[schema])

    def doubled(self, schema: str) -> list[str]:
        """The sender's ids of records that took effect more than once: right after updates, wrong after resends."""
        return [key for key, puts in self.kept[schema].puts.items() if puts > 1]

    def _note(self, call: str, query: str, headers: str) -> None:
        self.calls.append(call)
        self.headers.append(headers)
        if query:
            self.queries.append(query)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(Server):
    """Uvicorn in a thread of its own, started and stopped without its waits of a tenth of a second."""

    def __init__(
        self, app: ASGIApp, faults: Faults, called: Any, context: ssl.SSLContext | None, address: tuple[str, int]
    ) -> None:
        self._faults = faults
        self._ready = threading.Event()
        self._failed: list[BaseException] = []
        # with the protocol said, asyncio turns Nagle's algorithm off; else every answer waits for 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        self._socket.listen(128)
        self.port: int = self._socket.getsockname()[1]
        config = Config(
            FaultyConnection(app, faults=faults, called=called),
            http=_SecureConnection if context else _Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=60,
            ssl_context_factory=(lambda *_: context) if context else None,
        )
        super().__init__(config)
        self._thread = threading.Thread(target=self._serve_in_thread, name=f"sandbox-{self.port}", daemon=True)
        self._thread.start()
        self._ready.wait()
        for error in self._failed:
            self._thread.join()
            self._socket.close()
            raise error

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _serve_in_thread(self) -> None:
        try:
            self.run(sockets=[self._socket])
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits for the start
            self._failed.append(error)
        finally:
            self._ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self._loop = asyncio.get_running_loop()
        self._faults.stopping = self._stopping = asyncio.Event()
        self._ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut every connection; uvicorn would let each finish."""
        for listener in self.servers:
            listener.close()
        for listening in sockets or ():
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)


class _Connection(H11Protocol):
    """Lets the faults close the connection: the scope carries a function that does. Logs no calls."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.access_log = False  # uvicorn would log paths and queries wherever the root logger has a handler

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CLOSE] = transport.close
            await inner(scope, receive, send)

        self.app = app


class _SecureConnection(_Connection, CertificateProtocol):
    """The same under TLS, with the client's certificate in the scope."""
