"""One municipality's keys: the root is unwrapped from the store, everything else comes from it.

The root stays the same when the master key is changed, since digests in the store are made with it: fingerprints and
keys of records would all differ otherwise. It is wrapped once for each version of the master key in use; that row is
also the proof that a master key is the right one before anything is sealed under it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from samspil.errors import SettingsError
from samspil.store import keys
from samspil.vault.box import NONCE, Box, nonces
from samspil.vault.master import SIZE, Master

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from samspil.store import Store

_BLOCK = 64  # bytes that SHA-256 takes at a time
_DIGEST = 16


class Vault:
    """Locked until ``unlock``: then it has the root. ``master`` may be one key of 32 bytes, as version 1."""

    def __init__(self, master: Master | bytes, municipality: str) -> None:
        self.master = Master({1: master}) if isinstance(master, bytes) else master
        self.municipality = municipality
        self._root: bytes | None = None
        self._municipal = cache(self._derive_municipal)
        self._table = cache(self._derive_table)

    def unlock(self, store: Store, *, write: bool = True) -> None:
        """Find the root in the store, or make it at the first use.

        Raises SettingsError when a master key given is not the one that the store was sealed with, or the store has
        data and no keys. With ``write=False`` nothing is written.
        """
        with store.transaction() as connection:
            there = keys.wrapped_roots(connection, self.municipality)
            if not there:
                if keys.lost(connection, self.municipality):
                    raise SettingsError(
                        "the store has a ledger of this municipality and none of its keys: restore table keys from a "
                        "backup, nothing opens without it",
                        field="SAMSPIL_STORE",
                    )
                fresh = secrets.token_bytes(SIZE)
                if write:
                    self._keep(connection, fresh)
                    there = keys.wrapped_roots(connection, self.municipality)  # another process may have been first
            self._root = self._unwrapped(there) if there else fresh
            if write and self.master.newest not in there:
                self._keep(connection, self._root)

    def _unwrapped(self, there: Mapping[int, bytes]) -> bytes:
        """The root, from every version that is given and known, so that a wrong one among them is found."""
        known = sorted(there.keys() & self.master.versions.keys())
        if not known:
            has, given = (", ".join(map(str, sorted(each))) for each in (there, self.master.versions))
            raise SettingsError(
                f"the keys in this store are sealed under version {has} of the master key, and version {given} is "
                "given; give both (1:…,2:…), then samspil keys rotate",
                field=self.master.field,
            )
        roots = set()
        for version in known:
            try:
                roots.update(self.unwrap([(there[version], version)], "keys", [b"root"]))
            except InvalidTag:
                raise SettingsError(
                    f"is not the key that the runs in this store were made with (version {version}): give the right "
                    "one; nothing was read or written",
                    field=self.master.field,
                ) from None
        return roots.pop()

    def _keep(self, connection: Connection, root: bytes) -> None:
        version = self.master.newest
        (wrapped,) = self.wrap([root], "keys", [b"root"])
        keys.add_root(connection, self.municipality, version, wrapped)

    def wrap(self, fresh: Sequence[bytes], table: str, rows: Sequence[bytes]) -> list[bytes]:
        """Keys wrapped under the municipality's newest key, each for one row of a table; 28 bytes longer than they were."""
        own, place = self._municipal(self.master.newest), self._table(table)
        return [
            nonce + own.encrypt(nonce, key, place + row)
            for nonce, key, row in zip(nonces(len(rows)), fresh, rows, strict=True)
        ]

    def unwrap(self, wrapped: Sequence[tuple[bytes, int]], table: str, rows: Sequence[bytes]) -> list[bytes]:
        """What ``wrap`` wrapped, each with the version of the master key that it was done under.

        Raises InvalidTag, or SettingsError if one of these versions is not given.
        """
        under, place = self._municipal, self._table(table)
        return [
            under(version).decrypt(one[:NONCE], one[NONCE:], place + row)
            for (one, version), row in zip(wrapped, rows, strict=True)
        ]

    def _derive_table(self, table: str) -> bytes:
        return f"{self.municipality}/{table}/".encode()

    def _derive_municipal(self, version: int) -> AESGCM:
        try:
            master = self.master.versions[version]
        except KeyError:
            raise SettingsError(
                f"some keys in this store are sealed under version {version} of the master key, which is not given; "
                "give it too, then samspil keys rotate",
                field=self.master.field,
            ) from None
        return AESGCM(_derive(master, f"samspil/2/{self.municipality}/municipality"))

    def key(self, purpose: str, length: int = SIZE) -> bytes:
        """A key for one purpose; the same each time, under every version of the master key."""
        assert self._root is not None, "the vault is locked"  # noqa: S101  # a mistake in the program
        return _derive(self._root, f"samspil/2/{self.municipality}/{purpose}", length)

    def box(self, name: str) -> Box:
        """A box that seals payloads for one table, under a key of its own where no person's is given."""
        return Box(AESGCM(self.key(f"box/{name}")), f"{self.municipality}/{name}/".encode())

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


def _derive(key: bytes, info: str, length: int = SIZE) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info.encode()).derive(key)
