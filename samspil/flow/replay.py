"""Replay: what was held back goes through once more, after the cause was mended."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from samspil.errors import Refused, SamspilError
from samspil.flow.delivery import Delivery
from samspil.flow.reconciliation import Counts, count, require_balance, require_sent
from samspil.ledger import READ_PLANNED
from samspil.ledger.entry import Told
from samspil.store import baselines, lock, outbox, quarantine, runs
from samspil.store.runs import State
from samspil.store.tables import PUT, first_id

if TYPE_CHECKING:
    from samspil.flow.both_ways import BothWays
    from samspil.flow.compiled import CompiledFlow
    from samspil.hub import Hub


class Replayed(NamedTuple):
    """What a replay did: the run's counts (None if nothing could be sent), and the entries that stay, with why."""

    counts: Counts | None
    staying: Sequence[tuple[int, Refused]]


_TWICE = Refused("duplicate-key", hint="choose one of the record's entries and drop the others")


_ERASED = Refused("person-erased", hint="nothing of this person is taken in any more: samspil quarantine drop")


class _Ready(NamedTuple):
    """An entry that can be sent: its outbox row without the number."""

    entry: Any
    action: int
    payload: bytes
    person: bytes | None
    fingerprint: bytes


def replay(hub: Hub, name: str, entries: Sequence[Any]) -> Replayed:
    """Send entries of one flow again, in a run of their own and so with new idempotency keys.

    A raw record is decoded and mapped afresh with today's mapping. A page that could not be cut stays: the next run
    reads it again. What is refused once more stays as a new entry. Raises AccessError or Unavailable.
    """
    flow = hub.flow(name)
    if flow.both:
        return _merged_anew(hub, flow, flow.both, entries)
    ready: list[_Ready] = []
    staying: list[tuple[int, Refused]] = []
    with lock.exclusive(hub.store, flow.lock):
        with hub.store.transaction() as connection:
            agreements = runs.agreements(connection, {entry.run_id for entry in entries})
            actions = outbox.actions(connection, [entry.outbox_id for entry in entries if entry.outbox_id])
            hub.persons.fetch(connection, [entry.person for entry in entries])
        times = Counter(entry.key for entry in entries)
        for entry in entries:
            if times[entry.key] > 1:
                staying.append((entry.id, _TWICE))
                continue
            try:
                ready.append(_again(flow, entry, agreements, actions))
            except Refused as refused:
                staying.append((entry.id, refused))
        run = _plan(hub, flow, ready, staying)
        if run is None:
            return Replayed(None, staying)
        Delivery(hub, flow).run()
        with hub.store.transaction() as connection:
            done = runs.get(connection, run)
            counts = count(connection, done)
            require_balance(done, counts)
            require_sent(connection, done)
            runs.finish(connection, done)
    return Replayed(counts, staying)


def _merged_anew(hub: Hub, flow: CompiledFlow, way: BothWays, entries: Sequence[Any]) -> Replayed:
    """In a two-way exchange nothing is sent as it was then: the other side may have moved on. The next run merges it.

    What could not be mapped is not known to the merge yet, so it stays until the source shows it again.
    """
    staying: list[tuple[int, Refused]] = []
    with lock.exclusive(hub.store, flow.lock), hub.store.transaction() as connection:
        known = baselines.of_keys(connection, way.number, way.side, [entry.key for entry in entries])
        for entry in entries:
            if entry.key not in known:
                staying.append((entry.id, Refused("not-merged", hint="the next run that reads the record takes it up")))
            elif quarantine.settle(connection, entry.id, "replayed", "the next run merges it"):
                baselines.flag(connection, way.number, [known[entry.key].key], 1 << way.side)
        if len(staying) < len(entries):
            hub.ledger.append(connection, {"what": "replay", **flow.context}, ())
    return Replayed(None, staying)


