"""What a two-way plan must look at although the read did not bring it: settled conflicts, and what was never read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from samspil.errors import Refused
from samspil.flow.baseline import Baseline
from samspil.flow.both_ways import BothWays
from samspil.flow.changes import Rows
from samspil.flow.compiled import Mapped
from samspil.flow.draft import Draft
from samspil.store import baselines, conflicts, outbox
from samspil.store.baselines import UNKNOWN
from samspil.store.comparison import Differing
from samspil.store.tables import DELIVERED

_CHUNK = 500


class Due(NamedTuple):
    """Records as they were last read, with digests as rows that were read anew have them."""

    rows: Rows
    mapped: list[Mapped | Refused]


def due(draft: Draft, way: BothWays) -> Iterator[Due]:
    """Records that the source still has and that this direction owes the target something of."""
    for found in _chunks(draft, way):
        present = [one for one in found if one.inner.now[way.side] is not None]
        with draft.connection.begin():
            links = baselines.linked(draft.connection, draft.flow.id, [one.keys[way.side] or b"" for one in present])
            settled = conflicts.standing(draft.connection, [one.key for one in present])
        batch = Due(Rows([], [], [], [], []), [])
        rows = batch.rows
        for one, mapped in zip(present, draft.flow.passed([_again(way, one) for one in present]), strict=True):
            key = one.keys[way.side] or b""
            state, outbox_id = links.get(key, (None, None))
            if isinstance(mapped, Refused) or not one.met & 1 << way.side or state not in (None, DELIVERED):
                continue
            decided = [(known.id, known.taken) for known in settled.get(one.key, ())]
            rows.differing.append(Differing(len(rows.keys), state, outbox_id))
            rows.keys.append(key)
            rows.names.append((one.inner.names[way.side] or "").encode())
            rows.prints.append(draft.flow.fingerprint(msgspec.json.encode([one.inner.now, decided])))
            batch.mapped.append(mapped)
        yield batch


def gone_before(draft: Draft, way: BothWays) -> Iterator[Sequence[tuple[bytes, int | None]]]:
    """Records gone at the source some time ago that this direction may delete at the target now."""
    for found in _chunks(draft, way):
        keys = [one.keys[way.side] or b"" for one in found if one.inner.now[way.side] is None]
        with draft.connection.begin():
            links = outbox.linked(draft.connection, draft.flow.id, keys)
        yield links


def vanished(draft: Draft, way: BothWays, gone: Sequence[bytes] | None) -> list[tuple[bytes, int | None]]:
    """Records that the other direction made at the source and that went before they were ever read.

    ``gone`` is what the source reported, None after a complete snapshot; then each is asked for once more, since a
    list that does not show it yet is no deletion. They get a link, so that they can be deleted like any other.
    """
    if gone is not None:
        with draft.connection.begin():
            rows = [
                *baselines.of_keys(draft.connection, way.number, way.side, gone).values(),
                *baselines.called(draft.connection, way.number, gone).values(),
            ]
        found = [Baseline.opened(row, way.box) for row in rows]
        found = [one for one in found if not one.met & 1 << way.side]
    else:
        found = [one for one in _unread(draft, way) if way.lost(one.inner.names[way.side] or "")]
    links: list[tuple[Any, ...]] = []
    flow = draft.flow
    with draft.connection.begin():
        flow.sealing.ready(draft.connection, map(flow.about_whom, found))
        for one in {one.key: one for one in found}.values():
            key, name, person = one.keys[way.side] or b"", one.inner.names[1 - way.side], flow.about_whom(one)
            sealed = None if name is None else flow.sealing.name(name, key, person)
            links.append((flow.id, key, UNKNOWN, DELIVERED, None, sealed, person))
        outbox.upsert_links(draft.connection, links)
    return [(link[1], None) for link in links]


def _again(way: BothWays, one: Baseline) -> Any:
    """The record once more; a Refused if today's agreement or mapping refuses it: it waits until it is read anew."""
    try:
        return way.record(one.inner.now[way.side] or {})
    except Refused as refused:
        return refused.kept()


def _chunks(draft: Draft, way: BothWays) -> Iterator[Sequence[Baseline]]:
    after = b""
    while True:
        with draft.connection.begin():
            rows = baselines.due(draft.connection, way.number, way.side, after=after, limit=_CHUNK)
        if not rows:
            return
        after = rows[-1].key
        found = [Baseline.opened(row, way.box) for row in rows]
        yield [one for one in found if one.keys[way.side] and one.keys[way.side] not in draft.looked]


def _unread(draft: Draft, way: BothWays) -> Iterator[Baseline]:
    after = b""
    while True:
        with draft.connection.begin():
            rows = baselines.unmet(draft.connection, way.number, way.side, after=after, limit=_CHUNK)
        if not rows:
            return
        after = rows[-1].key
        yield from (Baseline.opened(row, way.box) for row in rows)
