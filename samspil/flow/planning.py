"""Plan: read the source, keep what changed, map it, and write what should be sent to the outbox.

One stream, a page at a time: nothing of a record that did not change is decoded or written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from samspil.connector import Rejected
from samspil.errors import Refused, SamspilError
from samspil.flow import taking_up
from samspil.flow.ahead import Ahead
from samspil.flow.background import Background
from samspil.flow.both_ways import BothWays
from samspil.flow.calm import calm, tidy
from samspil.flow.compiled import CompiledFlow, Mapped
from samspil.flow.consent import Noted
from samspil.flow.deletions import hold_duplicates, plan_deletions
from samspil.flow.draft import Draft
from samspil.flow.merger import Merger
from samspil.ledger import READ_BLOCKED, READ_FILTERED, READ_HELD, READ_PLANNED, READ_UNCHANGED
from samspil.ledger.entry import Told
from samspil.store import bulk, outbox, quarantine
from samspil.store.comparison import Comparison, Differing
from samspil.store.tables import DELIVERED, ERASED, FILTERED, PUT, WITHDRAW

_BATCH = 3_000  # records compared at once, and a page more; smaller pages are gathered
_BYTES = 16 * 2**20  # no more is gathered of large records, such as documents


class _Batch(NamedTuple):
    """Some pages together, with their digests."""

    raws: list[bytes]
    keys: list[bytes]
    names: list[bytes]  # the keys as the source gives them; in two-way exchanges only
    prints: list[bytes]
    gone: list[bytes]  # digests of keys
    rejected: list[Rejected]
    cursor: str | None


def read_into(draft: Draft, comparison: Comparison, since: str | None) -> None:
    """Read everything and plan it. Raises what the connector raises: then nothing of this plan counts."""
    gone: list[bytes] = []
    writing = Background(draft.hub.store, "plan", durable=False)
    with calm(), writing, Ahead(_batches(draft.flow, since)) as batches:
        for batch in batches:
            draft.counts["read"] += len(batch.keys)
            draft.cursor = batch.cursor or draft.cursor
            gone += batch.gone
            if batch.rejected:
                draft.hold_page([(rejected.raw, rejected.error.kept()) for rejected in batch.rejected])
            _plan(draft, comparison, batch, writing)
            tidy()
    hold_duplicates(draft, comparison)
    plan_deletions(draft, comparison, None if since is None else _surely(gone, draft, comparison))
    if draft.flow.both and draft.complete:
        _take_up(draft, comparison, draft.flow.both)


def _surely(gone: Sequence[bytes], draft: Draft, comparison: Comparison) -> list[bytes]:
    """What is gone and was not read as well. One that was both may be back, or have gone since: the next read is whole.

    A list of deletions says nothing of what was made again under the same key, and deleting that would lose it.
    """
    both = set(comparison.seen_among(gone))
    draft.doubtful = bool(both)
    return [key for key in gone if key not in both]


def _batches(flow: CompiledFlow, since: str | None) -> Iterator[_Batch]:
    """Runs in the reading thread: fetching and hashing go on while the database compares."""
    batch, size = _Batch([], [], [], [], [], [], None), 0
    for page in flow.source.read(flow.flow.schema, since):
        if len(page.keys) != len(page.raws):  # gathered with others, records would get one another's keys
            raise SamspilError(f"{flow.flow.source}: a page's keys and records do not match", reason="bad-page")
        batch.raws.extend(page.raws)
        batch.keys.extend(map(flow.key, page.keys))
        if flow.both:
            batch.names.extend(page.keys)
        batch.prints.extend(map(flow.fingerprint, page.raws))
        batch.gone.extend(map(flow.key, page.gone))
        batch.rejected.extend(page.rejected)
        batch = batch._replace(cursor=page.cursor or batch.cursor)
        size += sum(map(len, page.raws))
        if len(batch.raws) >= _BATCH or size >= _BYTES:
            yield batch
            batch, size = _Batch([], [], [], [], [], [], None), 0
    yield batch


def _plan(draft: Draft, comparison: Comparison, batch: _Batch, writing: Background) -> None:
    keys, prints = batch.keys, batch.prints
    if not keys:
        return
    compared = comparison.compare(keys, prints)
    draft.counts["unchanged"] += compared.unchanged
    draft.counts["filtered"] += compared.filtered
    kept_out, differing = _kept_out(compared.differing)
    draft.counts["blocked"] += kept_out
    if not differing:
        return
    if draft.flow.both:
        draft.looked.update(keys[row.n] for row in compared.differing)
    with draft.connection.begin():
        held = draft.held_in_this_version([keys[row.n] for row in differing], [prints[row.n] for row in differing])
        fresh = [row for row, known in zip(differing, held, strict=True) if not known]
        changes = _Changes(draft, fresh)
    raws = [batch.raws[row.n] for row in fresh]
    mapped = draft.flow.map(raws)
    changes.fetch_persons(mapped, raws)
    if draft.flow.both:
        mapped = changes.merge(
            draft.flow.both, [keys[row.n] for row in fresh], [batch.names[row.n] for row in fresh], mapped
        )
    for row, raw, result in zip(fresh, raws, mapped, strict=True):
        changes.take(row, keys[row.n], prints[row.n], raw, result)
    changes.count()
    writing.write(changes.write)


def _take_up(draft: Draft, comparison: Comparison, way: BothWays) -> None:
    """In a two-way exchange: what is owed to the target although the source did not change."""
    for due in taking_up.due(draft, way):
        seen = set(comparison.seen_among(due.keys))
        with draft.connection.begin():
            held = draft.held_in_this_version(due.keys, due.prints)
            fresh = [row for row, known in zip(due.rows, held, strict=True) if not known]
            changes = _Changes(draft, fresh)
        keys, names = [due.keys[row.n] for row in fresh], [due.names[row.n] for row in fresh]
        mapped = [due.mapped[row.n] for row in fresh]
        changes.fetch_persons(mapped, [b""] * len(fresh))
        merged = changes.merge(way, keys, names, mapped)
        taken = len(due.rows) - len(fresh)
        for row, result in zip(fresh, merged, strict=True):
            if not isinstance(result, Refused):  # else it waits until it is read anew
                changes.take(row, due.keys[row.n], due.prints[row.n], b"", result)
                taken += 1
        again = min(len(seen), taken)
        draft.counts["unchanged"] -= again
        draft.counts["read"] += taken - again
        changes.count()
        with draft.connection.begin():
            changes.write(draft.connection)


def _kept_out(differing: Sequence[Differing]) -> tuple[int, Sequence[Differing]]:
    """How many records retention took away and their source still has; and the others."""
    others = [row for row in differing if row.state != ERASED]
    return len(differing) - len(others), others


class _Changes:
    """The differing records of one batch, sorted by what is to be done with each, written in one go."""

    def __init__(self, draft: Draft, fresh: Sequence[Differing]) -> None:
        self._draft = draft
        self._flow: CompiledFlow = draft.flow
        acknowledged = [row.outbox_id for row in fresh if row.outbox_id is not None]
        self._last = outbox.payloads(draft.connection, acknowledged)
        self._planned: list[tuple[Any, ...]] = []
        self._filtered: list[tuple[Any, ...]] = []
        self._same: list[tuple[bytes, bytes]] = []
        self._held: list[quarantine.Held] = []
        self._entries: list[Told] = []
        self._consents: list[tuple[bytes, Noted]] = []
        self._merger: Merger | None = None
        self._clashing = 0  # records of which all that is left is a conflict
        self._erased: frozenset[bytes] = frozenset()

    def merge(
        self, way: BothWays, keys: Sequence[bytes], names: Sequence[bytes], mapped: Sequence[Mapped | Refused]
    ) -> Sequence[Mapped | Refused]:
        """In a two-way exchange: the records as they are to be sent after merging; of those erased nothing is kept."""
        self._merger = Merger(self._flow, way, self._draft.run)
        theirs = [n for n, one in enumerate(mapped) if isinstance(one, Refused) or one.person not in self._erased]
        some = ([keys[n] for n in theirs], [names[n] for n in theirs], [mapped[n] for n in theirs])
        with self._draft.connection.begin():
            self._merger.load(self._draft.connection, *some)
        merged = dict(zip(theirs, self._merger.results(*some), strict=True))  # may ask the target: in no transaction
        return [merged.get(n, one) for n, one in enumerate(mapped)]

    def fetch_persons(self, mapped: Sequence[Mapped | Refused], raws: Sequence[bytes]) -> None:
        """Make ready the keys of everybody whom these records, or what the target has of them, are about.

        Of those that cannot be read, ask whether a number in them is of somebody erased.
        """
        results = list(zip(raws, mapped, strict=True))
        readable = [result.person for result in mapped if isinstance(result, Mapped)]
        broken = [
            who for raw, result in results if isinstance(result, Refused) for who in self._flow.about(raw, result)
        ]
        with self._draft.connection.begin():
            bulk.postpone(self._draft.connection)
            others = [*broken, *(person for _, person in self._last.values())]
            self._erased = self._draft.hub.persons.fetch(self._draft.connection, others, new=readable)

    def take(self, row: Differing, key: bytes, fingerprint: bytes, raw: bytes, result: Mapped | Refused) -> None:
        """Decide what happens to one record."""
        if self._erased and not self._erased.isdisjoint(self._flow.about(raw, result)):
            self._draft.counts["blocked"] += 1
            self._entries.append((key, None, 0, 0, READ_BLOCKED))
            return
        if isinstance(result, Refused):
            self._held.append(self._draft.hold("map", key, fingerprint, result, raw))
            self._entries.append((key, None, 0, 0, READ_HELD))
            return
        if result.consent is not None:
            self._consents.append((key, result.consent))
        last = self._last.get(row.outbox_id) if row.outbox_id is not None and row.state == DELIVERED else None
        number, action, outcome, turn = 0, 0, READ_UNCHANGED, result.turn
        if result.payload is None:
            outcome = READ_FILTERED
            if last is None:
                self._filtered.append((self._flow.id, key, fingerprint, FILTERED, None, None, result.person))
            elif not self._flow.writes.deletes:
                self._draft.counts["kept_by_target"] += 1
                self._draft.counts["filtered"] += 1
            else:  # the target has it and may no longer: take it back
                number, action = self._draft.number(), WITHDRAW
                self._planned.append((number, key, last[1], WITHDRAW, fingerprint, self._acknowledged(row, key, last)))
        elif turn is not None and turn.held:
            self._clashing += 1
            self._same.append((key, fingerprint))  # it is known now, and found again when either value changes
            outcome = READ_HELD
        elif turn.same if turn else last is not None and self._same_at_target(row, key, last, result):
            self._same.append((key, fingerprint))
        else:
            number, action, outcome = self._draft.number(), PUT, READ_PLANNED
            self._planned.append((number, key, result.person, PUT, fingerprint, result.payload))
            self._draft.counts["creates" if (turn.creates if turn else last is None) else "updates"] += 1
            if turn:
                turn.planned(number)
        self._entries.append((key, result.person, number, action, outcome))

    def _same_at_target(self, row: Differing, key: bytes, last: tuple[bytes, bytes | None], result: Mapped) -> bool:
        """Whether there is nothing to send. A record of another person than then is sent, even where no number is sent.

        With its receipt it becomes that person's: to be shown, erased, or taken back when the consent is.
        """
        return last[1] == result.person and self._acknowledged(row, key, last) == result.payload

    def _acknowledged(self, row: Differing, key: bytes, last: tuple[bytes, bytes | None]) -> bytes:
        """What the target has of the record."""
        return self._flow.sealing.planned(last[0], row.outbox_id or 0, key, last[1])

    def count(self) -> None:
        """Add them to the draft's counts."""
        counts = self._draft.counts
        withdrawals = sum(row[3] == WITHDRAW for row in self._planned)
        counts["withdrawals"] += withdrawals
        counts["filtered"] += withdrawals + len(self._filtered)
        counts["unchanged"] += len(self._same) - self._clashing
        counts["held_new"] += len(self._held)
        counts["conflicts"] += self._clashing

    def write(self, connection: Connection) -> None:
        """All of it in the caller's transaction."""
        draft, flow = self._draft, self._flow
        if self._merger:
            self._merger.write(connection)
        outbox.add(connection, flow.sealing.plan(self._planned))
        outbox.upsert_links(connection, self._filtered)
        outbox.refresh(connection, flow.id, self._same)
        quarantine.add(connection, flow.id, draft.run, self._held)
        if flow.gate is not None:
            flow.gate.write(connection, self._consents)
        if self._entries:
            draft.hub.ledger.append(connection, {"what": "read", "run": draft.run, **flow.context}, self._entries)
