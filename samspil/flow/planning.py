"""Plan: read the source, keep what changed, map it, and write what should be sent to the outbox.

One stream, a page at a time: nothing of a record that did not change is decoded or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from samspil.connector import Rejected
from samspil.errors import SamspilError
from samspil.flow import taking_up
from samspil.flow.ahead import Ahead
from samspil.flow.booking import Booking
from samspil.flow.both_ways import BothWays
from samspil.flow.calm import calm, tidy
from samspil.flow.changes import Changes, Rows
from samspil.flow.compiled import CompiledFlow
from samspil.flow.deletions import hold_duplicates, plan_deletions
from samspil.flow.draft import Draft
from samspil.store.comparison import Comparison
from samspil.store.tables import ERASED

_BATCH = 3_000  # records compared at once, and a page more; smaller pages are gathered
_ENOUGH = 250  # changed records mapped and planned at once
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
    with calm(), Booking(draft) as booking, Ahead(_batches(draft.flow, since)) as batches:
        for rows in _differing(draft, comparison, batches, gone):
            booking.take(_changes(draft, rows))
        booking.finish()
        twice = comparison.duplicates()  # while the last of the plan is written
    hold_duplicates(draft, twice)
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


def _differing(draft: Draft, comparison: Comparison, batches: Iterable[_Batch], gone: list[bytes]) -> Iterator[Rows]:
    """The rows that are new or changed, gathered: whatever is done with some takes a few round trips to the database."""
    rows = Rows([], [], [], [], [])
    for batch in batches:
        draft.counts["read"] += len(batch.keys)
        draft.cursor = batch.cursor or draft.cursor
        gone += batch.gone
        if batch.rejected:
            draft.hold_page([(rejected.raw, rejected.error.kept()) for rejected in batch.rejected])
        _compare(draft, comparison, batch, rows)
        tidy()
        if len(rows.keys) >= _ENOUGH or sum(map(len, rows.raws)) >= _BYTES:
            yield rows
            rows = Rows([], [], [], [], [])
    if rows.keys:
        yield rows


def _compare(draft: Draft, comparison: Comparison, batch: _Batch, rows: Rows) -> None:
    """Add to ``rows`` what of a batch is new or changed."""
    if not batch.keys:
        return
    compared = comparison.compare(batch.keys, batch.prints)
    draft.counts["unchanged"] += compared.unchanged
    draft.counts["filtered"] += compared.filtered
    for row in compared.differing:
        if row.state == ERASED:  # retention took it away, and its source still has it
            draft.counts["blocked"] += 1
            continue
        rows.differing.append(row)
        rows.keys.append(batch.keys[row.n])
        rows.prints.append(batch.prints[row.n])
        rows.raws.append(batch.raws[row.n])
        if draft.flow.both:
            rows.names.append(batch.names[row.n])
    if draft.flow.both:
        draft.looked.update(batch.keys[row.n] for row in compared.differing)


def _changes(draft: Draft, rows: Rows) -> Changes:
    """Those of the rows that are not held back already as they are, mapped."""
    fresh = rows.only(_fresh(draft, rows))
    return Changes(draft, fresh, draft.flow.map(fresh.raws), read=True)


def _fresh(draft: Draft, rows: Rows) -> Sequence[int]:
    """The indexes of those that are not held back already as they are."""
    with draft.connection.begin():
        held = draft.held_in_this_version(rows.keys, rows.prints)
    return [n for n, known in enumerate(held) if not known]


def _take_up(draft: Draft, comparison: Comparison, way: BothWays) -> None:
    """In a two-way exchange: what is owed to the target although the source did not change."""
    for due in taking_up.due(draft, way):
        seen = set(comparison.seen_among(due.rows.keys))
        at = _fresh(draft, due.rows)
        changes = Changes(draft, due.rows.only(at), [due.mapped[n] for n in at], read=False)
        with draft.connection.begin():
            changes.fetch_persons(draft.connection)
        taken = len(due.mapped) - len(at) + changes.decide()
        again = min(len(seen), taken)
        draft.counts["unchanged"] -= again
        draft.counts["read"] += taken - again
        with draft.connection.begin():
            changes.write(draft.connection)