def drop(hub: Hub, name: str, number: int, *, who: str, why: str) -> None:
    """Close an entry that will never be sent; the decision is in the ledger."""
    flow = hub.flow(name)
    with hub.store.transaction() as connection:
        if not quarantine.settle(connection, number, "dropped", why):
            raise SamspilError(f"entry {number} is settled already", reason="no-entry")
        hub.ledger.append(connection, {"what": "drop", "entry": number, "who": who, "why": why, **flow.context}, ())


def reveal(hub: Hub, name: str, entry: Any, *, who: str, why: str) -> bytes:
    """The bytes held back, for a person who must see them; that they were seen is in the ledger."""
    flow = hub.flow(name)
    with hub.store.transaction() as connection:
        hub.persons.fetch(connection, [entry.person])
        payload = flow.sealing.held(entry)
        seen = (entry.key, entry.person, entry.outbox_id or 0, 0, READ_PLANNED)
        what = {"what": "reveal", "entry": entry.id, "who": who, "why": why}
        hub.ledger.append(connection, {**what, **flow.context}, hub.ledger.pack([seen]))
    return payload


def _again(flow: CompiledFlow, entry: Any, agreements: Mapping[int, str | None], actions: Mapping[int, int]) -> _Ready:
    if entry.stage == "read":
        raise Refused("uncut-page", hint="the next run reads the page again")
    if entry.stage in ("plan", "deliver"):
        action = actions.get(entry.outbox_id, PUT)  # what the target refused may be a deletion
        if action == PUT and agreements.get(entry.run_id) != flow.agreement:
            raise Refused("agreement-changed", hint="the next run maps it under the new one")
        return _Ready(entry, action, flow.sealing.held(entry), entry.person, entry.fingerprint)
    raw = flow.sealing.held(entry)
    (result,) = flow.map([raw])
    if isinstance(result, Refused):
        raise result
    if flow.gate is not None and result.consent is not None:
        flow.gate.keep(entry.key, result.consent)
    if result.payload is None:
        raise Refused("filtered", hint="the agreement's filter keeps it back: samspil quarantine drop")
    return _Ready(entry, PUT, result.payload, result.person, flow.fingerprint(raw))


def _plan(hub: Hub, flow: CompiledFlow, ready: Sequence[_Ready], staying: list[tuple[int, Refused]]) -> int | None:
    """Plan the run; None if there is nothing to send. What another settled meanwhile stays out."""
    if not ready:
        return None
    with hub.persons.making(), hub.store.transaction() as connection:
        erased = hub.persons.fetch(connection, new=[each.person for each in ready])
    with hub.store.transaction() as connection:
        run = runs.start(connection, flow.id, f"{runs.REPLAY}{uuid.uuid4()}").id
        rows: list[tuple[Any, ...]] = []
        entries: list[Told] = []
        for entry, action, payload, person, fingerprint in ready:
            if person in erased:
                staying.append((entry.id, _ERASED))
                continue
            if not quarantine.settle(connection, entry.id, "replayed", f"run {run}"):
                staying.append((entry.id, Refused("settled-meanwhile")))
                continue
            number = first_id(run) + len(rows) + 1
            rows.append((number, entry.key, person, action, fingerprint, payload))
            entries.append((entry.key, person, number, action, READ_PLANNED))
        outbox.add(connection, flow.sealing.plan(rows))
        puts = sum(row[3] == PUT for row in rows)
        counts = {"read": puts, "creates": puts, "deletions": len(rows) - puts, "complete": False}
        runs.change(connection, run, state=State.APPROVED, pending=bool(rows), counts=counts, agreement=flow.agreement)
        hub.ledger.append(connection, {"what": "replay", "run": run, **flow.context}, hub.ledger.pack(entries))
    return run


def entry_of(hub: Hub, number: int) -> Any:
    """An open entry of the municipality's quarantine. Raises SamspilError if there is none of that number."""
    with hub.store.transaction() as connection:
        found = [row for row in quarantine.entries(connection, hub.file.municipality.code) if row.id == number]
    if not found:
        raise SamspilError(f"no open entry {number}: samspil quarantine list {hub.file.slug}", reason="no-entry")
    return found[0]
