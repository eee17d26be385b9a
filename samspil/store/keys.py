"""Wrapped keys of municipalities: one row for each version of the master key in use."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, text

from samspil.store.tables import keys, ledger


def wrapped_roots(connection: Connection, municipality: str) -> Mapping[int, bytes]:
    """The municipality's root by version of the master key it is wrapped under."""
    rows = connection.execute(select(keys.c.version, keys.c.wrapped).where(keys.c.municipality == municipality))
    return {row.version: bytes(row.wrapped) for row in rows}


def add_root(connection: Connection, municipality: str, version: int, wrapped: bytes) -> None:
    """Keep the root wrapped under one more version, unless another process just did."""
    connection.execute(_ADD, {"municipality": municipality, "version": version, "wrapped": wrapped})


def in_use(connection: Connection, municipality: str, version: int) -> bool:
    """Whether a version still counts; until the caller's transaction ends no rotation retires it."""
    query = select(keys.c.version).where(keys.c.municipality == municipality, keys.c.version == version)
    return connection.execute(query.with_for_update(read=True)).first() is not None


def lock(connection: Connection, municipality: str) -> None:
    """Let nobody make a key under any version until the caller's transaction ends."""
    connection.execute(select(keys.c.version).where(keys.c.municipality == municipality).with_for_update()).all()


def retire(connection: Connection, municipality: str, newest: int) -> int:
    """Forget the root under older versions; how many."""
    older = delete(keys).where(keys.c.municipality == municipality, keys.c.version < newest)
    return connection.execute(older).rowcount


def lost(connection: Connection, municipality: str) -> bool:
    """Whether the store was used by this municipality, as its ledger tells."""
    query = select(ledger.c.seq).where(ledger.c.municipality == municipality)
    return connection.execute(query.limit(1)).first() is not None


_ADD = text(
    "INSERT INTO keys (municipality, version, wrapped) VALUES (:municipality, :version, :wrapped) "
    "ON CONFLICT DO NOTHING"
)
