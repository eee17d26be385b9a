"""Keys: sealing what is stored, fingerprints, and pseudonyms. Everything is derived from one master key.

One master key per installation, given as 32 bytes in base64 in ``SAMSPIL_KEY`` or in the file named by
``SAMSPIL_KEY_FILE``. From it HKDF-SHA-256 makes a separate key for each municipality and purpose, so that a
payload sealed for one municipality cannot be opened as another's, and a fingerprint says nothing about a CPR
number to anyone without the key (an unkeyed hash of a CPR number is undone in minutes).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from samspil.errors import SamspilError, SettingsError

_VERSION = b"\x01"  # first byte of everything sealed: which way of sealing, so that it can be changed later
_NONCE = 12
_NONCES = 512  # fetched at once
_BLOCK = 64  # bytes that SHA-256 takes at a time
_DIGEST = 16


class Vault:
    """One municipality's keys."""

    def __init__(self, master: bytes, municipality: str) -> None:
        if len(master) != 32:
            raise SettingsError("must be 32 bytes, in base64", field="SAMSPIL_KEY")
        self._master, self._municipality = master, municipality

    @classmethod
    def from_environment(cls, municipality: str) -> Vault:
        """Read the master key. Raises SettingsError without saying anything of the key."""
        text = os.environ.get("SAMSPIL_KEY", "")
        path = os.environ.get("SAMSPIL_KEY_FILE", "")
        if path and not text:
            try:
                text = Path(path).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError):
                raise SettingsError("cannot be read", file=path, field="SAMSPIL_KEY_FILE") from None
        if not text:
            raise SettingsError(
                "no master key: set SAMSPIL_KEY or SAMSPIL_KEY_FILE (make one: openssl rand -base64 32)",
                field="SAMSPIL_KEY",
            )
        try:
            return cls(base64.b64decode(text.strip(), validate=True), municipality)
        except binascii.Error:
            raise SettingsError("must be 32 bytes, in base64", field="SAMSPIL_KEY") from None

    def key(self, purpose: str, length: int = 32) -> bytes:
        """A key for one purpose; the same each time."""
        info = f"samspil/1/{self._municipality}/{purpose}".encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._master)

    def box(self, name: str) -> Box:
        """A box that seals payloads under a key of its own."""
        return Box(self.key(f"box/{name}"), f"{self._municipality}/{name}/".encode())

    def digest(self, purpose: str) -> Callable[[bytes], bytes]:
        """A keyed SHA-256 cut to 16 bytes: fingerprints, and pseudonyms of keys and persons.

        The key fills the first block, and half of the result is cut off, so nothing can be appended to what was
        hashed; what HMAC does beside this takes as long again.
        """
        keyed = sha256(self.key(f"digest/{purpose}", _BLOCK))

        def digest(data: bytes) -> bytes:
            state = keyed.copy()  # the key's block is hashed once, not once per record
            state.update(data)
            return state.digest()[:_DIGEST]

        return digest

    def signer(self) -> Ed25519PrivateKey:
        """The key that signs the ledger."""
        return Ed25519PrivateKey.from_private_bytes(self.key("ledger"))


class Box:
    """AES-256-GCM with associated data that names municipality, table and row: a payload moved elsewhere won't open."""

    def __init__(self, key: bytes, name: bytes) -> None:
        self._cipher, self._name = AESGCM(key), name

    def seal(self, payload: bytes, row: bytes) -> bytes:
        """Encrypt ``payload`` for the row; 29 bytes longer than it was."""
        nonce = _nonce()
        return _VERSION + nonce + self._cipher.encrypt(nonce, payload, self._name + row)

    def open(self, sealed: bytes, row: bytes) -> bytes:
        """Decrypt what ``seal`` made for the same row. Raises SamspilError (sealed-payload) for anything else."""
        if sealed[:1] != _VERSION:
            raise SamspilError("a stored payload is of an unknown version", reason="sealed-payload")
        try:
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], self._name + row)
        except InvalidTag:
            raise SamspilError(
                "a stored payload does not open: wrong SAMSPIL_KEY, or the row was changed", reason="sealed-payload"
            ) from None


# Asking the operating system lets the other threads in each time; a seal would wait for them ten times longer than it
# takes. Several nonces are fetched at once; taking one is atomic, and a forked process must not use its parent's.
_nonces: deque[bytes] = deque()
os.register_at_fork(after_in_child=_nonces.clear)


def _nonce() -> bytes:
    try:
        return _nonces.pop()
    except IndexError:
        fresh = os.urandom(_NONCE * _NONCES)
        _nonces.extend(fresh[at : at + _NONCE] for at in range(_NONCE, len(fresh), _NONCE))
        return fresh[:_NONCE]
