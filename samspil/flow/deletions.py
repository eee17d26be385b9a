"""What a plan can only know when the read is over: records read twice, and records that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from samspil.errors import Refused
from samspil.flow import taking_up
from samspil.flow.draft import ABSENT, Draft
from samspil.flow.merger import Merger
from samspil.flow.turn import Turn
from samspil.store import outbox, quarantine
from samspil.store.comparison import Comparison
from samspil.store.tables import DELETE, PUT

_FEW = 500  # keys looked up at once
_TWICE = Refused("duplicate-key", hint="the source gave this key more than once")


def hold_duplicates(draft: Draft, keys: Sequence[bytes]) -> None:
    """A key read twice is two records claiming to be one: none of them is sent, and a person looks."""
    for start in range(0, len(keys), _FEW):
        with draft.connection.begin():
            rows = outbox.of_keys(draft.connection, draft.run, keys[start : start + _FEW])
            outbox.remove(draft.connection, [row.id for row in rows])
            puts = [row for row in rows if row.action == PUT]
            linked = dict(outbox.linked(draft.connection, draft.flow.id, [row.key for row in puts]))
            draft.hub.persons.fetch(draft.connection, [row.person for row in puts])
            held = [_held(draft, row) for row in puts]
            quarantine.add(draft.connection, draft.flow.id, draft.run, held)
        updates = sum(row.key in linked for row in puts)
        draft.counts["held_new"] += len(puts)
        draft.counts["updates"] -= updates
        draft.counts["creates"] -= len(puts) - updates
        draft.counts["withdrawals"] -= len(rows) - len(puts)


def plan_deletions(draft: Draft, comparison: Comparison, gone: list[bytes] | None) -> None:
    """Plan deletions: those the source reported (``gone``), or after a complete snapshot those no longer in it.

    What waits or is held back of a record that is gone, or is now as the target has it, is out of date.
    """
    way = draft.flow.both
    if way and (gone is not None or draft.complete):
        found = taking_up.vanished(draft, way, gone)
        _delete(draft, found)
    if gone is not None:
        with draft.connection.begin():
            linked = list(outbox.linked(draft.connection, draft.flow.id, gone))
        _delete(draft, linked)
    elif draft.complete and not comparison.saw_all():
        comparison.index_seen()
        comparison.forget_filtered()
        for missing in comparison.gone():
            _delete(draft, [(row.key, row.outbox_id) for row in missing])
    if way and draft.complete:
        for rows in taking_up.gone_before(draft, way):
            _delete(draft, rows)
    if gone is None and draft.complete:
        draft.supersede(draft.waiting_untouched())
    else:
        untouched = [*draft.waiting_untouched(), *draft.held_untouched()]
        draft.supersede({*comparison.seen_among(untouched), *set(untouched).intersection(gone or ())})


def _delete(draft: Draft, gone: Sequence[tuple[bytes, int | None]]) -> None:
    turns: Mapping[bytes, Turn] = {}
    merger = Merger(draft.flow, draft.flow.both, draft.run) if draft.flow.both else None
    if merger:
        gone = [row for row in gone if row[0] not in draft.looked]
        draft.looked.update(key for key, _ in gone)
        turns, staying = merger.gone(draft.connection, [key for key, _ in gone])
        draft.counts["deletions_waiting"] += merger.clashing
        gone = [row for row in gone if row[0] not in staying]
    with draft.connection.begin():
        if draft.flow.writes.deletes:
            _plan_deletions(draft, gone, turns)
        else:
            draft.counts["kept_by_target"] += len(gone)
        if merger:
            merger.write(draft.connection)


def _plan_deletions(draft: Draft, gone: Sequence[tuple[bytes, int | None]], turns: Mapping[bytes, Turn]) -> None:
    held = draft.deletions_held([key for key, _ in gone])
    last = outbox.payloads(draft.connection, [number for _, number in gone if number is not None])
    concerned = [person for _, person in last.values()] + [turn.person for turn in turns.values()]
    draft.hub.persons.fetch(draft.connection, concerned)
    sealing, rows = draft.flow.sealing, []
    for key, number in gone:
        if key in held:
            continue
        turn, fresh = turns.get(key), draft.number()
        sealed, person = last.get(number or 0, (None, None))
        if turn:
            payload, person = turn.before or b"{}", turn.person
            turn.planned(fresh)
        else:
            payload = b"{}" if sealed is None else sealing.planned(sealed, number or 0, key, person)
        rows.append((fresh, key, person, DELETE, ABSENT, payload))
    outbox.add(draft.connection, sealing.plan(rows))
    draft.counts["deletions"] += len(rows)


def _held(draft: Draft, row: Any) -> quarantine.Held:
    sealing = draft.flow.sealing
    payload = sealing.planned(row.payload, row.id, row.key, row.person)
    sealed = sealing.hold(payload, row.key, row.fingerprint, row.person)
    return quarantine.Held(row.key, row.person, row.fingerprint, "plan", _TWICE.reason, "", _TWICE.hint, sealed)
