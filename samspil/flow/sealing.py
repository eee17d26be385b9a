"""Where a flow's payloads lie, and under whose key: the person's where the person is known, else the municipality's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from samspil.store.outbox import Pending
from samspil.vault import Persons, Vault


class Sealing:
    """One flow's boxes. A payload that goes from one table to another is opened and sealed anew.

    The persons concerned must have been fetched: ``hub.persons.fetch``, once for a batch.
    """

    def __init__(self, vault: Vault, persons: Persons, flow: str) -> None:
        self._persons = persons
        self._outbox = vault.box(f"outbox/{flow}")
        self._quarantine = vault.box(f"quarantine/{flow}")
        self._links = vault.box(f"links/{flow}")

    def ready(self, connection: Connection, persons: Iterable[bytes | None]) -> None:
        """Make ready the keys of these persons, who have one."""
        self._persons.fetch(connection, persons)

    def plan(self, payload: bytes, number: int, key: bytes, person: bytes | None) -> bytes:
        """Seal a payload for the outbox row of that number."""
        return self._outbox.seal(payload, number.to_bytes(8, "big") + key, self._persons.cipher(person))

    def planned(self, sealed: bytes, number: int, key: bytes, person: bytes | None) -> bytes:
        """What ``plan`` sealed. Raises SamspilError (sealed-payload)."""
        return self._outbox.open(sealed, number.to_bytes(8, "big") + key, self._persons.cipher(person))

    def hold(self, payload: bytes, key: bytes, fingerprint: bytes, person: bytes | None = None) -> bytes:
        """Seal what is held back, for the quarantine."""
        return self._quarantine.seal(payload, key + fingerprint, self._persons.cipher(person))

    def held(self, entry: Any) -> bytes:
        """The payload of an entry of the quarantine. Raises SamspilError (sealed-payload)."""
        return self._quarantine.open(entry.payload, entry.key + entry.fingerprint, self._persons.cipher(entry.person))

    def name(self, their_id: str, key: bytes, person: bytes | None) -> bytes:
        """Seal what the target calls a record."""
        return self._links.seal(their_id.encode(), key, self._persons.cipher(person))

    def named(self, row: Pending) -> str | None:
        """What the target calls a pending row's record; None if it has none yet. Raises SamspilError."""
        if row.their_id is None:
            return None
        return self._links.open(row.their_id, row.key, self._persons.cipher(row.their_person)).decode()
