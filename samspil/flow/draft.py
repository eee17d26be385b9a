"""A plan in the making: what one run wants to change, not yet valid."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from samspil.errors import Refused
from samspil.flow.compiled import CompiledFlow
from samspil.store import outbox, quarantine, runs
from samspil.store.quarantine import Held
from samspil.store.runs import State
from samspil.store.tables import first_id

if TYPE_CHECKING:
    from samspil.hub import Hub

ABSENT = bytes(16)  # the fingerprint of a deletion: there is no record any more


class Draft:
    """The run's counts (see ``samspil.flow.reconciliation``), its next outbox id, and what waits from earlier runs."""

    def __init__(self, hub: Hub, flow: CompiledFlow, run: int, connection: Connection) -> None:
        self.hub, self.flow, self.run, self.connection = hub, flow, run, connection
        self.counts: Counter[str] = Counter()
        self.complete = True  # every record of the source was seen: only then is a missing one deleted
        self.cursor: str | None = None
        self.superseded: list[int] = []
        self._last = first_id(run)
        with connection.begin():
            self.waiting = outbox.waiting(connection, flow.id)
            self._some_held = quarantine.count_open(connection, flow.id) > 0

    def number(self) -> int:
        """The next outbox id."""
        self._last += 1
        return self._last

    def held_in_this_version(self, keys: list[bytes], prints: list[bytes]) -> list[bool]:
        """For each record whether this very version is held back already: in the quarantine or waiting behind it.

        An older version that is held back or waits is superseded by this one.
        """
        known = quarantine.open_fingerprints(self.connection, self.flow.id, keys) if self._some_held else {}
        again, newer, held = [], [], []
        for key, fingerprint in zip(keys, prints, strict=True):
            number, waits = self.waiting.get(key, (0, b""))
            held.append(fingerprint in (known.get(key), waits))
            if known.get(key) == fingerprint:
                again.append(key)
            elif waits == fingerprint:
                self.counts["held_waiting"] += 1
            else:
                newer += [key] if key in known else []
                self.superseded += [number] if number else []
        self.counts["held_again"] += len(again)
        quarantine.seen(self.connection, self.flow.id, self.run, again)
        quarantine.supersede(self.connection, self.flow.id, newer)
        return held

    def hold(self, stage: str, key: bytes, fingerprint: bytes, refused: Refused, raw: bytes) -> Held:
        """An entry for the quarantine, sealed."""
        sealed = self.flow.box.seal(raw, key)
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
        """Make the plan valid, all at once."""
        with self.connection.begin():
            if snapshot and self.complete:
                quarantine.supersede_unseen(self.connection, self.flow.id, self.run)
            outbox.supersede(self.connection, self.superseded)
            outbox.close_settled_runs(self.connection, self.flow.id)
            runs.change(
                self.connection,
                self.run,
                state=State.PLANNED,
                pending=self._last > first_id(self.run),
                cursor=self.cursor,
                counts={**self.counts, "complete": self.complete},
            )
            read = {"what": "read", "run": self.run, "records": self.counts["read"], **self.flow.context}
            self.hub.ledger.append(self.connection, read, ())
