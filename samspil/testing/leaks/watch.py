"""What a connector does besides answering: whom it contacts, what it opens and starts, what it logs."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch
from weakref import WeakSet

_SANDBOX = "sandbox"  # how the names of a sandbox's threads begin: what it does itself is not the connector's doing
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_watching: list[Watch] = []


class Watch:
    """A context manager that sees this process's sockets, files opened for writing, child processes and log records.

    The root logger lets pass what has at least the ``level``; with None it is left as it is.
    """

    def __init__(self, level: int | None = logging.DEBUG) -> None:
        self.contacted: list[tuple[str, int]] = []  # host and port of each connection attempt and datagram
        self.looked_up: list[str] = []  # host names asked for
        self.written: list[str] = []  # paths of files opened for writing
        self.opened: set[str] = set()  # paths of all files opened
        self.started: list[str] = []  # arguments of child processes
        self.logged: list[str] = []  # log records as text, with their tracebacks and extra fields
        self._wanted = level
        self._sockets: WeakSet[socket.socket] = WeakSet()  # made meanwhile: what others left open is nobody's here
        self._silent = logging.NullHandler()  # without any, warnings would be printed

    def __enter__(self) -> Self:
        _install()
        _watching.append(self)
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(self._level if self._wanted is None else self._wanted)
        root.addHandler(self._silent)
        self._logging = patch.object(
            logging.Logger, "handle", _keeping(self.logged)
        )  # also of loggers that tell no other
        self._logging.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._logging.stop()
        logging.getLogger().removeHandler(self._silent)
        logging.getLogger().setLevel(self._level)
        _watching.remove(self)

    def open_to(self, port: int) -> int:
        """How many sockets that this process made since the watch began are connected to a port."""
        return sum(_peer(one) == port for one in list(self._sockets))

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event of the interpreter."""
        if event == "socket.__new__":
            if isinstance(arguments[0], socket.socket):  # its base class in C knows no weak references
                self._sockets.add(arguments[0])
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            self._connected(arguments[1])
        elif event == "syslog.syslog":
            self.logged.append(_text(arguments[1]))
        elif event == "socket.getaddrinfo":
            self.looked_up.append(_text(arguments[0]))
        elif event == "open":
            self._opened(*arguments)
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
            self.started.append(" ".join(_text(part) for argument in arguments for part in _parts(argument)))

    def _connected(self, address: Any) -> None:
        if isinstance(address, tuple):
            self.contacted.append((str(address[0]), int(address[1])))

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(int(flags or 0) & 3)
        if isinstance(path, (str, bytes, Path)):
            self.opened.add(_text(path))
            if writes:
                self.written.append(_text(path))


def _keeping(kept: list[str]) -> Callable[[logging.Logger, logging.LogRecord], None]:
    """What a logger does with a record meanwhile: its message, traceback and extra fields are kept, then it goes on."""
    plain, formatter = logging.Logger.handle, logging.Formatter("%(name)s %(message)s")

    def handle(logger: logging.Logger, record: logging.LogRecord) -> None:
        if not (record.threadName or "").startswith(_SANDBOX):
            extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
            kept.append(f"{formatter.format(record)} {extra or ''}")
        plain(logger, record)

    return handle


@contextmanager
def watching() -> Iterator[Watch]:
    """A watch for the length of a block."""
    with Watch() as watch:
        yield watch


_installed = threading.Event()


def _install() -> None:
    """An audit hook can never be taken out again, so there is one, and it does nothing while nobody watches."""
    if not _installed.is_set():
        _installed.set()
        sys.addaudithook(_audited)


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and not threading.current_thread().name.startswith(_SANDBOX):
        for watch in _watching:
            watch.see(event, arguments)


def _peer(one: socket.socket) -> int:
    """The port at the other end; 0 if there is none."""
    try:
        address = one.getpeername() if one.family in (socket.AF_INET, socket.AF_INET6) else ("", 0)
    except OSError:
        return 0
    return int(address[1])


def _parts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
