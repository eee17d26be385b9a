"""The keys of persons, looked up and made in bulk: one query for a batch, not one for each record.

A key at hand is 32 bytes. What OpenSSL makes of it to cipher with is 2.6 KB, and a batch of those is in no processor's
cache: they are made for a few persons at a time, of whom all is done together (``few``).

Destroying a person's key makes everything sealed under it unreadable, wherever a copy of it lies without table
``persons``. The row stays without its key: the person was erased, and no key is ever made for that person again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from samspil.errors import SamspilError, SettingsError
from samspil.store import keys, persons
from samspil.store.persons import Person
from samspil.store.tables import DIGEST
from samspil.vault.box import drawn
from samspil.vault.master import SIZE
from samspil.vault.vault import Vault

_KEPT = 2_000  # keys in memory, and as many again of the batches before, twice
_FEW = 256  # ciphers made at once

T = TypeVar("T")


class Persons:
    """One municipality's persons. A key that was fetched is at hand for two more batches: they overlap."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._now: dict[bytes, bytes] = {}
        self._before: dict[bytes, bytes] = {}
        self._older: dict[bytes, bytes] = {}
        self._made = _Made()
        self._mostly_new = False

    def fetch(
        self,
        connection: Connection,
        wanted: Iterable[bytes | None] = (),
        *,
        new: Iterable[bytes | None] = (),
        found: Sequence[Person] = (),
    ) -> frozenset[bytes]:
        """Make the keys of all these persons ready; those of them who are erased are returned.

        Those in ``found`` were looked up already.

        Of those in ``new`` who has no key gets one, in the caller's transaction: commit it before anything that is
        sealed under the key, and do it in ``making``. Raises SettingsError when the master key was changed meanwhile.
        """
        if len(self._now) > _KEPT:
            self._older = self._before  # in this order: another thread may be looking for a key of a batch before
            self._before = self._now
            self._now = {}
        erased: set[bytes] = set()
        if missing := self._missing(new):
            self._take_in(connection, sorted(missing), erased)  # in one order: two processes may meet
        if missing := self._missing(row.person for row in found):
            self._open(list({row.person: row for row in found if row.person in missing}.values()), erased)
        if missing := self._missing(wanted):
            self._look_up(connection, missing, erased)
        return frozenset(erased)

    def hold(self, keys: Iterable[tuple[bytes, bytes]]) -> None:
        """Have these persons' keys at hand, and no others."""
        self.forget()
        self._now.update(keys)

    def at_hand(self, persons: Iterable[bytes | None]) -> list[tuple[bytes, bytes]]:
        """The keys of persons who were fetched. Raises SamspilError (no-key)."""
        unique = list({person for person in persons if person is not None})
        return list(zip(unique, self._keys(unique), strict=True))

    def forget(self) -> None:
        """Let go of every key at hand."""
        self._now, self._before, self._older = {}, {}, {}
        self._made = _Made()

    @contextmanager
    def making(self) -> Iterator[None]:
        """Work that makes keys. If it fails, a key may be at hand that has no row: none stays."""
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def ciphers(self, persons: Sequence[bytes | None]) -> Sequence[AESGCM | None]:
        """What ciphers with the keys of these persons, which were fetched; None for nobody. A few at a time: see ``few``.

        The next call of the same thread for the same persons makes none anew. Raises SamspilError (no-key) if a key is
        not there.
        """
        last, wanted = self._made, list(persons)
        if wanted != last.persons:
            unique = list(dict.fromkeys(each for each in wanted if each is not None))
            made = list(map(AESGCM, self._keys(unique)))
            last.ciphers = made
            if len(made) < len(wanted):
                of: dict[bytes | None, AESGCM] = dict(zip(unique, made, strict=True))
                last.ciphers = list(map(of.get, wanted))
            last.persons = wanted
        return last.ciphers

    def cipher(self, person: bytes | None) -> AESGCM | None:
        """The same of one."""
        return self.ciphers((person,))[0]

    def _keys(self, persons: Sequence[bytes]) -> Sequence[bytes]:
        now, before, older = self._now, self._before, self._older
        for batch in (now, before, older):  # most often they were fetched together
            with suppress(KeyError):
                return list(map(batch.__getitem__, persons))
        try:
            return [now.get(person) or before.get(person) or older[person] for person in persons]
        except KeyError:
            raise SamspilError("a stored payload is of a person whose key is not there", reason="no-key") from None

    def _missing(self, wanted: Iterable[bytes | None]) -> set[bytes]:
        """Those whose key is not at hand."""
        missing = {person for person in set(wanted).difference(self._now) if person is not None}
        if again := missing.intersection(self._before):
            self._now.update((person, self._before[person]) for person in again)
            missing -= again
        return missing

    def _take_in(self, connection: Connection, persons: list[bytes], erased: set[bytes]) -> None:
        """Look up those who are known, and make keys for the others. What was more last time is tried first."""
        unknown = persons if self._mostly_new else self._look_up(connection, persons, erased)
        made = self._make(connection, unknown) if unknown else 0
        if made < len(unknown):  # some were known, or another process met one of them at the same moment
            self._look_up(connection, unknown, erased)
        self._mostly_new = made * 2 > len(persons)

    def _look_up(self, connection: Connection, wanted: Collection[bytes], erased: set[bytes]) -> list[bytes]:
        """Those who have no row yet."""
        found = persons.find(connection, self._vault.municipality, list(wanted))
        self._open(found, erased)
        return sorted(set(wanted).difference(row.person for row in found)) if len(found) < len(wanted) else []

    def _open(self, found: Sequence[Person], erased: set[bytes]) -> None:
        known = [row for row in found if row.wrapped is not None]
        if len(known) < len(found):
            erased.update(row.person for row in found if row.wrapped is None)
        try:
            opened = self._vault.unwrap(
                [(row.wrapped or b"", row.version) for row in known],
                "persons",
                [row.person + row.handle for row in known],
            )
        except InvalidTag:
            raise SamspilError(
                "a person's key does not open: its row was changed or moved", reason="sealed-payload"
            ) from None
        self._now.update(zip([row.person for row in known], opened, strict=True))

    def _make(self, connection: Connection, unknown: list[bytes]) -> int:
        """Make keys for persons; for how many there was none. Those of them are at hand if that is all."""
        vault = self._vault
        if not keys.in_use(connection, vault.municipality, vault.master.newest):
            raise SettingsError(
                "the master key was changed while this ran: start again with the new one", field=vault.master.field
            )
        handles, fresh = drawn(DIGEST, len(unknown)), drawn(SIZE, len(unknown))
        wrapped = vault.wrap(fresh, "persons", list(map(bytes.__add__, unknown, handles)))
        made = persons.add(connection, vault.municipality, vault.master.newest, unknown, handles, wrapped)
        if made == len(unknown):
            self._now.update(zip(unknown, fresh, strict=True))
        return made


class _Made(threading.local):
    """The ciphers that a thread made last, and whose they are."""

    def __init__(self) -> None:
        self.persons: Sequence[bytes | None] = []
        self.ciphers: Sequence[AESGCM | None] = []


def few(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many rows at a time as there should be ciphers at once."""
    for start in range(0, len(rows), _FEW):
        yield rows[start : start + _FEW]
