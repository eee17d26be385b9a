"""Receipts: what became of outbox rows, and the links that they move."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, text

from samspil.store import bulk
from samspil.store.outbox import READY, Pending
from samspil.store.tables import ACCEPTED, DELETE, DELIVERED, FILTERED, PUT, SUPERSEDED, WITHDRAW


class Settled(NamedTuple):
    """A pending row and what became of it."""

    row: Pending
    status: int
    reference: str
    their_id: bytes | None  # sealed


def settle(connection: Connection, flow: int, settled: Sequence[Settled]) -> None:
    """Write receipts, and for what was accepted move the links: only a receipt advances a fingerprint.

    Only what the target said is sent; key and fingerprint are taken from the outbox by the database.
    """
    if connection.dialect.name == "postgresql":
        _settle_postgresql(connection, flow, settled)
    else:
        _settle_sqlite(connection, flow, settled)
    gone = [row.key for row, status, *_ in settled if row.action == DELETE and status == ACCEPTED]
    for start in range(0, len(gone), _FEW):
        connection.execute(_UNLINK, {"flow": flow, "keys": gone[start : start + _FEW]})


def _settle_postgresql(connection: Connection, flow: int, settled: Sequence[Settled]) -> None:
    """All of it in one statement: each is waited for."""
    values = {
        "flow": flow,
        "at": time.time(),
        "ids": [one.row.id for one in settled],
        "statuses": bytes([one.status for one in settled]),
        "names": [one.their_id for one in settled],
        "references": [one.reference for one in settled] if any(one.reference for one in settled) else [],
    }
    connection.exec_driver_sql(_POSTGRESQL, values)


def _settle_sqlite(connection: Connection, flow: int, settled: Sequence[Settled]) -> None:
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS settled ({_SETTLED})")
    connection.exec_driver_sql("DELETE FROM temp.settled")
    columns = ("outbox_id", "status", "reference", "their_id")
    bulk.insert(connection, "settled", columns, [(row.id, *answer) for row, *answer in settled])
    connection.execute(_RECEIVE, {"at": time.time()})
    connection.execute(_LINK, {"flow": flow})


def supersede_disagreed(connection: Connection, flow: int, agreement: str) -> None:
    """Settle records planned under another agreement than today's: they might hold a field that may not leave now.

    The next plan maps each of them afresh.
    """
    connection.execute(_DISAGREED, {"flow": flow, "agreement": agreement, "at": time.time()})


def supersede(connection: Connection, ids: Iterable[int]) -> None:
    """Settle rows that a newer version of the same record replaces before they were ever sent."""
    now = time.time()
    rows = [(number, SUPERSEDED, "", now) for number in ids]
    bulk.insert(connection, "receipts", ("outbox_id", "status", "reference", "at"), rows)


_FEW = 500  # keys in one statement
_MOVED = f"""
    INSERT INTO links (flow_id, key, fingerprint, state, outbox_id, their_id, person)
    SELECT {{flow}}, o.key, o.fingerprint, CASE o.action WHEN {WITHDRAW} THEN {FILTERED} ELSE {DELIVERED} END, o.id,
        CASE o.action WHEN {WITHDRAW} THEN NULL ELSE s.their_id END, o.person
    FROM settled s {{outbox}}
    WHERE s.status = {ACCEPTED} AND o.action <> {DELETE}
    ON CONFLICT (flow_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state,
        outbox_id = excluded.outbox_id, their_id = excluded.their_id, person = excluded.person
    """
# Without statistics PostgreSQL would read all of the outbox for each batch: the lateral subquery makes it look each row
# up by its key.
_POSTGRESQL = f"""
    WITH settled AS MATERIALIZED (
        SELECT outbox_id, get_byte(%(statuses)b, n::int4 - 1) AS status, COALESCE(reference, '') AS reference, their_id
        FROM unnest(%(ids)b::int8[], %(references)b::text[], %(names)b::bytea[])
            WITH ORDINALITY AS s (outbox_id, reference, their_id, n)
    ), received AS (
        INSERT INTO receipts (outbox_id, status, reference, at)
        SELECT outbox_id, status, reference, %(at)s FROM settled
    )
    {_MOVED.format(flow="%(flow)s", outbox="CROSS JOIN LATERAL (SELECT * FROM outbox x WHERE x.id = s.outbox_id LIMIT 1) o")}
    """
_SETTLED = "outbox_id bigint, status smallint, reference text, their_id bytea"
_RECEIVE = text(
    "INSERT INTO receipts (outbox_id, status, reference, at) SELECT outbox_id, status, reference, :at FROM settled"
)
_LINK = text(_MOVED.format(flow=":flow", outbox="JOIN outbox o ON o.id = s.outbox_id"))
_UNLINK = text("DELETE FROM links WHERE flow_id = :flow AND key IN :keys").bindparams(bindparam("keys", expanding=True))
_DISAGREED = text(
    f"""
    INSERT INTO receipts (outbox_id, status, reference, at)
    {READY} SELECT o.id, {SUPERSEDED}, '', :at
    FROM ready u JOIN outbox o ON o.id >= u.first AND o.id < u.beyond
    LEFT JOIN receipts r ON r.outbox_id = o.id
    WHERE r.outbox_id IS NULL AND o.action = {PUT} AND u.agreement <> :agreement
    """
)
