"""A plan in the making: what one run wants to change, not yet valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from samspil.errors import Refused
from samspil.flow.compiled import CompiledFlow
from samspil.store import outbox, quarantine, receipts, runs
from samspil.store.quarantine import Held
from samspil.store.runs import State
from samspil.store.tables import first_id

if TYPE_CHECKING:
    from samspil.hub import Hub

_MANY = 5_000
ABSENT = bytes(16)  # the fingerprint of a deletion: there is no record any more


class Draft:
    """The run's counts (see ``samspil.flow.reconciliation``), its next outbox id, and what waits from earlier runs."""

    def __init__(self, hub: Hub, flow: CompiledFlow, run: int, connection: Connection) -> None:
        self.hub, self.flow, self.run, self.connection = hub, flow, run, connection
        self.counts: Counter[str] = Counter()
        self.complete = True  # every record of the source was seen: only then is a missing one deleted
        self.cursor: str | None = None
        self.doubtful = False  # only a whole read can tell whether some record is gone
        self.looked: set[bytes] = set()  # in a two-way exchange: keys of all that differed or is gone
        self._superseded: list[int] = []  # outbox rows and quarantine entries: closed when the plan is valid
        self._newer: list[bytes] = []
        self._seen: list[tuple[bytes, bytes]] = []  # held back in this very version, and still at the source
        self._last = first_id(run)
        with connection.begin():
            self._waiting = outbox.waiting(connection, flow.id)
            self._some_held = quarantine.some(connection, flow.id)
            self._refused = dict(quarantine.refused(connection, flow.id))
        self._blocked = Counter(self._refused.values())
        self._still: set[bytes] = set()  # keys of what waits and goes on waiting

    @property
    def planned(self) -> int:
        """How many outbox rows there are so far."""
        return self._last - first_id(self.run)

    def number(self) -> int:
        """The next outbox id."""
        self._last += 1
        return self._last

    def held_in_this_version(self, keys: list[bytes], prints: list[bytes]) -> list[bool]:
        """For each record whether this very version is held back already: in the quarantine or waiting behind it.

        An older version that is held back or waits is superseded by this one. What waits for a person nothing of whom
        is refused any more is planned again, so that it does not go before what it waited for.
        """
        known = quarantine.open_fingerprints(self.connection, self.flow.id, keys) if self._some_held else {}
        records = list(zip(keys, prints, strict=True))
        for key, fingerprint in records:
            if key in known and fingerprint not in known[key]:
                self._supersede_held(key)
        again, held = [], []
        for key, fingerprint in records:
            waits = self._waiting.get(key)
            if fingerprint in known.get(key, ()):
                again.append((key, fingerprint))
                held.append(True)
            elif waits and waits.fingerprint == fingerprint and waits.person in self._blocked:
                self.counts["held_waiting"] += 1
                self._still.add(key)
                held.append(True)
            else:
                self._supersede_waiting(key)
                held.append(False)
        self.counts["held_again"] += len(again)
        self._note_seen(again)
        return held

    def deletions_held(self, keys: list[bytes]) -> set[bytes]:
        """Of records that are gone, those whose deletion is held back already. What else waits is superseded."""
        known = quarantine.open_fingerprints(self.connection, self.flow.id, keys) if self._some_held else {}
        refused = [(key, ABSENT) for key in keys if ABSENT in known.get(key, ())]
        self._note_seen(refused)
        held = {key for key, _ in refused}
        for key in keys:
            waits = self._waiting.get(key)
            if waits and waits.fingerprint == ABSENT:
                self._still.add(key)
                held.add(key)
            else:
                self._supersede_waiting(key)
        self.counts["deletions_waiting"] += len(held)
        return held

    def waiting_untouched(self) -> list[bytes]:
        """Keys of what waits and was not come upon in this read as new or changed."""
        return list(self._waiting.keys() - self._still)

    def held_untouched(self) -> Sequence[bytes]:
        """The same of what is in the quarantine."""
        if not self._some_held:
            return ()
        with self.connection.begin():
            self._write_seen()
            return quarantine.untouched(self.connection, self.flow.id, self.run)

    def supersede(self, keys: Iterable[bytes]) -> None:
        """What waits or is held back of these keys is out of date: the target has what the source has now."""
        for key in keys:
            self._supersede_waiting(key)
            self._supersede_held(key)

    def _note_seen(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember what is held back and is still at the source; written many at a time."""
        self._seen += records
        if len(self._seen) >= _MANY:
            self._write_seen()

    def _write_seen(self) -> None:
        quarantine.seen(self.connection, self.flow.id, self.run, self._seen)
        self._seen.clear()

    def _supersede_waiting(self, key: bytes) -> None:
        waits = self._waiting.pop(key, None)
        if waits is not None:
            self._superseded.append(waits.id)

    def _supersede_held(self, key: bytes) -> None:
        self._newer.append(key)
        person = self._refused.pop(key, None)
        if person is not None:
            self._blocked -= Counter((person,))

    def hold(self, stage: str, key: bytes, fingerprint: bytes, refused: Refused, raw: bytes) -> Held:
        """An entry for the quarantine, sealed."""
        sealed = self.flow.sealing.hold(raw, key, fingerprint)
        return Held(key, None, fingerprint, stage, refused.reason, refused.field, refused.hint, sealed)

    def hold_page(self, rejected: list[tuple[bytes, Refused]]) -> None:
        """Hold back bytes that could not be cut. What else they held is unknown, so nothing is deleted tonight."""
        self.complete = False
        prints = [self.flow.fingerprint(raw) for raw, _ in rejected]
        with self.connection.begin():
            known = self.held_in_this_version(prints, prints)
            fresh = [
                self.hold("read", fingerprint, fingerprint, refused, raw)
                for fingerprint, (raw, refused), held in zip(prints, rejected, known, strict=True)
                if not held
            ]
            quarantine.add(self.connection, self.flow.id, self.run, fresh)
        self.counts["read"] += len(rejected)
        self.counts["held_new"] += len(fresh)

    def finish(self, *, snapshot: bool) -> None:
        """Make the plan valid, all at once. A cursor counts only if nothing before it must be read again."""
        cursor = f"{self.flow.version} {self.cursor}" if self.cursor is not None and self.complete else None
        if self.doubtful:
            cursor = ""  # from the beginning
        with self.connection.begin():
            self._write_seen()
            quarantine.supersede(self.connection, self.flow.id, self.run, self._newer)
            if snapshot and self.complete:
                quarantine.supersede_unseen(self.connection, self.flow.id, self.run)
            receipts.supersede(self.connection, self._superseded)
            if self.flow.gate is not None:
                self.counts["withheld"] = self.flow.gate.withheld(self.connection)
            outbox.close_settled_runs(self.connection, self.flow.id)
            runs.change(
                self.connection,
                self.run,
                state=State.PLANNED,
                pending=self._last > first_id(self.run),
                cursor=cursor,
                agreement=self.flow.agreement,
                counts={**self.counts, "complete": self.complete, "snapshot": snapshot and self.complete},
            )
            read = {"what": "read", "run": self.run, "records": self.counts["read"], **self.flow.context}
            self.hub.ledger.append(self.connection, read, ())
