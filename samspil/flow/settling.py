"""Settling: receipts, links, quarantine and ledger of a batch that was sent, in one transaction.

On PostgreSQL it is done by a thread, or by a helper, while the next batch is on its way. At most one batch is under
way, and leaving waits for it; after a crash it is sent again with the same keys, as any batch without receipts is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection

from samspil.connector import Receipt
from samspil.flow.background import Background
from samspil.flow.beside import Beside
from samspil.flow.compiled import CompiledFlow
from samspil.flow.landing import landed
from samspil.store.outbox import Pending

if TYPE_CHECKING:
    from samspil.hub import Hub


class Settling:
    """A context manager: what settles in the background. Leaving waits for it."""

    def __init__(self, hub: Hub, flow: CompiledFlow) -> None:
        self._hub, self._flow = hub, flow
        self._background = Background(hub.store, "settle")
        self._beside = Beside(hub.helper, hub.store, flow)
        self._count = 0
        self._keys: frozenset[bytes] = frozenset()

    @property
    def keys(self) -> frozenset[bytes]:
        """The records of the batch under way: who reads of them now may read too early."""
        return self._keys if self._background.busy or self._beside.busy else frozenset()

    def settle(self, batch: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        """Write what became of a batch. Raises what settling the batch before raised."""
        self.wait()
        self._count += len(batch)
        self._beside.wanted(self._count)
        if self._beside.ready:
            self._beside.settle(batch, receipts, self._hub.persons)
        else:
            self._background.write(lambda connection: self._settle(connection, batch, receipts))
        self._keys = frozenset(row.key for row in batch)

    def wait(self) -> None:
        """Until nothing is under way. Raises what settling raised."""
        self._background.wait()
        self._beside.wait()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self._background)
            undo.enter_context(self._beside)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._undo.close()

    def _settle(self, connection: Connection, batch: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        settled = self._flow.clerk.settle(connection, batch, receipts)
        landed(
            connection, self._flow, [(one, receipt.their_id) for one, receipt in zip(settled, receipts, strict=True)]
        )
