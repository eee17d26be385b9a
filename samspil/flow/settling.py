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
from samspil.vault import few

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
        flow, ledger = self._flow, self._hub.ledger
        pairs = list(zip(batch, receipts, strict=True))
        settled: list[Settled] = []
        entries: list[bytes] = []
        for some in few(pairs):
            named = [
                # a character that the database does not take would stop the flow for good
                Settled(row, REFUSED if receipt.refused else ACCEPTED, shown(receipt.reference), name)
                for (row, receipt), name in zip(some, self._names(some), strict=True)
            ]
            settled += named
            entries += ledger.pack([(row.key, row.person, row.id, row.action, status) for row, status, *_ in named])
        held = [self._held(row, receipt) for row, receipt in pairs if receipt.refused]
        settle(connection, flow.id, settled)
        landed(connection, flow, [(one, receipt.their_id) for one, receipt in zip(settled, receipts, strict=True)])
        for run, rows in groupby(held, key=lambda row: runs.run_of(row.outbox_id or 0)):
            quarantine.add(connection, flow.id, run, list(rows))
        ledger.append(connection, {"what": "write", **flow.context}, entries)

    def _names(self, pairs: Sequence[tuple[Pending, Receipt]]) -> Sequence[bytes | None]:
        """What the target calls the records now, sealed; None of one without a name, or refused."""
        sealing = self._flow.sealing
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

    def _held(self, row: Pending, receipt: Receipt) -> quarantine.Held:
        refused, sealing = receipt.refused, self._flow.sealing
        assert refused is not None  # noqa: S101  # for the type checker
        refused.kept()
        return quarantine.Held(
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
