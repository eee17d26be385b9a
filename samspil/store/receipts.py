"""Receipts: what became of outbox rows, and the links that they move."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

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
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS settled ({_SETTLED}) ON COMMIT DELETE ROWS")
        # Without statistics it would read all of the outbox for each batch.
        connection.exec_driver_sql("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    else:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS settled ({_SETTLED})")
        connection.exec_driver_sql("DELETE FROM temp.settled")
    columns = ("outbox_id", "status", "reference", "their_id")
    bulk.insert(connection, "settled", columns, [(row.id, *answer) for row, *answer in settled])
    connection.execute(_RECEIVE, {"at": time.time()})
    if any(row.action != DELETE for row, *_ in settled):
        connection.execute(_LINK, {"flow": flow})
    if any(row.action == DELETE for row, *_ in settled):
        connection.execute(_UNLINK, {"flow": flow})


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


_SETTLED = "outbox_id bigint, status smallint, reference text, their_id bytea"
_RECEIVE = text(
    "INSERT INTO receipts (outbox_id, status, reference, at) SELECT outbox_id, status, reference, :at FROM settled"
)
_LINK = text(
    f"""
    INSERT INTO links (flow_id, key, fingerprint, state, outbox_id, their_id, person)
    SELECT :flow, o.key, o.fingerprint, CASE o.action WHEN {WITHDRAW} THEN {FILTERED} ELSE {DELIVERED} END, o.id,
        CASE o.action WHEN {WITHDRAW} THEN NULL ELSE s.their_id END, o.person
    FROM settled s JOIN outbox o ON o.id = s.outbox_id
    WHERE s.status = {ACCEPTED} AND o.action <> {DELETE}
    ON CONFLICT (flow_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state,
        outbox_id = excluded.outbox_id, their_id = excluded.their_id, person = excluded.person
    """
)
_UNLINK = text(
    f"""
    DELETE FROM links WHERE flow_id = :flow AND key IN (
        SELECT o.key FROM settled s JOIN outbox o ON o.id = s.outbox_id
        WHERE s.status = {ACCEPTED} AND o.action = {DELETE})
    """
)
_DISAGREED = text(
    f"""
    INSERT INTO receipts (outbox_id, status, reference, at)
    {READY} SELECT o.id, {SUPERSEDED}, '', :at
    FROM ready u JOIN outbox o ON o.id >= u.first AND o.id < u.beyond
    LEFT JOIN receipts r ON r.outbox_id = o.id
    WHERE r.outbox_id IS NULL AND o.action = {PUT} AND u.agreement <> :agreement
    """
)
