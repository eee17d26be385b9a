"""Settling: receipts, links, quarantine and ledger of a batch that was sent, in one transaction.

On PostgreSQL it is done by a thread while the next batch is on its way. At most one batch is under way, and leaving
waits for it; after a crash it is sent again with the same keys, as any batch without receipts is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection

from samspil.connector import Receipt
from samspil.errors import shown
from samspil.flow.background import Background
from samspil.flow.compiled import CompiledFlow
from samspil.flow.landing import landed
from samspil.store import quarantine, runs
from samspil.store.outbox import Pending
from samspil.store.receipts import Settled, settle
from samspil.store.tables import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from samspil.hub import Hub


class Settling:
    """A context manager: what settles in the background. Leaving waits for it."""

    def __init__(self, hub: Hub, flow: CompiledFlow) -> None:
        self._hub, self._flow = hub, flow
        self._background = Background(hub.store, "settle")
        self._keys: frozenset[bytes] = frozenset()

    @property
    def keys(self) -> frozenset[bytes]:
        """The records of the batch under way: who reads of them now may read too early."""
        return self._keys if self._background.busy else frozenset()

    def settle(self, batch: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        """Write what became of a batch. Raises what settling the batch before raised."""
        self._background.write(lambda connection: self._settle(connection, batch, receipts))
        self._keys = frozenset(row.key for row in batch)

    def wait(self) -> None:
        """Until nothing is under way. Raises what settling raised."""
        self._background.wait()

    def __enter__(self) -> Self:
        self._background.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._background.__exit__(*error)

    def _settle(self, connection: Connection, batch: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        flow = self._flow
        pairs = list(zip(batch, receipts, strict=True))
        settled = [self._settled(row, receipt) for row, receipt in pairs]
        held = [self._held(row, receipt) for row, receipt in pairs if receipt.refused]
        entry = self._hub.ledger.entry
        entries = [entry(s.row.key, s.row.person, s.row.id, s.row.action, s.status) for s in settled]
        settle(connection, flow.id, settled)
        landed(connection, flow, [(one, receipt.their_id) for one, receipt in zip(settled, receipts, strict=True)])
        for run, rows in groupby(held, key=lambda row: runs.run_of(row.outbox_id or 0)):
            quarantine.add(connection, flow.id, run, list(rows))
        self._hub.ledger.append(connection, {"what": "write", **flow.context}, entries)

    def _settled(self, row: Pending, receipt: Receipt) -> Settled:
        reference = shown(receipt.reference)  # a character that the database does not take would stop the flow for good
        if receipt.refused:
            return Settled(row, REFUSED, reference, None)
        if receipt.their_id is None:  # it need not repeat what it called the record when it was created
            if row.their_person == row.person:
                return Settled(row, ACCEPTED, reference, row.their_id)
            known = self._flow.sealing.named(row)
        else:
            known = receipt.their_id
        sealed = None if known is None else self._flow.sealing.name(known, row.key, row.person)
        return Settled(row, ACCEPTED, reference, sealed)

    def _held(self, row: Pending, receipt: Receipt) -> quarantine.Held:
        refused, sealing = receipt.refused, self._flow.sealing
        assert refused is not None  # noqa: S101  # for the type checker
        refused.kept()
        payload = sealing.planned(row.payload, row.id, row.key, row.person)
        return quarantine.Held(
            row.key,
            row.person,
            row.fingerprint,
            "deliver",
            refused.reason,
            refused.field,
            refused.hint,
            sealing.hold(payload, row.key, row.fingerprint, row.person),
            row.id,
        )
