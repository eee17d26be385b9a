"""Engines broken on purpose, each in one place: proof that the faults would show it.

``python -m chaos --broken links-at-plan`` must not come out as all zero.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from samspil.connector import Receipt
from samspil.errors import Unavailable
from samspil.flow import clerk, pending, planning
from samspil.flow.changes import Changes
from samspil.flow.deletions import hold_duplicates
from samspil.flow.delivery import Delivery
from samspil.flow.draft import Draft
from samspil.flow.pending import Due, PendingRows
from samspil.flow.settling import Settling
from samspil.store import quarantine, runs, tables
from samspil.store.comparison import Comparison
from samspil.store.outbox import Pending, upsert_links
from samspil.store.receipts import Settled, settle


def _set(owner: Any, name: str, value: Any) -> None:
    getattr(owner, name)  # what is not there would break nothing
    setattr(owner, name, value)


def _receipts_first() -> None:
    """Receipts are written before the target has answered."""

    def send(self: Any, due: Sequence[Due]) -> None:
        if due:
            changes = [change for _, change in due]
            self._settling.settle([row for row, _ in due], [Receipt(their_id=one.their_id or "O0") for one in changes])
            self._settling.wait()
            self._flow.target.write(self._flow.flow.schema, changes)

    _set(Delivery, "_send", send)


def _new_keys() -> None:
    """What is sent again has another idempotency key."""
    _set(pending, "_uuid", lambda _: str(uuid.uuid4()))


def _cursor_first() -> None:
    """The cursor moves when the source was read, before anything of it is sure."""
    real = hold_duplicates

    def hold(made: Draft, keys: Sequence[bytes]) -> None:
        if made.cursor is not None:
            cursor = f"{made.flow.version} {made.cursor}"
            with made.connection.begin():
                flow = tables.flows.c.id == made.flow.id
                made.connection.execute(update(tables.flows).where(flow).values(cursor=cursor))
        real(made, keys)

    _set(planning, "hold_duplicates", hold)


def _links_at_plan() -> None:
    """What is planned is taken to be what the target has."""
    real = Changes.write

    def write(self: Any, connection: Connection) -> None:
        real(self, connection)
        rows = [(self._flow.id, row[1], row[4], tables.DELIVERED, row[0], None, row[2]) for row in self._planned]
        upsert_links(connection, rows)

    _set(Changes, "write", write)


def _no_order() -> None:
    """A person's records do not wait for each other."""
    real = PendingRows._read  # noqa: SLF001
    _set(Delivery, "_may_go", lambda *_: True)
    _set(quarantine, "blocked_persons", lambda *_: set())
    _set(PendingRows, "_read", lambda self, *between: list(reversed(real(self, *between))))


def _nothing_resumed() -> None:
    """What a run left undone is forgotten by the next."""

    def forget(connection: Connection, flow: int, *, besides: int) -> Sequence[Any]:
        where = (tables.runs.c.flow_id == flow, tables.runs.c.id != besides)
        connection.execute(update(tables.runs).where(*where).values(pending=False))
        return ()

    _set(runs, "unfinished", forget)


def _half_settled() -> None:
    """The ledger's entries and the receipts are two transactions."""
    real = Settling._settle  # noqa: SLF001

    def both(self: Any, batch: Sequence[Pending], receipts: Sequence[Receipt]) -> None:
        pairs = list(zip(batch, receipts, strict=True))
        names = self._flow.clerk.names(pairs)
        settled = [
            Settled(row, tables.REFUSED if receipt.refused else tables.ACCEPTED, receipt.reference, name)
            for (row, receipt), name in zip(pairs, names, strict=True)
        ]
        self._background.write(lambda connection: real(self, connection, batch, receipts))
        self._background.write(lambda connection: settle(connection, self._flow.id, settled))
        self._keys = frozenset(row.key for row in batch)

    _set(clerk, "settle", lambda *_: None)
    _set(Settling, "settle", both)


def _swallowed() -> None:
    """A batch whose answer is lost counts as sent."""
    real = Delivery._send  # noqa: SLF001

    def send(self: Any, due: Sequence[Due]) -> None:
        try:
            real(self, due)
        except Unavailable:
            self._settling.settle([row for row, _ in due], [Receipt(their_id="O0") for _ in due])

    _set(Delivery, "_send", send)


def _one_kept_back() -> None:
    """The first record of each page is left out of the count and of the plan."""
    real = planning._compare  # noqa: SLF001

    def compare(made: Draft, comparison: Comparison, batch: Any, rows: Any) -> None:
        real(made, comparison, batch._replace(raws=batch.raws[1:], keys=batch.keys[1:], prints=batch.prints[1:]), rows)

    _set(planning, "_compare", compare)


BROKEN: Mapping[str, Callable[[], None]] = {
    "receipts-first": _receipts_first,
    "new-keys": _new_keys,
    "cursor-first": _cursor_first,
    "links-at-plan": _links_at_plan,
    "no-order": _no_order,
    "nothing-resumed": _nothing_resumed,
    "half-settled": _half_settled,
    "swallowed": _swallowed,
    "one-kept-back": _one_kept_back,
}
