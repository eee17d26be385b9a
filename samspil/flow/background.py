"""Writing while working: one transaction of the store at a time, done by a thread while the caller goes on.

On PostgreSQL only; SQLite has one writer, so there each is done at once. After a crash the work of which nothing was
written is done again, as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from sqlalchemy import Connection

from samspil.store import Store, bulk

Work = Callable[[Connection], None]


class Background:
    """A context manager: the thread and its connection. Leaving waits for what is under way.

    ``durable=False``: a transaction may be lost in a power cut as long as a later one of the store is too, which is
    right for a plan that is not valid yet.
    """

    def __init__(self, store: Store, name: str, *, durable: bool = True) -> None:
        self._store, self._durable = store, durable
        self._thread = ThreadPoolExecutor(1, f"samspil-{name}") if store.postgresql else None
        self._session = store.session()
        self._connection: Connection | None = None
        self._under_way: Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something was handed over that was not waited for."""
        return self._under_way is not None

    def write(self, work: Work) -> None:
        """Hand over a transaction's work, when the one before is done. Raises what the one before raised."""
        self.wait()
        if self._thread is None:
            with self._store.transaction() as connection:
                work(connection)
        else:
            self._under_way = self._thread.submit(self._write, work)

    def wait(self) -> None:
        """Until nothing is under way. Raises what it raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            if self._thread is not None:
                self._thread.shutdown()
            if self._connection is not None:
                self._session.__exit__(None, None, None)

    def _write(self, work: Work) -> None:
        with self._store.answering():
            if self._connection is None:
                self._connection = self._session.__enter__()
            with self._connection.begin():
                if not self._durable:
                    bulk.postpone(self._connection)
                work(self._connection)
