"""A box seals payloads for one table: AES-256-GCM with associated data that names municipality, table and row."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from samspil.errors import SamspilError

NONCE = 12
_VERSION = b"\x01"  # first byte of everything sealed: which way of sealing, so that it can be changed later
_HEAD = 1 + NONCE
_NONCES = 512  # fetched at once


class Box:
    """A payload moved to another municipality, table or row won't open. ``name`` ends in a slash."""

    def __init__(self, cipher: AESGCM, name: bytes) -> None:
        self._cipher, self._name = cipher, name

    def seal(self, payload: bytes, row: bytes, person: AESGCM | None = None) -> bytes:
        """Encrypt ``payload`` for the row, under the person's key if there is one; 29 bytes longer than it was."""
        fresh = nonce()
        return _VERSION + fresh + (person or self._cipher).encrypt(fresh, payload, self._name + row)

    def seal_all(
        self, payloads: Sequence[bytes], rows: Sequence[bytes], persons: Sequence[AESGCM | None]
    ) -> list[bytes]:
        """The same of many."""
        own, name = self._cipher, self._name
        return [
            _VERSION + fresh + (person or own).encrypt(fresh, payload, name + row)
            for fresh, payload, row, person in zip(nonces(len(rows)), payloads, rows, persons, strict=True)
        ]

    def open(self, sealed: bytes, row: bytes, person: AESGCM | None = None) -> bytes:
        """Decrypt what ``seal`` made for the same row. Raises SamspilError (sealed-payload) for anything else."""
        return self.open_all((sealed,), (row,), (person,))[0]

    def open_all(self, sealed: Sequence[bytes], rows: Sequence[bytes], persons: Sequence[AESGCM | None]) -> list[bytes]:
        """The same of many."""
        if not {one[:1] for one in sealed} <= {_VERSION}:
            raise SamspilError("a stored payload is of an unknown version", reason="sealed-payload")
        own, name = self._cipher, self._name
        try:
            return [
                (person or own).decrypt(one[1:_HEAD], one[_HEAD:], name + row)
                for one, row, person in zip(sealed, rows, persons, strict=True)
            ]
        except InvalidTag:
            raise SamspilError(
                "a stored payload does not open: its row was changed or moved, or its key is another",
                reason="sealed-payload",
            ) from None


# Asking the operating system lets the other threads in each time; a seal would wait for them ten times longer than it
# takes. Several nonces are fetched at once; taking one is atomic, and a forked process must not use its parent's.
_nonces: deque[bytes] = deque()
os.register_at_fork(after_in_child=_nonces.clear)


def nonce() -> bytes:
    """Twelve random bytes that were never used before."""
    try:
        return _nonces.pop()
    except IndexError:
        first, *others = nonces(_NONCES)
        _nonces.extend(others)
        return first


def nonces(count: int) -> Sequence[bytes]:
    """As many at once."""
    return drawn(NONCE, count)


def drawn(size: int, count: int) -> Sequence[bytes]:
    """Random bytes, ``count`` times as many as ``size``; cut apart by struct, which takes a third of the time of slices."""
    return Struct(f"{size}s" * count).unpack(os.urandom(size * count))
