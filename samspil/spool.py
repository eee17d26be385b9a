"""Bytes put aside until they are wanted: in memory while they are few, then on disk, where nobody can read them."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEPT = 1 << 20  # bytes in memory; the rest goes to a file
CHUNK = 1 << 18  # bytes given at a time


class Spool:
    """Write all of it, then read it as often as needed.

    What is on disk is encrypted with a key that exists in this object only, in a file that has no name: it is gone
    when the object is, and nobody can read it before.
    """

    def __init__(self) -> None:
        self.size = 0
        self._memory: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._cipher = Cipher(algorithms.AES(os.urandom(32)), modes.CTR(os.urandom(16)))
        self._encryptor = self._cipher.encryptor()

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._memory.append(data)
        if self._file is None and self.size > KEPT:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with this object
            weakref.finalize(self, self._file.close)
        if self._file is not None:
            for piece in self._memory:
                self._file.write(self._encryptor.update(piece))
            self._memory.clear()

    def chunks(self) -> Iterator[bytes]:
        """All of it from the start."""
        if self._file is None:
            yield from self._memory
            return
        self._file.flush()
        decryptor, at = self._cipher.decryptor(), 0
        while piece := os.pread(self._file.fileno(), CHUNK, at):
            at += len(piece)
            yield decryptor.update(piece)
