"""Persons' wrapped keys, in bulk: a batch's digests go to PostgreSQL as one value, as in the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, text

from samspil.store.tables import DIGEST, persons

_MANY = 10_000  # bound values in one statement of SQLite
_WRAPPED = 60  # bytes: nonce 12, key 32, tag 16


class Person(NamedTuple):
    """A person by the keyed digest of the CPR number. Without a wrapped key the person was erased."""

    person: bytes
    handle: bytes
    wrapped: bytes | None
    version: int


def find(connection: Connection, municipality: str, wanted: Sequence[bytes]) -> Sequence[Person]:
    """Those of these persons who have a row."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor(binary=True) as cursor:  # bytes as they are
            page = {"m": municipality, "persons": b"".join(wanted), "size": DIGEST, "last": len(wanted) - 1}
            return list(map(Person._make, cursor.execute(_FIND, page).fetchall()))
    found: list[Person] = []
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        query = f"{_FIND_SQLITE} ({','.join('?' * len(some))})"
        found += map(Person._make, connection.exec_driver_sql(query, (municipality, *some)))
    return found


def add(
    connection: Connection,
    municipality: str,
    version: int,
    new: Sequence[bytes],
    handles: Sequence[bytes],
    wrapped: Sequence[bytes],
) -> int:
    """Add persons, sorted, each with handle and wrapped key; how many were not there yet."""
    if connection.dialect.name == "postgresql":
        page = {"m": municipality, "v": version, "size": DIGEST, "wrapped": _WRAPPED, "last": len(new) - 1}
        columns = {"persons": b"".join(new), "handles": b"".join(handles), "wraps": b"".join(wrapped)}
        return connection.exec_driver_sql(_ADD, {**page, **columns}).rowcount
    values = [(municipality, *row, version) for row in zip(new, handles, wrapped, strict=True)]
    statement = "INSERT OR IGNORE INTO persons (municipality, person, handle, wrapped, version) VALUES (?,?,?,?,?)"
    return connection.exec_driver_sql(statement, values).rowcount


def some(
    connection: Connection, municipality: str, *, after: bytes, limit: int, older_than: int | None = None
) -> Sequence[Person]:
    """The next persons who have a key, after one; only with a key wrapped under an older version if that is asked."""
    query = select(persons.c.person, persons.c.handle, persons.c.wrapped, persons.c.version).where(
        persons.c.municipality == municipality, persons.c.person > after, persons.c.wrapped.is_not(None)
    )
    if older_than is not None:
        query = query.where(persons.c.version < older_than)
    rows = connection.execute(query.order_by(persons.c.person).limit(limit))
    return [Person(bytes(p), bytes(h), bytes(w), v) for p, h, w, v in rows]


def rewrap(connection: Connection, municipality: str, version: int, rows: Sequence[tuple[bytes, int, bytes]]) -> None:
    """Put newly wrapped keys (person, version before, wrapped) in the place of the old ones.

    A person erased meanwhile stays erased: only a key that is still of the version before is replaced.
    """
    connection.execute(
        _REWRAP,
        [{"m": municipality, "v": version, "person": p, "before": before, "w": w} for p, before, w in rows],
    )


def by_version(connection: Connection, municipality: str) -> Mapping[int, int]:
    """How many persons' keys there are, by the version they are wrapped under."""
    query = (
        select(persons.c.version, func.count())
        .where(persons.c.municipality == municipality, persons.c.wrapped.is_not(None))
        .group_by(persons.c.version)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


_FIND = """
    SELECT p.person, p.handle, p.wrapped, p.version::int4
    FROM generate_series(0, %(last)s) AS n
    CROSS JOIN LATERAL (
        SELECT * FROM persons k
        WHERE k.municipality = %(m)s AND k.person = substring(%(persons)s::bytea FROM n * %(size)s + 1 FOR %(size)s)
        LIMIT 1
    ) p
    """
_FIND_SQLITE = "SELECT person, handle, wrapped, version FROM persons WHERE municipality = ? AND person IN"
_ADD = """
    INSERT INTO persons (municipality, person, handle, wrapped, version)
    SELECT %(m)s, substring(%(persons)b FROM n * %(size)s + 1 FOR %(size)s),
        substring(%(handles)b FROM n * %(size)s + 1 FOR %(size)s),
        substring(%(wraps)b FROM n * %(wrapped)s + 1 FOR %(wrapped)s), %(v)s
    FROM generate_series(0, %(last)s) AS n
    ON CONFLICT DO NOTHING
    """
_REWRAP = text(
    "UPDATE persons SET wrapped = :w, version = :v "
    "WHERE municipality = :m AND person = :person AND version = :before AND wrapped IS NOT NULL"
)
