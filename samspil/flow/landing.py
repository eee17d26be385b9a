"""Delivery of a two-way exchange: nothing is written over what the target changed meanwhile; receipts move baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from samspil.errors import Refused
from samspil.flow.baseline import Baseline
from samspil.flow.both_ways import BothWays
from samspil.flow.merger import forget
from samspil.store import baselines, receipts
from samspil.store.outbox import Pending
from samspil.store.receipts import Settled
from samspil.store.tables import ACCEPTED, DELETE, PUT, WITHDRAW

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow
    from samspil.store import Store


def still_right(store: Store, flow: CompiledFlow, batch: Sequence[Pending]) -> Sequence[Pending]:
    """The rows that may go. One planned against what the target no longer has is dropped, and planned anew next time."""
    way = flow.both
    if way is None:
        return batch
    with store.transaction() as connection:
        found = _baselines(connection, way, [row.key for row in batch])
    stale = {row.id: row.key for row in batch if not _right(way, row, found.get(row.key))}
    if stale:
        with store.transaction() as connection:
            receipts.supersede(connection, stale)
            own = [found[key].key for key in stale.values() if key in found]
            baselines.flag(connection, way.number, own, 1 << way.side)
    return [row for row in batch if row.id not in stale]


def landed(connection: Connection, flow: CompiledFlow, settled: Sequence[tuple[Settled, str | None]]) -> None:
    """Move the baselines of what was acknowledged; with each what the target calls the record, if it said."""
    way = flow.both
    if way is None:
        return
    accepted = [(one.row, name) for one, name in settled if one.status == ACCEPTED]
    found = _baselines(connection, way, [row.key for row, _ in accepted])
    moved: list[Baseline] = []
    gone: list[Baseline] = []
    for row, name in accepted:
        baseline = found.get(row.key)
        if baseline is None:
            continue
        if row.action in (DELETE, WITHDRAW):
            if row.action == WITHDRAW:  # this direction keeps its link: it says that the record is filtered
                baseline.keys[way.side] = None
            gone.append(baseline)
        else:
            _move(connection, way, baseline, row.id, name)
            moved.append(baseline)
    baselines.put(connection, way.number, [one.sealed(way.box, way.person) for one in moved])
    target = 1 - way.side
    baselines.look_again(connection, way.flow_ids[target], [one.keys[target] or b"" for one in moved])
    forget(connection, way, gone)


def _move(connection: Connection, way: BothWays, baseline: Baseline, row: int, name: str | None) -> None:
    target, inner = 1 - way.side, baseline.inner
    sent = inner.sent[target]
    if sent is None or sent.row != row:
        return
    inner.now[target], inner.sent[target] = sent.now, None
    inner.base = {**(inner.base or {}), **sent.base}
    baseline.due &= ~(1 << way.side)
    if inner.names[target] is None:
        known = str((sent.now or {}).get("id", ""))
        old = baseline.keys[target]
        if old is not None:
            baselines.unlink(connection, way.flow_ids[target], [old])
        key = way.opposite_key
        baseline.exists_at(target, name or known, key(known.encode()), key((name or known).encode()))


def _right(way: BothWays, row: Pending, baseline: Baseline | None) -> bool:
    """Whether the target has what the row was planned against, or already what it brings."""
    if baseline is None or row.action == WITHDRAW:  # what may no longer be there goes, whatever was done to it
        return row.action != PUT
    target = 1 - way.side
    sent, name = baseline.inner.sent[target], baseline.inner.names[target]
    if sent is None or sent.row != row.id:
        return False
    if name is None or sent.was is None:
        return True
    try:
        now = way.normal(way.fetched(name))
    except Refused:
        return False
    return now in (sent.was, sent.then)


def _baselines(connection: Connection, way: BothWays, keys: Sequence[bytes]) -> dict[bytes, Baseline]:
    rows = baselines.of_keys(connection, way.number, way.side, keys)
    return {key: Baseline.opened(row, way.box) for key, row in rows.items()}
