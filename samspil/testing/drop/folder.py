"""A stand-in for a system that speaks files: a folder on this machine, shown by a real SFTP server."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from samspil.account import Account
from samspil.testing.drop.sftp import SftpServer
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

LOGIN, PASSWORD = "samspil", "sandkasse"


class FileSandbox(Sandbox):
    """Its files lie in ``root``, in ``folders``. What a subclass does with a night's facts is in ``export``.

    The faults of the connection are listed in ``samspil.testing.drop.sftp``; their path is the file's, as in
    ``/ud/Fremmoede_20261030.csv``.
    """

    folders: Sequence[str] = ()

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self.root = Path(tempfile.mkdtemp(prefix="samspil-files-"))
        weakref.finalize(self, shutil.rmtree, self.root, ignore_errors=True)
        for folder in self.folders:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.server = SftpServer(self.root, self.faults, self.calls.append, self.arrived)
        self.server.users[LOGIN] = PASSWORD

    def export(self) -> None:
        """Write the night's files."""

    def arrived(self, path: str) -> bool:  # noqa: ARG002 - a subclass looks at it
        """A file came into place. Returns whether the sender's connection is to be cut (fault ``lost-answer``)."""
        return False

    def extra(self) -> dict[str, Any]:
        """What an account has besides the way to the server: a connector's own settings."""
        return {}

    def routes(self) -> Starlette:
        """Nothing over HTTP."""
        return Starlette()

    @property
    def account(self) -> Account:
        """Type ``sftp``, with the host key to expect and short waits."""
        return Account(
            id=type(self).__module__.split(".")[-2:][0],  # the connector's folder
            conn_type="sftp",
            host=self.host,
            port=self.port,
            login=LOGIN,
            password=PASSWORD,
            extra={"host_key": self.server.host_key, "timeout": 10.0, **self.extra()},
        )

    def start(self) -> Account:
        if not self.server.running:
            self.export()
            self.port = self.server.start(self.host, self.port)
        return self.account

    def stop(self) -> None:
        self.server.stop()

    def to_night(self, night: int) -> None:
        super().to_night(night)
        if self.server.running:
            self.export()

    def allow(self, public_key: str) -> None:
        """Let the user log in with a key: its public line in OpenSSH form."""
        self.server.user_keys[LOGIN] = public_key

    def put(self, path: str, data: bytes) -> None:
        """Write a file as such jobs do: as ``.tmp``, then renamed. ``path`` is relative to ``root``."""
        finished = self.root / path
        unfinished = finished.with_name(f"{finished.name}.tmp")
        unfinished.write_bytes(data)
        unfinished.replace(finished)
