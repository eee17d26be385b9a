"""The outbox: changes planned and not yet acknowledged, and the receipts that settle them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, text, update

from samspil.store import bulk
from samspil.store.runs import State
from samspil.store.tables import (
    DELIVERED,
    first_id,
    links,
    outbox,
)

BYTES = 3 * 2**19  # sealed payloads read at once, and one more; three times as many are at hand while they are sent
DELIVERABLE = f"('{State.APPROVED}', '{State.DONE}')"  # states of runs
# A flow's runs that may be sent from, with their rows' bounds. Worked out first, and looked up one by one: under
# row-level security PostgreSQL asks an index only for what it need not compute from another guarded row.
READY = f"""
    WITH ready AS MATERIALIZED (
        SELECT id * 4294967296 AS first, (id + 1) * 4294967296 AS beyond, started, agreement FROM runs
        WHERE flow_id = :flow AND pending AND state IN {DELIVERABLE})
    """
COLUMNS = ("id", "key", "person", "action", "fingerprint", "payload")
LINK = ("flow_id", "key", "fingerprint", "state", "outbox_id", "their_id", "person")


class Pending(NamedTuple):
    """An outbox row without a receipt."""

    id: int
    key: bytes
    person: bytes | None
    action: int
    fingerprint: bytes
    payload: bytes  # sealed, until it is ``opened``
    their_id: bytes | None  # sealed; from the link, so a record created meanwhile is updated, not doubled
    their_person: bytes | None = None  # whose key ``their_id`` is sealed under: the person of a record may change
    handle: bytes | None = None  # these three are the person's, as in ``persons.Person``; None of nobody
    wrapped: bytes | None = None
    version: int | None = None

    def opened(self, payload: bytes) -> Pending:
        """The same row with its payload opened: the sealed one takes as much memory again."""
        return Pending._make((*self[:_PAYLOAD], payload, *self[_PAYLOAD + 1 :]))


_PAYLOAD = Pending._fields.index("payload")


class Waiting(NamedTuple):
    """An outbox row that stays behind a refused one of the same person."""

    id: int
    fingerprint: bytes
    person: bytes | None


def add(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Append planned changes, in the order of COLUMNS."""
    bulk.insert(connection, "outbox", COLUMNS, rows)


def pending(
    connection: Connection, municipality: str, flow: int, *, after: int, before: int, limit: int
) -> Sequence[Pending]:
    """The flow's next rows with ``after`` < id < ``before`` that may go and have no receipt, in planned order.

    Fewer than ``limit`` if their payloads are large: one may be a document.
    """
    for run in connection.execute(_OPEN_RUNS, {"flow": flow}).scalars().all():
        start, end = max(after, first_id(run) - 1), min(before, first_id(run + 1))
        if start >= end:
            continue
        bounds = {"of": municipality, "flow": flow, "after": start, "before": end, "limit": limit, "bytes": BYTES}
        found = bulk.fetch_in_order(connection, _PENDING, bounds)
        if found:
            return list(map(Pending._make, found))
    return []


