"""A clerk seals and writes what was decided for one flow, and what became of it. Here, or in a process beside (``helper``).

It knows keys, boxes and the store, and nothing of systems, mappings or agreements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any

import msgspec
from sqlalchemy import Connection

from samspil.connector import Receipt
from samspil.errors import shown
from samspil.flow.sealing import Sealing
from samspil.ledger import Ledger
from samspil.ledger.entry import Told
from samspil.store import consents, outbox, quarantine, runs
from samspil.store.outbox import Pending
from samspil.store.quarantine import Held
from samspil.store.receipts import Settled, settle
from samspil.store.tables import ACCEPTED, REFUSED
from samspil.vault import few

Planned = tuple[int, bytes, bytes | None, int, bytes, bytes]  # as outbox.COLUMNS, its payload open
Link = tuple[int, bytes, bytes, int, int | None, bytes | None, bytes | None]  # as outbox.LINK


class Decided(msgspec.Struct, frozen=True):
    """What is to be done with records that were read in a run, and what the ledger is told of each."""

    run: int
    planned: list[Planned]
    filtered: list[Link]
    same: list[tuple[bytes, bytes]]  # key and fingerprint
    held: list[Held]
    entries: list[Told]
    learnt: Sequence[tuple[bytes, bytes, bool]] = ()  # consents: of which record, whose, given
    kept_back: Sequence[tuple[bytes, bytes]] = ()  # records, and whose, for want of one


class Clerk:
    """One flow's. The persons concerned must have been fetched."""

    def __init__(self, flow: int, context: Mapping[str, Any], sealing: Sealing, ledger: Ledger) -> None:
        self._flow, self._context, self._sealing, self._ledger = flow, context, sealing, ledger

    def plan(self, connection: Connection, decided: Decided) -> None:
        """Write what was decided, in the caller's transaction."""
        planned: list[tuple[Any, ...]] = []
        packed: list[bytes] = []
        for rows, told in zip_longest(few(decided.planned), few(decided.entries), fillvalue=()):
            planned += self._sealing.plan(rows)  # a few at a time: nearly always both are of the same persons
            packed += self._ledger.pack(told)
        outbox.add(connection, planned)
        outbox.upsert_links(connection, decided.filtered)
        outbox.refresh(connection, self._flow, decided.same)
        quarantine.add(connection, self._flow, decided.run, decided.held)
        consents.learn(connection, self._flow, decided.learnt)
        consents.withhold(connection, self._flow, decided.kept_back)
        if packed:
            self._ledger.append(connection, {"what": "read", "run": decided.run, **self._context}, packed)

    def settle(self, connection: Connection, rows: Sequence[Pending], receipts: Sequence[Receipt]) -> Sequence[Settled]:
        """Write receipts, links, quarantine and ledger of rows that were sent, in the caller's transaction."""
        pairs = list(zip(rows, receipts, strict=True))
        settled: list[Settled] = []
        entries: list[bytes] = []
        for some in few(pairs):
            named = [
                # a character that the database does not take would stop the flow for good
                Settled(row, REFUSED if receipt.refused else ACCEPTED, shown(receipt.reference), name)
                for (row, receipt), name in zip(some, self.names(some), strict=True)
            ]
            settled += named
            entries += self._ledger.pack(
                [(row.key, row.person, row.id, row.action, status) for row, status, *_ in named]
            )
        held = [self._held(row, receipt) for row, receipt in pairs if receipt.refused]
        settle(connection, self._flow, settled)
        for run, some_held in groupby(held, key=lambda row: runs.run_of(row.outbox_id or 0)):
            quarantine.add(connection, self._flow, run, list(some_held))
        self._ledger.append(connection, {"what": "write", **self._context}, entries)
        return settled

    def names(self, pairs: Sequence[tuple[Pending, Receipt]]) -> Sequence[bytes | None]:
        """What the target calls the records now, sealed; None of one without a name, or refused."""
        sealing = self._sealing
        names: list[bytes | None] = []
        told: list[tuple[int, str, bytes, bytes | None]] = []  # the first is the index among the names
        for row, receipt in pairs:
            if receipt.refused:
                names.append(None)
                continue
            known = receipt.their_id
            if known is None and row.their_person != row.person:  # sealed under the key of another than now
                known = sealing.named(row)
            if known is not None:
                told.append((len(names), known, row.key, row.person))
            names.append(row.their_id)  # which it need not repeat
        for (at, *_), name in zip(told, sealing.names([one[1:] for one in told]), strict=True):
            names[at] = name
        return names

    def _held(self, row: Pending, receipt: Receipt) -> Held:
        refused, sealing = receipt.refused, self._sealing
        assert refused is not None  # noqa: S101  # for the type checker
        refused.kept()
        return Held(
            row.key,
            row.person,
            row.fingerprint,
            "deliver",
            refused.reason,
            refused.field,
            refused.hint,
            sealing.hold(row.payload, row.key, row.fingerprint, row.person),
            row.id,
        )
