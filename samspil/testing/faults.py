"""What goes wrong between two systems, on demand, on a real connection.

=============== ===================================================================================================
kind            what the caller meets
=============== ===================================================================================================
``timeout``     nothing at all for ``seconds``, then the connection is closed
``status:NNN``  this status, with Retry-After if ``retry_after`` is given; the system itself never sees the call
``truncate``    the true answer's headers and the first half of its body, then the connection is closed
``garbage``     status 200 and bytes that are no format; the system itself never sees the call
``lost-answer`` the call takes effect, then the connection is closed without an answer
``answer:NNN``  this status with ``body`` and ``headers``; the system itself never sees the call
``drip``        status 200 and a byte of a long answer every tenth of a second for ``seconds``, then it is closed
``late-answer`` the call takes effect, then nothing at all for ``seconds``, then the connection is closed
``repeat``      the answer that the call before it on the same path had; the system itself never sees the call
=============== ===================================================================================================

Any other kind is a sandbox's own: it asks ``take`` for it where it applies (``fault-with-200``, ``half-batch``).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OURS = ("timeout", "status:", "truncate", "garbage", "lost-answer", "answer:", "repeat", "drip", "late-answer")
GARBAGE = b"\x00\xff\xfe{[<not a format of any kind"
CLOSE = "samspil.close"  # in scope["extensions"]: a function that closes the connection, see samspil.testing.sandbox


@dataclass
class Fault:
    """One fault waiting to happen: the next ``times`` calls it fits, after ``after`` more that it leaves alone."""

    kind: str
    path: str = ""
    times: float = 1
    after: int = 0
    seconds: float = 30.0
    retry_after: float | str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def fits(self, path: str) -> bool:
        return self.times > 0 and path.startswith(self.path)


@dataclass
class Faults:
    """The faults of one sandbox. Safe to use from a test while the server's thread works."""

    stopping: asyncio.Event | None = None  # set by the server: lets a held call go at once when it stops
    played: int = 0  # how often something went wrong
    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        kind: str,
        *,
        path: str = "",
        times: float = 1,
        after: int = 0,
        seconds: float = 30.0,
        retry_after: float | str | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Let ``kind`` happen to the next ``times`` calls (``math.inf``: until cleared) whose path starts with ``path``.

        ``retry_after`` is in seconds, or a text that is sent as it is (an HTTP date, say).
        """
        with self._lock:
            self._waiting.append(Fault(kind, path, times, after, seconds, retry_after, body, headers or {}))

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        with self._lock:
            self._waiting.clear()

    def waiting(self, kind: str) -> bool:
        """Whether a fault of a kind has not happened yet as often as it was to."""
        with self._lock:
            return any(fault.kind == kind and fault.times > 0 for fault in self._waiting)

    def take(self, kind: str, path: str) -> Fault | None:
        """Use up one fault of a kind for a call, if one waits: for the kinds that a sandbox plays itself."""
        return self._take(path, lambda fault: fault.kind == kind)

    def take_ours(self, path: str) -> Fault | None:
        """Use up one of the faults that are played between caller and sandbox."""
        return self._take(path, lambda fault: fault.kind.startswith(OURS))

    def _take(self, path: str, wanted: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if wanted(fault) and fault.fits(path):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    self.played += 1
                    return fault
        return None


class FaultyConnection:
    """ASGI middleware that plays the faults. ``called`` is told method and path, query and headers of each call."""

    def __init__(self, app: ASGIApp, *, faults: Faults, called: Callable[[str, str, str], None]) -> None:
        self.app, self.faults, self.called = app, faults, called
        self._before: dict[str, list[Message]] = {}  # the last answer by path, kept while a "repeat" waits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901 - one case a kind
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = "\n".join(f"{name.decode('latin-1')}: {text.decode('latin-1')}" for name, text in scope["headers"])
        self.called(f"{scope['method']} {scope['path']}", scope["query_string"].decode("latin-1"), headers)
        fault = self.faults.take_ours(scope["path"])
        if fault is None:
            await self._passed_on(scope, receive, send)
        elif fault.kind in ("timeout", "late-answer"):
            if fault.kind == "late-answer":
                await self.app(scope, receive, _unheard)
            await self._hold(fault.seconds)
            await _closed(scope, receive)
        elif fault.kind == "lost-answer":
            await self.app(scope, receive, _unheard)
            await _closed(scope, receive)
        elif fault.kind == "drip":
            await self._dripped(fault.seconds, scope, receive, send)
        elif fault.kind == "truncate":
            await self._truncated(scope, receive, send)
        elif fault.kind == "garbage":
            await _answer(send, 200, GARBAGE)
        elif fault.kind == "repeat":
            await self._again(scope, receive, send)
        elif fault.kind.startswith("answer:"):
            await _answer(send, int(fault.kind.removeprefix("answer:")), fault.body, headers=fault.headers)
        else:
            await _answer(send, int(fault.kind.removeprefix("status:")), b"", fault.retry_after)

    async def _passed_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.faults.waiting("repeat"):
            await self.app(scope, receive, send)
            return
        kept = self._before[scope["path"]] = []

        async def keep(message: Message) -> None:
            kept.append(message)
            await send(message)

        await self.app(scope, receive, keep)

    async def _again(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in self._before:
            await self.app(scope, receive, send)
        for message in self._before.get(scope["path"], ()):
            await send(message)

    async def _hold(self, seconds: float) -> None:
        stopping = self.faults.stopping or asyncio.Event()
        try:
            await asyncio.wait_for(stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _dripped(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-length", b"1000000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for _ in range(int(seconds * 10)):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await self._hold(0.1)
        await _closed(scope, receive)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, keep)
        length = [(b"content-length", str(max(len(body), 2)).encode())]
        headers = [
            pair for pair in start["headers"] if pair[0].lower() not in (b"content-length", b"transfer-encoding")
        ]
        await send({**start, "headers": headers + length})
        await send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": True})
        await _closed(scope, receive)


async def _unheard(_message: Message) -> None:
    """An answer that nobody hears."""


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    retry_after: float | str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> None:
    own = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    head = [(b"content-length", str(len(body)).encode()), *own]
    if retry_after is not None:
        text = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
        head.append((b"retry-after", text.encode()))
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def _closed(scope: Scope, receive: Receive) -> None:
    """Close the connection and wait until it is, so that the server has nothing left to answer."""
    scope["extensions"][CLOSE]()
    while (await receive())["type"] != "http.disconnect":
        pass