def upsert_links(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert or replace links, in the order of LINK. Of one key the last counts."""
    rows = list({row[:2]: row for row in rows}.values())
    if not rows:
        return
    columns = LINK
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE TEMPORARY TABLE IF NOT EXISTS moved (LIKE links) ON COMMIT DELETE ROWS")
        bulk.insert(connection, "moved", columns, rows)
        connection.exec_driver_sql(
            f"INSERT INTO links ({','.join(columns)}) SELECT {','.join(columns)} FROM moved "
            "ON CONFLICT (flow_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state, "
            "outbox_id = excluded.outbox_id, their_id = excluded.their_id, person = excluded.person"
        )
        connection.exec_driver_sql("TRUNCATE moved")
    else:
        connection.exec_driver_sql(f"INSERT OR REPLACE INTO links ({','.join(columns)}) VALUES (?,?,?,?,?,?,?)", rows)


def payloads(connection: Connection, ids: Sequence[int]) -> Mapping[int, tuple[bytes, bytes | None]]:
    """Sealed payload and person of outbox rows, by id: what the target last acknowledged."""
    result: dict[int, tuple[bytes, bytes | None]] = {}
    for start in range(0, len(ids), 500):
        query = select(outbox.c.id, outbox.c.payload, outbox.c.person).where(outbox.c.id.in_(ids[start : start + 500]))
        result.update({row.id: (row.payload, row.person) for row in connection.execute(query)})
    return result


def waiting(connection: Connection, flow: int) -> dict[bytes, Waiting]:
    """Rows of earlier runs that still wait, by key. Only the blocked ones do, so few."""
    found = connection.execute(_WAITING, {"flow": flow})
    return {
        bytes(row.key): Waiting(row.id, bytes(row.fingerprint), None if row.person is None else bytes(row.person))
        for row in found
    }


def unsent(connection: Connection, flow: int, run: int) -> int:
    """How many of a run's rows have no receipt and wait behind no refused one."""
    return int(connection.execute(_UNSENT, {"flow": flow, **_bounds(run)}).scalar_one())


def remove(connection: Connection, ids: Sequence[int]) -> None:
    """Take rows out of a plan that is still being made."""
    for start in range(0, len(ids), 500):
        connection.execute(delete(outbox).where(outbox.c.id.in_(ids[start : start + 500])))


def close_settled_runs(connection: Connection, flow: int) -> None:
    """Mark runs that have nothing pending any more."""
    open_runs = connection.execute(_OPEN_RUNS, {"flow": flow}).scalars().all()
    settled = [run for run in open_runs if connection.execute(_LEFT, _bounds(run)).first() is None]
    if settled:
        connection.execute(_CLOSE, {"ids": settled})


def of_keys(connection: Connection, run: int, keys: Sequence[bytes]) -> Sequence[Any]:
    """A run's rows of some records."""
    query = select(outbox).where(outbox.c.id.between(first_id(run), first_id(run + 1) - 1), outbox.c.key.in_(keys))
    return connection.execute(query.order_by(outbox.c.id)).all()


def first_of(connection: Connection, run: int, flow: int, limit: int) -> Sequence[Any]:
    """A run's first rows: what is taken back, then what is altered, then what is new, each in planned order.

    ``acknowledged`` is the row whose payload the target holds of the same record, if it holds it.
    """
    query = (
        select(outbox, links.c.outbox_id.label("acknowledged"))
        .select_from(
            outbox.outerjoin(
                links, (links.c.flow_id == flow) & (links.c.key == outbox.c.key) & (links.c.state == DELIVERED)
            )
        )
        .where(outbox.c.id.between(first_id(run), first_id(run + 1) - 1))
        .order_by(outbox.c.action.desc(), links.c.outbox_id.is_(None), outbox.c.id)
        .limit(limit)
    )
    return connection.execute(query).all()


def actions(connection: Connection, ids: Sequence[int]) -> Mapping[int, int]:
    """What outbox rows were to do, by id."""
    result: dict[int, int] = {}
    for start in range(0, len(ids), 500):
        query = select(outbox.c.id, outbox.c.action).where(outbox.c.id.in_(ids[start : start + 500]))
        result.update({row.id: row.action for row in connection.execute(query)})
    return result


def linked(connection: Connection, flow: int, keys: Sequence[bytes]) -> Sequence[tuple[bytes, int | None]]:
    """Of these keys, those the target holds, with the outbox row it acknowledged."""
    result: list[tuple[bytes, int | None]] = []
    for start in range(0, len(keys), 500):
        query = select(links.c.key, links.c.outbox_id).where(
            links.c.flow_id == flow, links.c.state == DELIVERED, links.c.key.in_(keys[start : start + 500])
        )
        result += [(bytes(row.key), row.outbox_id) for row in connection.execute(query)]
    return result


def refresh(connection: Connection, flow: int, same: Sequence[tuple[bytes, bytes]]) -> None:
    """Move fingerprints of records whose raw form changed but whose content the target has acknowledged already."""
    if same:
        connection.execute(
            update(links)
            .where(links.c.flow_id == flow, links.c.key == bindparam("of"))
            .values(fingerprint=bindparam("now")),
            [{"of": key, "now": fingerprint} for key, fingerprint in same],
        )


def discard(connection: Connection, run: int) -> None:
    """Remove the rows of a run that was not approved: none of them was sent."""
    connection.execute(delete(outbox).where(outbox.c.id.between(first_id(run), first_id(run + 1) - 1)))


def _bounds(run: int) -> dict[str, int]:
    """Between them are a run's rows: the first is numbered one more."""
    return {"after": first_id(run), "before": first_id(run + 1)}


_OPEN_RUNS = text(f"SELECT id FROM runs WHERE flow_id = :flow AND pending AND state IN {DELIVERABLE} ORDER BY id")
# The subqueries are looked up row by row through their keys: PostgreSQL has no statistics to plan a join with on a
# night that fills empty tables, and its guess reads all links of the flow for each row.
_PENDING = """
    SELECT few.id, few.key, few.person, few.action, few.fingerprint, few.payload, l.their_id, l.person AS their_person,
        p.handle, p.wrapped, p.version
    FROM (
        SELECT o.*, sum(length(o.payload)) OVER (ORDER BY o.id) - length(o.payload) AS before
        FROM (
            SELECT * FROM outbox
            WHERE id > :after AND id < :before
              AND (SELECT r.status FROM receipts r WHERE r.outbox_id = outbox.id) IS NULL
            ORDER BY id LIMIT :limit
        ) o
    ) few
    LEFT JOIN links l ON l.flow_id = :flow AND l.key = few.key
    LEFT JOIN persons p ON p.municipality = :of AND p.person = few.person
    WHERE few.before < :bytes
    ORDER BY few.id
    """
_WAITING = text(
    f"""
    {READY} SELECT o.id, o.key, o.fingerprint, o.person
    FROM ready u JOIN outbox o ON o.id >= u.first AND o.id < u.beyond
    LEFT JOIN receipts r ON r.outbox_id = o.id WHERE r.outbox_id IS NULL
    """
)
# Both sides bounded: then two indexes are walked side by side, however many receipts there are of other nights.
_UNSENT = text(
    """
    SELECT count(*) FROM outbox o
    LEFT JOIN receipts r ON r.outbox_id = o.id AND r.outbox_id > :after AND r.outbox_id < :before
    WHERE o.id > :after AND o.id < :before AND r.outbox_id IS NULL
      AND (o.person IS NULL OR o.person NOT IN (
        SELECT q.person FROM quarantine q WHERE q.flow_id = :flow AND q.stage = 'deliver' AND q.person IS NOT NULL))
    """
)
_LEFT = text(
    """
    SELECT o.id FROM outbox o
    LEFT JOIN receipts r ON r.outbox_id = o.id AND r.outbox_id > :after AND r.outbox_id < :before
    WHERE o.id > :after AND o.id < :before AND r.outbox_id IS NULL LIMIT 1
    """
)
_CLOSE = text("UPDATE runs SET pending = FALSE WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
