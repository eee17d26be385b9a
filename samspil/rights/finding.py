"""Everything held about one person, and everything that was read and sent, from the store and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, literal_column, or_, select

from samspil.flow.sealing import Sealing
from samspil.ledger import READ_BLOCKED, READ_FILTERED, READ_HELD, READ_PLANNED, READ_SHOWN, READ_UNCHANGED, batches
from samspil.ledger.entry import record_of, unpack
from samspil.rights.number import mentions
from samspil.store import erasure, persons
from samspil.store.tables import (
    ACCEPTED,
    DELETE,
    DELIVERED,
    DIGEST,
    PUT,
    WITHDRAW,
    links,
    outbox,
    quarantine,
    receipts,
    runs,
)

if TYPE_CHECKING:
    from samspil.hub import Hub

_WORDS = {
    (0, READ_PLANNED): "read, to be sent",
    (0, READ_FILTERED): "read, not sent",
    (0, READ_HELD): "read, held back",
    (0, READ_UNCHANGED): "read, unchanged",
    (0, READ_BLOCKED): "read, dropped",
    (0, READ_SHOWN): "shown to a person here",
    (PUT, ACCEPTED): "sent",
    (DELETE, ACCEPTED): "deleted there",
    (WITHDRAW, ACCEPTED): "taken back",
}


class Event(NamedTuple):
    """Something that was done with the person's data. ``context`` has purpose, legal basis, fields and parties."""

    what: str
    context: Mapping[str, Any]
    receipt: str  # what the target called its receipt

    @property
    def sent(self) -> bool:
        """Whether somebody else has the data since."""
        return self.what == "sent"


class Held(NamedTuple):
    """A payload that lies in the store. ``where`` is outbox or quarantine."""

    where: str
    flow: str
    at: float
    state: str
    payload: bytes


class Found(NamedTuple):
    """What there is about a person. ``handle`` names the person to us and to nobody else; empty if nothing is held."""

    handle: str
    erased: bool
    held: Sequence[Held]
    at_targets: Mapping[str, int]  # records by flow that the target holds
    events: Sequence[Event]


def find(hub: Hub, number: str, done: Callable[[int], None] = lambda _: None) -> Found:
    """Find everything about the CPR number ``number``. ``done`` is told how many batches of the ledger were read."""
    person = hub.vault.digest("person")(number.encode())
    with hub.store.transaction() as connection:
        flows = erasure.all_flows(connection, hub.vault.municipality)
        rows = persons.find(connection, hub.vault.municipality, [person])
        erased = bool(hub.persons.fetch(connection, [person]))
        known = bool(rows) and not erased
        held = [*_outbox(hub, connection, flows, person)] if known else []
        held += _quarantine(hub, connection, flows, person if known else None, number)
        query = select(links.c.flow_id).where(links.c.person == person, links.c.state == DELIVERED)
        there = [flows[flow] for flow in connection.execute(query).scalars()]
        events = [*_events(hub, connection, person, done)] if known else []
    handle = rows[0].handle.hex() if known else ""
    return Found(handle, erased, held, {flow: there.count(flow) for flow in sorted(set(there))}, events)


def note(hub: Hub, number: str, found: Found, *, who: str, why: str) -> None:
    """Enter in the ledger that the person was looked at; the next look shows it."""
    person = hub.vault.digest("person")(number.encode())
    with hub.store.transaction() as connection:
        hub.persons.fetch(connection, [person])
        seen = [(bytes(DIGEST), person, 0, 0, READ_SHOWN)] if found.handle else []
        what = {"what": "show", "person": found.handle, "who": who, "why": why}
        hub.ledger.append(connection, what, hub.ledger.pack(seen))


def entries_mentioning(hub: Hub, connection: Connection, flows: Mapping[int, str], number: str) -> Iterator[Any]:
    """Entries of the quarantine that nobody could read, but in which the number stands. A page counts as a whole."""
    pattern, after = mentions(number), 0
    sealings = {flow: Sealing(hub.vault, hub.persons, name) for flow, name in flows.items()}
    while found := erasure.of_nobody(connection, list(flows), after=after):
        for entry in found:
            raw = sealings[entry.flow_id].held(entry)
            if pattern.search(raw) or pattern.search(raw.replace(b"\0", b"")):  # UTF-16, as some systems write
                yield entry
        after = found[-1].id


def _outbox(hub: Hub, connection: Connection, flows: Mapping[int, str], person: bytes) -> Iterator[Held]:
    sealings = {flow: Sealing(hub.vault, hub.persons, name) for flow, name in flows.items()}
    query = (
        select(outbox, runs.c.flow_id, runs.c.started, receipts.c.status)
        .select_from(outbox)
        .join(runs, runs.c.id == outbox.c.id.op(">>")(literal_column("32")))
        .outerjoin(receipts, receipts.c.outbox_id == outbox.c.id)
        .where(outbox.c.person == person, runs.c.flow_id.in_(list(flows)))
        .order_by(outbox.c.id)
    )
    states = {None: "waits", ACCEPTED: "sent"}
    for row in connection.execute(query):
        payload = sealings[row.flow_id].planned(row.payload, row.id, row.key, person)
        state = states.get(row.status, "not sent")
        yield Held("outbox", flows[row.flow_id], row.started, state, payload)


def _quarantine(
    hub: Hub, connection: Connection, flows: Mapping[int, str], person: bytes | None, number: str
) -> Iterator[Held]:
    found = list(entries_mentioning(hub, connection, flows, number))
    if person is not None:
        keys = select(outbox.c.key).where(outbox.c.person == person)
        nobodys = quarantine.c.person.is_(None) & quarantine.c.key.in_(keys)
        query = select(quarantine).where(
            quarantine.c.flow_id.in_(list(flows)), or_(quarantine.c.person == person, nobodys)
        )
        known = {entry.id for entry in found}
        found += [row for row in connection.execute(query.order_by(quarantine.c.id)) if row.id not in known]
    for entry in found:
        payload = Sealing(hub.vault, hub.persons, flows[entry.flow_id]).held(entry)
        yield Held("quarantine", flows[entry.flow_id], entry.at, f"{entry.state}: {entry.reason}", payload)


def _events(hub: Hub, connection: Connection, person: bytes, done: Callable[[int], None]) -> Iterator[Event]:
    cipher, place = hub.persons.cipher(person), hub.ledger.place
    assert cipher is not None  # noqa: S101  # for the type checker
    for count, batch in enumerate(batches(connection, hub.vault.municipality), 1):
        done(count)
        mine = b"".join(each for each in batch.packed() if record_of(place, cipher, each) is not None)
        if not mine:
            continue
        context = msgspec.json.decode(batch.context)
        for number, action, outcome in unpack(mine):
            reference = None
            if number and action and outcome == ACCEPTED and context["what"] == "write":
                query = select(receipts.c.reference).where(receipts.c.outbox_id == number)
                reference = connection.execute(query).scalar()
            planned = action if context["what"] == "write" else 0
            yield Event(_WORDS.get((planned, outcome), "refused there"), context, reference or "")
