"""The quarantine: records that could not pass, sealed, with a reason, ready to be sent through again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from samspil.errors import shown
from samspil.store import open_rows
from samspil.store.tables import quarantine

_MANY = 500  # bound values in one statement


class Held(NamedTuple):
    """One record to hold back. ``payload`` is sealed for ``key``."""

    key: bytes
    person: bytes | None
    fingerprint: bytes
    stage: str
    reason: str
    field: str
    hint: str
    payload: bytes
    outbox_id: int | None = None


def add(connection: Connection, flow: int, run: int, held: Sequence[Held]) -> None:
    """Put records in the quarantine. What is there of older versions the caller supersedes."""
    now = time.time()
    every = {"flow_id": flow, "run_id": run, "seen_run": run, "state": "open", "at": now, "note": ""}
    rows = [{**every, **record._asdict(), **_plain(record)} for record in held]
    if rows:
        connection.execute(insert(quarantine), rows)


def open_fingerprints(connection: Connection, flow: int, keys: Sequence[bytes]) -> Mapping[bytes, set[bytes]]:
    """Of these keys, those held back now, with the fingerprints of the versions held or dropped for good.

    None for a record that came twice: whether it still does is found out each night. A deletion is never dropped for
    good, as all deletions of a record look alike.
    """
    result: dict[bytes, set[bytes]] = {}
    for start in range(0, len(keys), _MANY):
        query = select(quarantine.c.key, quarantine.c.fingerprint, quarantine.c.stage, quarantine.c.state).where(
            quarantine.c.flow_id == flow,
            quarantine.c.state.in_(("open", "dropped")),
            quarantine.c.key.in_(keys[start : start + _MANY]),
        )
        for row in connection.execute(query):
            held = result.setdefault(bytes(row.key), set())
            if row.stage != "plan" and (row.state == "open" or any(row.fingerprint)):
                held.add(bytes(row.fingerprint))
    return result


def seen(connection: Connection, flow: int, run: int, records: Sequence[tuple[bytes, bytes]]) -> None:
    """Note that the source still has these records (key, fingerprint) in the very version that is held back."""
    for start in range(0, len(records), _MANY):
        keys, prints = zip(*records[start : start + _MANY], strict=True)
        connection.execute(
            update(quarantine)
            .where(_open(flow), quarantine.c.key.in_(keys), quarantine.c.fingerprint.in_(prints))
            .values(seen_run=run)
        )


def untouched(connection: Connection, flow: int, run: int) -> Sequence[bytes]:
    """Keys of entries that this run has not found in the source in the version held."""
    query = select(quarantine.c.key).where(_open(flow), quarantine.c.seen_run != run).distinct()
    return [bytes(key) for key in connection.execute(query).scalars()]


def supersede(connection: Connection, flow: int, run: int, keys: Sequence[bytes]) -> None:
    """Close the entries of these records, of which there is a newer version; not those seen in this run."""
    for start in range(0, len(keys), _MANY):
        connection.execute(
            update(quarantine)
            .where(_open(flow), quarantine.c.seen_run != run, quarantine.c.key.in_(keys[start : start + _MANY]))
            .values(state="superseded", note="there is a newer version", settled=time.time())
        )


def discard(connection: Connection, run: int) -> None:
    """Remove what a plan held back that was never finished."""
    connection.execute(delete(quarantine).where(quarantine.c.run_id == run))


def supersede_unseen(connection: Connection, flow: int, run: int) -> None:
    """After a complete read: close entries whose version the source no longer has."""
    connection.execute(
        update(quarantine)
        .where(_open(flow), quarantine.c.seen_run != run)
        .values(state="superseded", note="the source no longer has it", settled=time.time())
    )


def count_open(connection: Connection, flow: int) -> int:
    """How many records of the flow are held back."""
    return int(connection.execute(select(func.count()).select_from(quarantine).where(_open(flow))).scalar_one())


def some(connection: Connection, flow: int) -> bool:
    """Whether ``open_fingerprints`` can find anything."""
    query = select(quarantine.c.id).where(quarantine.c.flow_id == flow, quarantine.c.state.in_(("open", "dropped")))
    return connection.execute(query.limit(1)).first() is not None


def blocked_persons(connection: Connection, flow: int) -> set[bytes]:
    """Persons of whom the target refused a record: their later records wait until that one is settled."""
    query = select(quarantine.c.person).where(
        _open(flow), quarantine.c.stage == "deliver", quarantine.c.person.is_not(None)
    )
    return {bytes(person) for person in connection.execute(query).scalars()}


def refused(connection: Connection, flow: int) -> Mapping[bytes, bytes]:
    """Records that the target refused and that make their persons' later ones wait: key → person."""
    query = select(quarantine.c.key, quarantine.c.person).where(
        _open(flow), quarantine.c.stage == "deliver", quarantine.c.person.is_not(None)
    )
    return {bytes(row.key): bytes(row.person) for row in connection.execute(query)}


def settle(connection: Connection, number: int, state: str, note: str) -> bool:
    """Close one entry. Returns whether it was open."""
    return open_rows.settle(quarantine, connection, number, state=state, note=note)


def entries(
    connection: Connection, municipality: str, *, flow: str | None = None, only_open: bool = True
) -> Sequence[Any]:
    """Entries of a municipality, newest first, with the flow's name; the payload stays sealed."""
    return open_rows.listed(quarantine, connection, municipality, flow=flow, only_open=only_open)


def reasons(connection: Connection, flow: int, run: int) -> Mapping[str, int]:
    """How many records of a run were held back for the first time, by reason."""
    query = (
        select(quarantine.c.reason, func.count())
        .where(quarantine.c.flow_id == flow, quarantine.c.run_id == run)
        .group_by(quarantine.c.reason)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _plain(record: Held) -> Mapping[str, str]:
    """Its texts without what a database does not take: one record's must not stop the others."""
    return {name: shown(getattr(record, name)) for name in ("reason", "field", "hint")}


def _open(flow: int) -> ColumnElement[bool]:
    return and_(quarantine.c.flow_id == flow, quarantine.c.state == "open")
