"""Rows that wait for a person, whichever table they lie in: the quarantine's and the conflicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select, update

from samspil.store.tables import flows


def listed(
    table: Table, connection: Connection, municipality: str, *, flow: str | None = None, only_open: bool = True
) -> Sequence[Any]:
    """Rows of a municipality, newest first, each with its flow's name; what is sealed stays sealed."""
    query = (
        select(table, flows.c.name.label("flow"))
        .join(flows, flows.c.id == table.c.flow_id)
        .where(flows.c.municipality == municipality)
        .order_by(table.c.id.desc())
    )
    if flow:
        query = query.where(flows.c.name == flow)
    if only_open:
        query = query.where(table.c.state == "open")
    return connection.execute(query).all()


def settle(table: Table, connection: Connection, number: int, **values: str) -> bool:
    """Give an open row its new state and a note. Returns whether it was open."""
    one = update(table).where(table.c.id == number, table.c.state == "open")
    return bool(connection.execute(one.values(**values, settled=time.time())).rowcount)
