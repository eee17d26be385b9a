"""Baselines of two-way exchanges: what both sides last agreed on, found by the key that either flow knows it by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, text, update

from samspil.store.tables import DIGEST, baselines, links

_MANY = 500  # bound values in one statement
SIDES = ("first", "second")
UNKNOWN = bytes(DIGEST)  # a fingerprint that no record has: it differs whenever it is compared
BOTH = 3  # bits of ``due`` and ``met``


class Row(NamedTuple):
    """One baseline as it is stored."""

    key: bytes
    first: bytes | None
    second: bytes | None
    called: bytes | None
    due: int
    met: int
    person: bytes | None
    payload: bytes  # sealed for ``key``


def of_keys(connection: Connection, flow: int, side: int, keys: Sequence[bytes]) -> Mapping[bytes, Row]:
    """Baselines by the key that the flow out of ``side`` knows them by."""
    return _found(connection, flow, SIDES[side], keys)


def called(connection: Connection, flow: int, names: Sequence[bytes]) -> Mapping[bytes, Row]:
    """Baselines of records not yet read back, by the digest of the name they were given."""
    return _found(connection, flow, "called", names)


def by_own_key(connection: Connection, flow: int, keys: Sequence[bytes]) -> Mapping[bytes, Row]:
    """Baselines by their own key."""
    return _found(connection, flow, "key", keys)


def due(connection: Connection, flow: int, side: int, *, after: bytes, limit: int) -> Sequence[Row]:
    """Baselines at which the flow out of ``side`` must look although its source need not have changed, in key order."""
    bit = 1 << side
    some = text("due <> 0")  # as the index has it
    query = _COLUMNS.where(
        baselines.c.flow_id == flow, some, baselines.c.due.op("&")(bit) != 0, baselines.c.key > after
    )
    return [_row(row) for row in connection.execute(query.order_by(baselines.c.key).limit(limit))]


def unmet(connection: Connection, flow: int, side: int, *, after: bytes, limit: int) -> Sequence[Row]:
    """Baselines of records that the flow out of ``side`` has never read, though it was told that they are there."""
    bit = 1 << side
    query = _COLUMNS.where(
        baselines.c.flow_id == flow,
        baselines.c.met.op("&")(bit) == 0,
        baselines.c.called.is_not(None),
        baselines.c.key > after,
    )
    return [_row(row) for row in connection.execute(query.order_by(baselines.c.key).limit(limit))]


def put(connection: Connection, flow: int, rows: Iterable[Row]) -> None:
    """Insert or replace."""
    values = [{"flow_id": flow, **row._asdict()} for row in rows]
    if values:
        connection.execute(_PUT, values)


def flag(connection: Connection, flow: int, keys: Sequence[bytes], bits: int) -> None:
    """Let the flows out of these sides look at these records in their next run."""
    for start in range(0, len(keys), _MANY):
        connection.execute(
            update(baselines)
            .where(baselines.c.flow_id == flow, baselines.c.key.in_(keys[start : start + _MANY]))
            .values(due=baselines.c.due.op("|")(bits))
        )


def forget(connection: Connection, flow: int, keys: Sequence[bytes]) -> None:
    """Remove baselines of records that are gone at both sides."""
    for start in range(0, len(keys), _MANY):
        chosen = baselines.c.key.in_(keys[start : start + _MANY])
        connection.execute(delete(baselines).where(baselines.c.flow_id == flow, chosen))


def unlink(connection: Connection, flow: int, keys: Sequence[bytes]) -> None:
    """Remove a flow's links to records of which the other side's flow knows that they are gone."""
    for start in range(0, len(keys), _MANY):
        chosen = links.c.key.in_(keys[start : start + _MANY])
        connection.execute(delete(links).where(links.c.flow_id == flow, chosen))


def linked(connection: Connection, flow: int, keys: Sequence[bytes]) -> Mapping[bytes, tuple[int, int | None]]:
    """State and acknowledged outbox row of a flow's links."""
    result: dict[bytes, tuple[int, int | None]] = {}
    for start in range(0, len(keys), _MANY):
        query = select(links.c.key, links.c.state, links.c.outbox_id).where(
            links.c.flow_id == flow, links.c.key.in_(keys[start : start + _MANY])
        )
        result.update({bytes(row.key): (row.state, row.outbox_id) for row in connection.execute(query)})
    return result


def look_again(connection: Connection, flow: int, keys: Sequence[bytes]) -> None:
    """Let the flow's next run look at these records even if their source has them as it had them when last compared."""
    for start in range(0, len(keys), _MANY):
        chosen = links.c.key.in_(keys[start : start + _MANY])
        connection.execute(update(links).where(links.c.flow_id == flow, chosen).values(fingerprint=UNKNOWN))


def rename(connection: Connection, flow: int, names: Sequence[tuple[bytes, bytes | None]]) -> None:
    """Set what the target calls records: (key, sealed name)."""
    if names:
        connection.execute(
            update(links)
            .where(links.c.flow_id == flow, links.c.key == bindparam("of"))
            .values(their_id=bindparam("name")),
            [{"of": key, "name": name} for key, name in names],
        )


def _found(connection: Connection, flow: int, column: str, keys: Sequence[bytes]) -> Mapping[bytes, Row]:
    found: dict[bytes, Row] = {}
    by = baselines.c[column]
    for start in range(0, len(keys), _MANY):
        query = _COLUMNS.where(baselines.c.flow_id == flow, by.in_(keys[start : start + _MANY]))
        for row in map(_row, connection.execute(query)):
            found[getattr(row, column)] = row
    return found


def _row(row: Any) -> Row:
    return Row(row.key, row.first, row.second, row.called, row.due, row.met, row.person, row.payload)


_COLUMNS = select(*(baselines.c[name] for name in Row._fields))
_NAMES = ("flow_id", *Row._fields)
_PUT = text(
    f"INSERT INTO baselines ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "
    "ON CONFLICT (flow_id, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in Row._fields if name != "key")
)
