"""What a dry run would do with each record, on disk while it reads: memory stays bounded by the page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from sqlalchemy import Connection

from samspil.store import bulk

What = Literal["create", "update", "delete"]

_WHATS: tuple[What, ...] = ("create", "update", "delete")


class Noted:
    """A temporary table of the comparison's connection, and gone with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._rows: list[tuple[bytes, bytes | None, int]] = []
        kind = "bytea" if self._postgresql else "BLOB"
        with connection.begin():
            if not self._postgresql:  # a store in memory has one connection for all
                connection.exec_driver_sql("DROP TABLE IF EXISTS temp.noted")
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE noted (key {kind}, person {kind}, n INTEGER)")

    def add(self, key: bytes, person: bytes | None, what: What) -> None:
        """Note one record; ``write`` puts it on disk."""
        self._rows.append((key, person, _WHATS.index(what)))

    def write(self) -> None:
        """Put on disk what was added."""
        with self._connection.begin():
            bulk.insert(self._connection, "noted", ("key", "person", "n"), self._rows)
        self._rows.clear()

    def take(self, key: bytes) -> Sequence[What]:
        """What was noted of a record, once; it is forgotten."""
        place = "%s" if self._postgresql else "?"
        with self._connection.begin():
            found = self._connection.exec_driver_sql(f"SELECT n FROM noted WHERE key = {place}", (key,)).all()
            self._connection.exec_driver_sql(f"DELETE FROM noted WHERE key = {place}", (key,))
        return [_WHATS[row[0]] for row in found]

    def of_persons(self, persons: Collection[bytes]) -> Iterator[tuple[bytes, What]]:
        """Records noted of these persons."""
        if not persons:
            return
        with self._connection.begin():
            rows = self._connection.exec_driver_sql("SELECT key, person, n FROM noted WHERE person IS NOT NULL")
            for key, person, n in rows:
                if bytes(person) in persons:
                    yield bytes(key), _WHATS[n]
