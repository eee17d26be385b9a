"""An SFTP server in a thread of its own, showing one folder, with faults on the way. The client is another library.

================= ===================================================================================================
fault             what the client meets; ``path`` is the file's (``/ud/Fremmoede_20261030.csv``)
================= ===================================================================================================
``timeout``       no answer when a file is opened or renamed, then the connection is closed
``status:NNN``    the connection is closed at once
``truncate``      the first half of a file
``garbage``       bytes that are no format instead of a file
``no-permission`` the file may not be opened
``lost-answer``   a delivery takes effect, but the connection is closed and there is no receipt
================= ===================================================================================================
"""

from __future__ import annotations

import asyncio
import io
import posixpath
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, cast

import asyncssh

from samspil.testing.faults import GARBAGE, Fault, Faults

_BROKEN = ("timeout", *(f"status:{number}" for number in range(400, 600)))
_SPOILT = ("truncate", "garbage")


class SftpServer:
    """Serves ``root`` to one user. ``arrived`` is called with the path of each file that was renamed into
    place; if it says so, the connection is closed instead of answered.
    """

    def __init__(
        self, root: Path, faults: Faults, called: Callable[[str], None], arrived: Callable[[str], bool]
    ) -> None:
        self.root, self.faults, self.called, self.arrived = root, faults, called, arrived
        self.users: dict[str, str] = {}  # login → password
        self.user_keys: dict[str, str] = {}  # login → public key line
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None
        self._listener: Any = None
        self.connections: set[Any] = set()

    @property
    def running(self) -> bool:
        return self._thread is not None

    @property
    def host_key(self) -> str:
        """The public key line that a client must know."""
        return self._host_key.export_public_key().decode().strip()

    def start(self, host: str, port: int) -> int:
        """Listen; returns the port (a free one for 0)."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox-sftp", daemon=True)
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(host, port), self._loop).result()

    def stop(self) -> None:
        """Close every connection and give the thread back. May be called twice."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = None
        self._loop.close()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Call in the server's thread; may be called from there only."""
        self._loop.call_later(seconds, what)

    async def hold(self, seconds: float) -> None:
        """Wait, but no longer than the server runs."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _listen(self, host: str, port: int) -> int:
        self.faults.stopping = self._stopping = asyncio.Event()
        self._listener = await asyncssh.listen(
            host,
            port,
            server_host_keys=[self._host_key],
            server_factory=lambda: _Login(self),
            sftp_factory=lambda channel: _Files(channel, self),
            allow_scp=False,
        )
        return int(self._listener.get_port())

    async def _close(self) -> None:
        self._stopping.set()
        self._listener.close()
        for connection in list(self.connections):
            connection.abort()
        await self._listener.wait_closed()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others)


class _Login(asyncssh.SSHServer):
    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._connection: Any = None

    def connection_made(self, conn: Any) -> None:
        self._connection = conn
        self._server.connections.add(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return bool(password) and self._server.users.get(username) == password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        known = self._server.user_keys.get(username)
        return known is not None and asyncssh.import_public_key(known) == key


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: Any, server: SftpServer) -> None:
        super().__init__(channel, chroot=str(server.root).encode())
        self._server = server

    async def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        name = _name(path)
        writing = bool(pflags & asyncssh.FXF_WRITE)
        self._server.called(f"{'WRITE' if writing else 'READ'} {name}")
        await self._broken(name)
        if self._server.faults.take("no-permission", name) is not None:
            raise asyncssh.SFTPPermissionDenied("denied")
        file = cast("IO[bytes]", super().open(path, pflags, attrs))
        fault = None if writing else self._take(name, _SPOILT)
        if fault is None:
            return file
        whole = file.read()
        file.close()
        return io.BytesIO(whole[: len(whole) // 2] if fault.kind == "truncate" else GARBAGE)

    def fstat(self, file_obj: object) -> Any:
        if isinstance(file_obj, io.BytesIO):
            return asyncssh.SFTPAttrs(size=len(file_obj.getbuffer()))
        return super().fstat(file_obj)

    async def scandir(self, path: bytes) -> AsyncIterator[Any]:
        self._server.called(f"LIST {_name(path)}")
        async for item in super().scandir(path):
            yield item

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        name = _name(newpath)
        self._server.called(f"RENAME {name}")
        await self._broken(name)
        super().posix_rename(oldpath, newpath)
        if self._server.arrived(name):
            self.drop_connection()

    def drop_connection(self) -> None:
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("closed")

    async def _broken(self, path: str) -> None:
        fault = self._take(path, _BROKEN)
        if fault is None:
            return
        if fault.kind == "timeout":
            await self._server.hold(fault.seconds)
        self.drop_connection()

    def _take(self, path: str, kinds: tuple[str, ...]) -> Fault | None:
        return next((fault for kind in kinds if (fault := self._server.faults.take(kind, path))), None)


def _name(path: bytes) -> str:
    return posixpath.normpath("/" + path.decode().lstrip("/"))
