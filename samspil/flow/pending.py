"""The outbox's pending rows, some at a time, the next of them read while those before are on their way.

On PostgreSQL only; SQLite has one connection at work, so there they are read when they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from samspil.flow.compiled import CompiledFlow
from samspil.flow.settling import Settling
from samspil.store import bulk, outbox
from samspil.store.outbox import Pending

if TYPE_CHECKING:
    from samspil.hub import Hub

_CHUNK = 1_000  # rows looked at together


class PendingRows:
    """A context manager: one flow's pending rows, in planned order."""

    def __init__(self, hub: Hub, flow: CompiledFlow, settling: Settling) -> None:
        self._hub, self._flow, self._settling = hub, flow, settling
        self._limit = max(_CHUNK, flow.writes.batch)
        self._thread = ThreadPoolExecutor(1, "samspil-pending") if hub.store.postgresql else None

    def chunks(self, after: int, before: int) -> Iterator[Sequence[Pending]]:
        """Rows with ``after`` < id < ``before``. No record is twice in a chunk, and each row is as all receipts before
        it left it: it says what its record is called at the target, which may have been answered a moment ago.
        """
        rows, unsettled = self._read(after, before), self._settling.keys
        while True:
            if any(row.key in unsettled for row in rows):
                self._settling.wait()
                rows = self._read(after, before)
            rows = _before_a_repeat(rows)
            if not rows:
                return
            after = rows[-1].id
            if self._thread is None:
                yield rows
                rows = self._read(after, before)
            else:
                own = {row.key for row in rows}
                unsettled = self._settling.keys | own
                ahead = self._thread.submit(self._read, after, before)
                yield rows
                if (
                    not self._settling.keys <= own
                ):  # none of these went: before more persons are fetched, older ones settle
                    self._settling.wait()
                rows = ahead.result()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._connection = undo.enter_context(self._hub.store.session())
            bulk.walk(self._connection)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        self._undo.close()

    def _read(self, after: int, before: int) -> Sequence[Pending]:
        with self._hub.store.answering(), self._connection.begin():
            connection = self._connection
            rows = outbox.pending(connection, self._flow.id, after=after, before=before, limit=self._limit)
            self._hub.persons.fetch(connection, [each for row in rows for each in (row.person, row.their_person)])
            return rows


def _before_a_repeat(rows: Sequence[Pending]) -> Sequence[Pending]:
    """The rows up to the first whose record is among those before it: it must know what they were called there."""
    seen: set[bytes] = set()
    for n, row in enumerate(rows):
        if row.key in seen:
            return rows[:n]
        seen.add(row.key)
    return rows
