"""The keys of persons, looked up and made in bulk: one query for a batch, not one for each record.

Destroying a person's key makes everything sealed under it unreadable, wherever a copy of it lies without table
``persons``. The row stays without its key: the person was erased, and no key is ever made for that person again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from samspil.errors import SamspilError, SettingsError
from samspil.store import keys, persons
from samspil.store.tables import DIGEST
from samspil.vault.master import SIZE
from samspil.vault.vault import Vault

_KEPT = 1_500  # keys in memory, 2.6 KB each as OpenSSL has them, and as many again of the batches before, twice


class Persons:
    """One municipality's persons. A key that was fetched is at hand for two more batches: they overlap."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._now: dict[bytes, AESGCM] = {}
        self._before: dict[bytes, AESGCM] = {}
        self._older: dict[bytes, AESGCM] = {}

    def fetch(
        self, connection: Connection, wanted: Iterable[bytes | None], *, create: bool = False
    ) -> frozenset[bytes]:
        """Make the keys of these persons ready; those of them who are erased are returned.

        With ``create`` a person who is new gets a key, in the caller's transaction: commit it before anything that is
        sealed under the key. Raises SettingsError when the master key was changed meanwhile.
        """
        if len(self._now) > _KEPT:
            self._older = self._before  # in this order: another thread may be looking for a key of a batch before
            self._before = self._now
            self._now = {}
        missing = []
        for person in {person for person in wanted if person is not None}:
            if person not in self._now:
                if person in self._before:
                    self._now[person] = self._before[person]
                else:
                    missing.append(person)
        erased: set[bytes] = set()
        if missing:
            unknown = self._look_up(connection, sorted(missing), erased)
            if unknown and create:
                self._make(connection, unknown, erased)
        return frozenset(erased)

    def forget(self) -> None:
        """Let go of every key at hand."""
        self._now, self._before, self._older = {}, {}, {}

    def cipher(self, person: bytes | None) -> AESGCM | None:
        """A person's key, which was fetched. None for nobody. Raises SamspilError (no-key) if there is none."""
        if person is None:
            return None
        found = self._now.get(person) or self._before.get(person) or self._older.get(person)
        if found is None:
            raise SamspilError("a stored payload is of a person whose key is not there", reason="no-key")
        return found

    def _look_up(self, connection: Connection, wanted: list[bytes], erased: set[bytes]) -> list[bytes]:
        """Those who have no row yet."""
        known = set()
        for row in persons.find(connection, self._vault.municipality, wanted):
            known.add(row.person)
            if row.wrapped is None:
                erased.add(row.person)
                continue
            try:
                key = self._vault.unwrap(row.wrapped, row.version, "persons", row.person + row.handle)
            except InvalidTag:
                raise SamspilError(
                    "a person's key does not open: its row was changed or moved", reason="sealed-payload"
                ) from None
            self._now[row.person] = AESGCM(key)
        return [person for person in wanted if person not in known] if len(known) < len(wanted) else []

    def _make(self, connection: Connection, unknown: list[bytes], erased: set[bytes]) -> None:
        vault = self._vault
        if not keys.in_use(connection, vault.municipality, vault.master.newest):
            raise SettingsError(
                "the master key was changed while this ran: start again with the new one", field=vault.master.field
            )
        random = os.urandom((DIGEST + SIZE) * len(unknown))
        rows, made = [], {}
        for at, person in enumerate(unknown):
            start = at * (DIGEST + SIZE)
            handle, key = random[start : start + DIGEST], random[start + DIGEST : start + DIGEST + SIZE]
            rows.append((person, handle, vault.wrap(key, "persons", person + handle)))
            made[person] = AESGCM(key)
        if persons.add(connection, vault.municipality, vault.master.newest, rows) == len(rows):
            self._now.update(made)
        else:  # another process met one of them at the same moment: its key counts
            self._look_up(connection, unknown, erased)
