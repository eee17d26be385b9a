"""Replay: what was held back goes through once more, after the cause was mended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from samspil.errors import Refused, SamspilError
from samspil.flow.delivery import Delivery
from samspil.flow.reconciliation import Counts, count, require_balance
from samspil.ledger import NOBODY, READ_PLANNED, Entry
from samspil.store import outbox, quarantine, runs
from samspil.store.runs import State
from samspil.store.tables import PUT, first_id

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow
    from samspil.hub import Hub


class Replayed(NamedTuple):
    """What a replay did: the run's counts (None if nothing could be sent), and the entries that stay, with why."""

    counts: Counts | None
    staying: Sequence[tuple[int, Refused]]


def replay(hub: Hub, name: str, entries: Sequence[Any]) -> Replayed:
    """Send entries of one flow again, in a run of their own and so with new idempotency keys.

    A raw record is decoded and mapped afresh with today's mapping. A page that could not be cut stays: the next run
    reads it again. What is refused once more stays as a new entry. Raises AccessError or Unavailable.
    """
    flow = hub.flow(name)
    ready: list[tuple[Any, bytes, bytes | None, bytes]] = []  # entry, sealed payload, person, fingerprint
    staying: list[tuple[int, Refused]] = []
    for entry in entries:
        try:
            ready.append((entry, *_again(flow, entry)))
        except Refused as refused:
            staying.append((entry.id, refused))
    if not ready:
        return Replayed(None, staying)
    run = _plan(hub, flow, ready)
    Delivery(hub, flow).run(first=run)
    with hub.store.transaction() as connection:
        done = runs.get(connection, run)
        counts = count(connection, done)
        require_balance(done, counts)
        runs.finish(connection, done)
    return Replayed(counts, staying)


def drop(hub: Hub, name: str, number: int, *, who: str, why: str) -> None:
    """Close an entry that will never be sent; the decision is in the ledger."""
    flow = hub.flow(name)
    with hub.store.transaction() as connection:
        quarantine.settle(connection, number, "dropped", why)
        hub.ledger.append(connection, {"what": "drop", "entry": number, "who": who, "why": why, **flow.context}, ())


def reveal(hub: Hub, name: str, entry: Any, *, who: str, why: str) -> bytes:
    """The bytes held back, for a person who must see them; that they were seen is in the ledger."""
    flow = hub.flow(name)
    payload = flow.box.open(entry.payload, entry.key)
    with hub.store.transaction() as connection:
        seen = Entry(entry.key, entry.person or NOBODY, entry.outbox_id or 0, 0, READ_PLANNED).pack()
        hub.ledger.append(
            connection, {"what": "reveal", "entry": entry.id, "who": who, "why": why, **flow.context}, [seen]
        )
    return payload


def _again(flow: CompiledFlow, entry: Any) -> tuple[bytes, bytes | None, bytes]:
    if entry.stage == "read":
        raise Refused("uncut-page", hint="the next run reads the page again")
    if entry.stage in ("plan", "deliver"):
        return entry.payload, entry.person, entry.fingerprint
    raw = flow.box.open(entry.payload, entry.key)
    (result,) = flow.map([raw])
    if isinstance(result, Refused):
        raise result
    if result.payload is None:
        raise Refused("filtered", hint="the agreement's filter keeps it back: samspil quarantine drop")
    return flow.box.seal(result.payload, entry.key), result.person, flow.fingerprint(raw)


def _plan(hub: Hub, flow: CompiledFlow, ready: Sequence[tuple[Any, bytes, bytes | None, bytes]]) -> int:
    with hub.store.transaction() as connection:
        run = runs.start(connection, flow.id, f"{runs.REPLAY}{time.time():.6f}").id
        rows, entries = [], []
        for n, (entry, payload, person, fingerprint) in enumerate(ready, start=1):
            number = first_id(run) + n
            rows.append((number, entry.key, person, PUT, fingerprint, payload))
            entries.append(Entry(entry.key, person or NOBODY, number, PUT, READ_PLANNED).pack())
            quarantine.settle(connection, entry.id, "replayed", f"run {run}")
        outbox.add(connection, rows)
        counts = {"read": len(rows), "creates": len(rows), "complete": False}
        runs.change(connection, run, state=State.APPROVED, pending=True, counts=counts)
        hub.ledger.append(connection, {"what": "replay", "run": run, **flow.context}, entries)
    return run


def entry_of(hub: Hub, number: int) -> Any:
    """An open entry of the municipality's quarantine. Raises SamspilError if there is none of that number."""
    with hub.store.transaction() as connection:
        found = [row for row in quarantine.entries(connection, hub.file.municipality.code) if row.id == number]
    if not found:
        raise SamspilError(f"no open entry {number}: samspil quarantine list {hub.file.slug}", reason="no-entry")
    return found[0]
