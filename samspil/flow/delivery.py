"""Deliver: the outbox to the target, in batches, in order per person, a receipt for each record.

A crash anywhere is resumed from the outbox: what has no receipt is sent again with the same idempotency key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from samspil.connector import Receipt
from samspil.errors import SamspilError, Unavailable
from samspil.flow.calm import calm
from samspil.flow.compiled import CompiledFlow
from samspil.flow.landing import still_right
from samspil.flow.pending import Due, PendingRows
from samspil.flow.settling import Settling
from samspil.store import outbox, quarantine, runs
from samspil.store.outbox import Pending
from samspil.store.receipts import supersede_disagreed
from samspil.store.tables import MAX_RUN, PUT, first_id

if TYPE_CHECKING:
    from samspil.hub import Hub


class Delivery:
    """Everything the flow has pending, sent and settled."""

    def __init__(self, hub: Hub, flow: CompiledFlow) -> None:
        self._hub, self._flow = hub, flow
        self._settling = Settling(hub, flow)
        self._nameless = 0  # records that the target took, and did not say what it calls them
        with hub.store.transaction() as connection:
            self._blocked = quarantine.blocked_persons(connection, flow.id)

    def run(self) -> None:
        """Deliver everything that may be, replays before the others, which may wait for them.

        Raises AccessError or Unavailable; what is settled stays settled. Unavailable too (``receipt-without-id``) when all
        else is done and the target took a record without a name: settled like that, its next change would make a second one.
        """
        with self._hub.store.transaction() as connection:
            supersede_disagreed(connection, self._flow.id, self._flow.agreement)
            if self._flow.gate is not None:
                self._flow.gate.stop(connection)
            replays = runs.replays(connection, self._flow.id)
        with calm(), self._settling, PendingRows(self._hub, self._flow, self._settling) as pending:
            for run in replays:
                self._deliver(pending, after=first_id(run), before=first_id(run + 1))
            self._deliver(pending, after=0, before=first_id(MAX_RUN))
        with self._hub.store.transaction() as connection:
            outbox.close_settled_runs(connection, self._flow.id)
        if self._nameless:
            raise Unavailable(
                f"took {self._nameless} new records and did not say what it calls them; it is asked again with the same keys",
                system=self._flow.flow.target,
                reason="receipt-without-id",
            )

    def _deliver(self, pending: PendingRows, *, after: int, before: int) -> None:
        for due in pending.chunks(after, before):
            for wave in _waves(due):
                for start in range(0, len(wave), self._flow.writes.batch):
                    batch = wave[start : start + self._flow.writes.batch]
                    self._send([each for each in batch if self._may_go(each.row)])

    def _may_go(self, row: Pending) -> bool:
        """A person's records wait behind one of theirs that was refused, until that one is settled."""
        return row.person is None or row.person not in self._blocked

    def _send(self, due: Sequence[Due]) -> None:
        flow = self._flow
        batch = still_right(self._hub.store, flow, [row for row, _ in due])
        if not batch:
            return
        right = {row.id for row in batch}
        receipts = flow.target.write(flow.flow.schema, [change for row, change in due if row.id in right])
        if len(receipts) != len(batch):
            raise SamspilError(
                f"{flow.flow.target}: {len(receipts)} receipts for {len(batch)} records", reason="receipts"
            )
        pairs = list(zip(batch, receipts, strict=True))
        named = [pair for pair in pairs if not _lacks_name(*pair)] if flow.writes.idempotency == "key" else pairs
        if len(named) < len(pairs):
            self._nameless += len(pairs) - len(named)
            self._block(row for row, receipt in pairs if _lacks_name(row, receipt))
        self._block(row for row, receipt in pairs if receipt.refused)
        if named:
            self._settling.settle([row for row, _ in named], [receipt for _, receipt in named])

    def _block(self, rows: Iterable[Pending]) -> None:
        self._blocked.update(row.person for row in rows if row.person is not None)


def _lacks_name(row: Pending, receipt: Receipt) -> bool:
    """Whether a record was made at a target that keeps keys, and can never be named there."""
    return row.action == PUT and row.their_id is None and receipt.refused is None and receipt.their_id is None


def _waves(due: Sequence[Due]) -> Sequence[Sequence[Due]]:
    """Split so that a wave has at most one row of each person: one that is refused can stop those that follow."""
    waves: list[list[Due]] = []
    seen: Counter[bytes] = Counter()
    for each in due:
        who = each.row.person or each.row.key
        at = seen[who]
        seen[who] += 1
        if at == len(waves):
            waves.append([])
        waves[at].append(each)
    return waves
