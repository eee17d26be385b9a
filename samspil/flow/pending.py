"""The outbox's pending rows as changes, some at a time, the next of them read and opened while those before are sent.

On PostgreSQL only; SQLite has one connection at work, so there they are read when they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple, Self

from samspil.connector import Change
from samspil.flow.compiled import CompiledFlow
from samspil.flow.settling import Settling
from samspil.store import bulk, outbox
from samspil.store.outbox import Pending
from samspil.store.persons import Person
from samspil.store.tables import PUT

if TYPE_CHECKING:
    from samspil.hub import Hub

_CHUNK = 1_000  # rows looked at together


class Due(NamedTuple):
    """A pending row, its payload opened, and what it is for the target."""

    row: Pending
    change: Change


class PendingRows:
    """A context manager: one flow's pending rows, in planned order."""

    def __init__(self, hub: Hub, flow: CompiledFlow, settling: Settling) -> None:
        self._hub, self._flow, self._settling = hub, flow, settling
        self._limit = max(_CHUNK, flow.writes.batch)
        self._thread = ThreadPoolExecutor(1, "samspil-pending") if hub.store.postgresql else None

    def chunks(self, after: int, before: int) -> Iterator[Sequence[Due]]:
        """Rows with ``after`` < id < ``before``. No record is twice in a chunk, and each row is as all receipts before
        it left it: it says what its record is called at the target, which may have been answered a moment ago.
        """
        due, unsettled = self._read(after, before), self._settling.keys
        while True:
            if any(row.key in unsettled for row, _ in due):
                self._settling.wait()
                due = self._read(after, before)
            due = _before_a_repeat(due)
            if not due:
                return
            after = due[-1].row.id
            if self._thread is None:
                yield due
                due = self._read(after, before)
            else:
                own = {row.key for row, _ in due}
                unsettled = self._settling.keys | own
                ahead = self._thread.submit(self._read, after, before)
                yield due
                if not self._settling.keys <= own:
                    self._settling.wait()  # none of these went: before more persons are fetched, older ones settle
                due = ahead.result()

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

    def _read(self, after: int, before: int) -> Sequence[Due]:
        with self._hub.store.answering(), self._connection.begin():
            connection, code = self._connection, self._hub.file.municipality.code
            rows = outbox.pending(connection, code, self._flow.id, after=after, before=before, limit=self._limit)
            found = [
                Person(row.person, row.handle or b"", row.wrapped, row.version or 0)
                for row in rows
                if row.person is not None and row.version is not None
            ]
            others = [row.their_person for row in rows if row.their_person != row.person]
            self._hub.persons.fetch(connection, others, found=found)
        # Those that wait for a refused one are opened too: one that does not open stops the flow here.
        payloads = self._flow.sealing.pending(rows)
        return [Due(row, self._change(row)) for row in map(Pending.opened, rows, payloads)]

    def _change(self, row: Pending) -> Change:
        # With the fingerprint, a store restored from a backup, which counts its runs anew, does not reuse a key.
        key = self._flow.idempotency(row.id.to_bytes(8, "big") + row.key + row.fingerprint)
        return Change(
            "put" if row.action == PUT else "delete",
            row.payload,
            self._flow.sealing.named(row),
            _uuid(key.hex()),
        )


def _uuid(digest: str) -> str:
    """32 hexadecimal digits in the form of a random UUID (version 4), as systems check it; the uuid module is slow."""
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def _before_a_repeat(due: Sequence[Due]) -> Sequence[Due]:
    """Those up to the first whose record is among those before it: it must know what they were called there."""
    seen: set[bytes] = set()
    for n, (row, _) in enumerate(due):
        if row.key in seen:
            return due[:n]
        seen.add(row.key)
    return due
