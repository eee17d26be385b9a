"""What a plan can only know when the read is over: records read twice, and records that are gone."""

from __future__ import annotations

from collections.abc import Sequence

from samspil.errors import Refused
from samspil.flow.draft import ABSENT, Draft
from samspil.store import outbox, quarantine
from samspil.store.comparison import Comparison
from samspil.store.tables import DELETE, PUT

_TWICE = Refused("duplicate-key", hint="the source gave this key more than once")


def hold_duplicates(draft: Draft, comparison: Comparison) -> None:
    """A key read twice is two records claiming to be one: none of them is sent, and a person looks."""
    for key in comparison.duplicates():
        with draft.connection.begin():
            rows = outbox.of_key(draft.connection, draft.run, key)
            if not rows:
                continue  # every reading of it was as acknowledged
            outbox.remove(draft.connection, [row.id for row in rows])
            held = [
                quarantine.Held(key, row.person, row.fingerprint, "plan", _TWICE.reason, "", _TWICE.hint, row.payload)
                for row in rows
                if row.action == PUT
            ]
            quarantine.add(draft.connection, draft.flow.id, draft.run, held)
        draft.counts["held_new"] += len(held)
        draft.counts["withdrawals"] -= len(rows) - len(held)


def plan_deletions(draft: Draft, comparison: Comparison, gone: list[bytes] | None) -> None:
    """Plan deletions: those the source reported (``gone``), or after a complete snapshot those no longer in it."""
    if gone is not None:
        with draft.connection.begin():
            _delete(draft, outbox.linked(draft.connection, draft.flow.id, gone))
    elif draft.complete:
        comparison.index_seen()
        comparison.forget_filtered()
        for rows in comparison.gone():
            with draft.connection.begin():
                _delete(draft, [(row.key, row.outbox_id) for row in rows])


def _delete(draft: Draft, gone: Sequence[tuple[bytes, int | None]]) -> None:
    if not draft.flow.writes.deletes:
        draft.counts["kept_by_target"] += len(gone)
        return
    last = outbox.payloads(draft.connection, [number for _, number in gone if number is not None])
    rows = []
    for key, number in gone:
        waiting, waits = draft.waiting.get(key, (0, b""))
        if waits == ABSENT:
            draft.counts["deletions_waiting"] += 1
            continue
        if waiting:
            draft.superseded.append(waiting)
        payload, person = last[number] if number is not None else (draft.flow.box.seal(b"{}", key), None)
        rows.append((draft.number(), key, person, DELETE, ABSENT, payload))
    outbox.add(draft.connection, rows)
    draft.counts["deletions"] += len(rows)
