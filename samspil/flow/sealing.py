"""Where a flow's payloads lie, and under whose key: the person's where the person is known, else the municipality's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

from sqlalchemy import Connection

from samspil.store.outbox import Pending
from samspil.vault import Persons, Vault, few

_number = Struct(">Q").pack  # of an outbox row, as it is sealed with its payload


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

    def plan(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows of the outbox, in the order of its COLUMNS: the same with their payloads sealed."""
        planned: list[tuple[Any, ...]] = []
        for some in few(rows):
            numbers, keys, persons, actions, prints, payloads = zip(*some, strict=True)
            places = list(map(bytes.__add__, map(_number, numbers), keys))
            sealed = self._outbox.seal_all(payloads, places, self._persons.ciphers(persons))
            planned += zip(numbers, keys, persons, actions, prints, sealed, strict=True)
        return planned

    def planned(self, sealed: bytes, number: int, key: bytes, person: bytes | None) -> bytes:
        """A payload that ``plan`` sealed. Raises SamspilError (sealed-payload)."""
        return self._outbox.open(sealed, _number(number) + key, self._persons.cipher(person))

    def pending(self, rows: Sequence[Pending]) -> list[bytes]:
        """The payloads of pending rows. Raises as ``planned`` does."""
        opened: list[bytes] = []
        for some in few(rows):
            sealed, places = [row.payload for row in some], [_number(row.id) + row.key for row in some]
            opened += self._outbox.open_all(sealed, places, self._persons.ciphers([row.person for row in some]))
        return opened

    def hold(self, payload: bytes, key: bytes, fingerprint: bytes, person: bytes | None = None) -> bytes:
        """Seal what is held back, for the quarantine."""
        return self._quarantine.seal(payload, key + fingerprint, self._persons.cipher(person))

    def held(self, entry: Any) -> bytes:
        """The payload of an entry of the quarantine. Raises SamspilError (sealed-payload)."""
        return self._quarantine.open(entry.payload, entry.key + entry.fingerprint, self._persons.cipher(entry.person))

    def names(self, names: Sequence[tuple[str, bytes, bytes | None]]) -> list[bytes]:
        """Seal what the target calls records: each with the record's key and person."""
        ciphers = self._persons.ciphers([person for _, _, person in names])
        return self._links.seal_all(
            [their_id.encode() for their_id, *_ in names], [key for _, key, _ in names], ciphers
        )

    def name(self, their_id: str, key: bytes, person: bytes | None) -> bytes:
        """The same of one."""
        return self.names([(their_id, key, person)])[0]

    def named(self, row: Pending) -> str | None:
        """What the target calls a pending row's record; None if it has none yet. Raises SamspilError."""
        if row.their_id is None:
            return None
        return self._links.open(row.their_id, row.key, self._persons.cipher(row.their_person)).decode()
