"""One process at a time plans or delivers a flow: a second one, such as a retry beside a zombie, is told to wait.

The lock is the database's, so it is gone with the process that held it: on PostgreSQL an advisory lock of a session
(a pooler that shares sessions between clients would break it), on SQLite an exclusive lock on a file beside the store.

A process that works beside (``samspil.flow.helper``) has a second lock of its own. Whoever comes after one that was
killed waits for it: it may still write what it was told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from samspil.errors import Unavailable

if TYPE_CHECKING:
    from samspil.store import Store

_SPACE = 726678  # of advisory locks with two numbers; the ledger's is another
_BESIDE = 726679  # the same of those who work beside


@contextmanager
def exclusive(store: Store, flow: int) -> Iterator[None]:
    """Hold the flow's lock. Raises Unavailable (flow-busy) at once when another holds it.

    Nobody works beside one who is gone any more when it is held.
    """
    if store.postgresql:
        with _postgresql(store, flow):
            yield
    elif store.engine.url.database:
        with _sqlite(f"{store.engine.url.database}.flow-{flow}.lock"):
            yield
    else:
        yield  # a store in memory is one process's


@contextmanager
def _postgresql(store: Store, flow: int) -> Iterator[None]:
    with store.session() as connection:
        with connection.begin():  # the lock is the session's: it stays when the transaction ends
            for name, value in (("idle", 30), ("interval", 10), ("count", 3)):  # a lost machine's lock is free in 1 min
                connection.exec_driver_sql(f"SET tcp_keepalives_{name} = {value}")
            free = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_SPACE}, {int(flow)})").scalar()
        if not free:
            raise _busy()
        beside(connection, flow)
        with connection.begin():
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_BESIDE}, {int(flow)})")
        yield


def beside(connection: Connection, flow: int) -> None:
    """Hold the lock of whoever works beside on a flow as long as the session lasts; wait for the one before."""
    with connection.begin():
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_BESIDE}, {int(flow)})")


@contextmanager
def _sqlite(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise _busy() from None
        yield


def _busy() -> Unavailable:
    return Unavailable("another process is working on this flow", system="store", reason="flow-busy")
