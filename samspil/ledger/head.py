"""Signed tree heads: how long the ledger was at a time, and its root. Kept elsewhere, one shows a tail cut off."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from samspil.errors import SettingsError

FOLDER = "SAMSPIL_HEADS"


class Head(msgspec.Struct, frozen=True):
    """``at`` is in milliseconds since 1970; ``signature`` is Ed25519 over all the others."""

    municipality: str
    size: int
    at: int
    root: bytes
    signature: bytes = b""

    def signed(self, key: Ed25519PrivateKey) -> Self:
        """The same with its signature."""
        return msgspec.structs.replace(self, signature=key.sign(self._said()))

    def holds(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is of this key."""
        try:
            key.verify(self.signature, self._said())
        except InvalidSignature:
            return False
        return True

    def line(self) -> bytes:
        """One line of JSON, bytes in base64."""
        return msgspec.json.encode(self)

    def _said(self) -> bytes:
        numbers = self.size.to_bytes(8, "big") + self.at.to_bytes(8, "big")
        return f"samspil tree head 1 {self.municipality}\n".encode() + numbers + self.root


def keep(head: Head) -> None:
    """Append the head to the municipality's file in the folder SAMSPIL_HEADS, if one is set. Raises SettingsError."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    path = Path(folder) / f"{head.municipality}.jsonl"
    try:
        with path.open("ab") as file:
            file.write(head.line() + b"\n")
    except OSError as error:
        raise SettingsError(f"cannot be written ({error.strerror})", file=str(path), field=FOLDER) from None


def load(path: Path) -> Sequence[Head]:
    """Heads from a file, one a line. Raises SettingsError."""
    try:
        lines = path.read_bytes().split(b"\n")
        found = [msgspec.json.decode(line, type=Head) for line in lines if line.strip()]
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None
    except msgspec.DecodeError:
        found = []
    if not found:
        raise SettingsError("has no tree head: samspil ledger head writes one", file=str(path))
    return found


def written(key: Ed25519PublicKey) -> str:
    """A public key as 32 bytes in base64."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """The key from base64, or from a file that has it. Raises SettingsError."""
    path = Path(text)
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(path.read_text() if path.is_file() else text))
    except (OSError, ValueError):
        raise SettingsError(
            "is neither 32 bytes in base64 nor a file with them: samspil ledger key", field="--public-key"
        ) from None
