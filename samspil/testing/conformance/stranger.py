"""A system that says it is ours, with a certificate that nobody known to us has signed."""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from samspil.testing.certificates import Certificates


class Stranger:
    """A context manager. ``heard`` is what was said to it once its certificate had been believed."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        with tempfile.TemporaryDirectory(prefix="kit-") as folder:
            certificates = Certificates(Path(folder))
            self._context = certificates.server_context()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="sandbox-stranger", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):  # the end
            while True:
                self._listen(self._listener.accept()[0])

    def _listen(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):  # nobody believed it
            plain.settimeout(2)
            with self._context.wrap_socket(plain, server_side=True) as secured:
                self.heard += [data for data in [secured.recv(1 << 16)] if data]
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
