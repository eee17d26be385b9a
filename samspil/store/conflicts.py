"""Conflicts: fields that both sides want otherwise, sealed, until a person settles them or they go by themselves."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from samspil.store import open_rows
from samspil.store.tables import conflicts

_MANY = 500  # bound values in one statement
BOTH = "both"  # taken: each side keeps its own


class New(NamedTuple):
    """One conflict to store. ``payload`` is sealed for ``key``."""

    flow_id: int
    run_id: int
    key: bytes
    person: bytes | None
    field: str
    reason: str
    payload: bytes


class Known(NamedTuple):
    """A stored conflict that still counts: open, or settled."""

    id: int
    field: str
    reason: str
    state: str
    taken: str
    payload: bytes


def standing(connection: Connection, keys: Sequence[bytes]) -> Mapping[bytes, Sequence[Known]]:
    """The conflicts of these baselines that are open, or settled and not closed yet."""
    result: dict[bytes, list[Known]] = defaultdict(list)
    columns = (conflicts.c.key, *(conflicts.c[name] for name in Known._fields))
    for start in range(0, len(keys), _MANY):
        chosen = conflicts.c.key.in_(keys[start : start + _MANY])
        query = select(*columns).where(chosen, conflicts.c.state.in_(("open", "settled"))).order_by(conflicts.c.id)
        for row in connection.execute(query):
            known = Known(row.id, row.field, row.reason, row.state, row.taken, bytes(row.payload))
            result[bytes(row.key)].append(known)
    return result


def add(connection: Connection, new: Sequence[New]) -> None:
    """Store conflicts, open."""
    now = time.time()
    if new:
        rows = [{**one._asdict(), "state": "open", "taken": "", "at": now, "note": ""} for one in new]
        connection.execute(insert(conflicts), rows)


def close(connection: Connection, numbers: Sequence[int], note: str) -> None:
    """Close conflicts that count no longer."""
    for start in range(0, len(numbers), _MANY):
        connection.execute(
            update(conflicts)
            .where(conflicts.c.id.in_(numbers[start : start + _MANY]))
            .values(state="closed", note=note, settled=time.time())
        )


def close_all(connection: Connection, keys: Sequence[bytes], note: str) -> None:
    """Close what stands of these baselines: the record is gone."""
    for start in range(0, len(keys), _MANY):
        connection.execute(
            update(conflicts)
            .where(conflicts.c.key.in_(keys[start : start + _MANY]), conflicts.c.state.in_(("open", "settled")))
            .values(state="closed", note=note, settled=time.time())
        )


def settle(connection: Connection, number: int, taken: str, note: str) -> bool:
    """Note a person's decision. Returns whether the conflict was open."""
    return open_rows.settle(conflicts, connection, number, state="settled", taken=taken, note=note)


def entries(
    connection: Connection, municipality: str, *, flow: str | None = None, only_open: bool = True
) -> Sequence[Any]:
    """Conflicts of a municipality, newest first, with the flow's name; the values stay sealed."""
    return open_rows.listed(conflicts, connection, municipality, flow=flow, only_open=only_open)


def count_open(connection: Connection, flow_ids: Sequence[int]) -> int:
    """How many conflicts of these flows a person has to settle."""
    query = select(func.count()).select_from(conflicts)
    query = query.where(conflicts.c.flow_id.in_(flow_ids), conflicts.c.state == "open")
    return int(connection.execute(query).scalar_one())
