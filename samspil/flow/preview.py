"""A dry run: the plan that would be made now, field by field, with nothing written anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from samspil.connector import Page
from samspil.errors import Refused
from samspil.flow.ahead import Ahead
from samspil.flow.compiled import Mapped
from samspil.flow.difference import Difference, FieldChange
from samspil.flow.draft import ABSENT
from samspil.flow.guarding import objection
from samspil.flow.merger import Merger
from samspil.flow.noted import Noted
from samspil.flow.turn import Turn
from samspil.store import outbox, quarantine, runs
from samspil.store.comparison import Comparison, Differing
from samspil.store.runs import Run
from samspil.store.tables import DELIVERED, ERASED

if TYPE_CHECKING:
    from samspil.hub import Hub

HELD, BEHIND = "held-since-earlier", "waits-behind-refused"  # reasons to hold back


class Change(NamedTuple):
    """What would happen to one record. ``key`` is the record's digest in hex: it says nothing of the person.

    A page that cannot be cut into records has no key.
    """

    what: Literal["create", "update", "delete", "hold back"]
    key: str
    fields: Sequence[FieldChange]
    reason: str = ""


class Preview:
    """Iterate to read the source; then ``counts`` and ``objection`` are known.

    A later change of a record replaces an earlier one: that its key comes twice, or that it would wait behind another
    record of the same person, shows only when all is read. ``read`` = create + update + unchanged + filtered + hold
    back + blocked. What the target will refuse cannot be foreseen.
    """

    def __init__(self, hub: Hub, name: str) -> None:
        self.name = name
        self._hub, self._flow = hub, hub.flow(name)
        self._difference = Difference(self._flow)
        self.counts: Counter[str] = Counter()
        self.objection: str | None = None
        self.complete = True
        with hub.store.transaction() as connection:
            number = self._flow.id
            self.unfinished: Sequence[Run] = runs.unfinished(connection, number, besides=0)
            self._held_by_target = runs.held_by_target(connection, number)
            self._last_read = runs.last_snapshot(connection, number)
            self._waiting = outbox.waiting(connection, number)
            self._refused = quarantine.refused(connection, number)
        self._gone_now = 0  # deletions of what the snapshot does not have
        self._still: set[bytes] = set()  # keys of refused records that the source has in the version refused
        self._newer: set[bytes] = set()  # and of those it has in a newer one

    def __iter__(self) -> Iterator[Change]:
        flow = self._flow
        with Comparison(self._hub.store, flow.id) as comparison:
            noted = Noted(comparison.connection)
            with Ahead(flow.source.read(flow.flow.schema, None)) as pages:
                for page in pages:
                    self.counts["read"] += len(page.raws) + len(page.rejected)
                    for rejected in page.rejected:
                        self.complete = False
                        yield self._count(Change("hold back", "", (), rejected.error.reason))
                    yield from self._page(comparison, noted, page)
            yield from self._duplicates(comparison, noted)
            if self.complete:
                yield from self._gone(comparison, noted)
            planned = runs.Planned(self.counts["update"], self.counts["delete"], self.counts["read"], self._gone_now)
            self.objection = objection(flow.flow.guard, planned, self._held_by_target, self._last_read)
            yield from self._behind(comparison, noted)

    def _page(self, comparison: Comparison, noted: Noted, page: Page) -> Iterator[Change]:
        flow, raws = self._flow, page.raws
        keys = list(map(flow.key, page.keys))
        prints = list(map(flow.fingerprint, raws))
        compared = comparison.compare(keys, prints)
        self.counts["unchanged"] += compared.unchanged
        self.counts["filtered"] += compared.filtered
        known = [row.outbox_id for row in compared.differing if row.outbox_id is not None]
        with comparison.connection.begin():
            last = outbox.payloads(comparison.connection, known)
            self._hub.persons.fetch(comparison.connection, [person for _, person in last.values()])
            held = quarantine.open_fingerprints(
                comparison.connection, flow.id, [keys[row.n] for row in compared.differing]
            )
        mapped = self._mapped(comparison, page, keys, [row.n for row in compared.differing])
        with comparison.connection.begin():
            pairs = zip(compared.differing, mapped, strict=True)
            about = [who for row, result in pairs for who in flow.about(raws[row.n], result)]
            erased = self._hub.persons.fetch(comparison.connection, about)
        for row, result in zip(compared.differing, mapped, strict=True):
            key, fingerprint = keys[row.n], prints[row.n]
            again, waits = fingerprint in held.get(key, ()), self._waiting.get(key)
            if key in self._refused:
                (self._still if again else self._newer).add(key)
            if again:
                yield self._count(Change("hold back", key.hex(), (), HELD))
            elif waits and waits.fingerprint == fingerprint and waits.person in self._blocked():
                yield self._count(Change("hold back", key.hex(), (), BEHIND))
            elif row.state == ERASED or (erased and not erased.isdisjoint(flow.about(raws[row.n], result))):
                self.counts["blocked"] += 1
            elif isinstance(result, Refused):
                yield self._count(Change("hold back", key.hex(), (), str(result)))
            else:
                change = self._change(row, key, last, result)
                if change is None:
                    continue
                if change.what != "hold back":
                    person = last[row.outbox_id or 0][1] if change.what == "delete" else result.person
                    noted.add(key, person, change.what)
                yield self._count(change)
        noted.write()

    def _change(
        self, row: Differing, key: bytes, last: Mapping[int, tuple[bytes, bytes | None]], result: Mapped
    ) -> Change | None:
        """What happens to a record that differs and passes; None if nothing does."""
        payload = result.payload
        if payload is not None and result.turn:
            return self._merged(key, payload, result.turn)
        delivered = row.state == DELIVERED and row.outbox_id is not None
        if payload is None:
            self.counts["filtered"] += 1
            return Change("delete", key.hex(), (), "no longer within the agreement") if delivered else None
        before = person = None
        if delivered:
            sealed, person = last[row.outbox_id or 0]
            before = self._flow.sealing.planned(sealed, row.outbox_id or 0, key, person)
        if before == payload and person == result.person:
            self.counts["unchanged"] += 1
            return None
        fields = self._difference.between(before, payload)
        return Change("create" if before is None else "update", key.hex(), fields)

    def _mapped(
        self, comparison: Comparison, page: Page, keys: list[bytes], places: Sequence[int]
    ) -> Sequence[Mapped | Refused]:
        """These records of a page, mapped, and in a two-way exchange merged."""
        flow = self._flow
        mapped = flow.map([page.raws[n] for n in places])
        if flow.both is None:
            return mapped
        merger = Merger(flow, flow.both, 0)
        differing, names = [keys[n] for n in places], [page.keys[n] for n in places]
        with comparison.connection.begin():
            merger.load(comparison.connection, differing, names, mapped)
        return merger.results(differing, names, mapped)

    def _merged(self, key: bytes, payload: bytes, turn: Turn) -> Change | None:
        """What happens to a record of a two-way exchange after merging; None if nothing does."""
        if turn.held:
            return Change("hold back", key.hex(), (), _conflict(turn))
        if turn.same:
            self.counts["unchanged"] += 1
            return None
        fields = self._difference.between(turn.before, payload)
        reason = _conflict(turn) if turn.fields else ""
        return Change("create" if turn.creates else "update", key.hex(), fields, reason)

    def _duplicates(self, comparison: Comparison, noted: Noted) -> Iterator[Change]:
        for key in comparison.duplicates():
            for what in noted.take(key):
                self.counts[what] -= 1
                if what != "delete":
                    yield self._count(Change("hold back", key.hex(), (), "duplicate-key"))

    def _gone(self, comparison: Comparison, noted: Noted) -> Iterator[Change]:
        comparison.index_seen()
        for rows in comparison.gone():
            if not self._flow.writes.deletes:
                self.counts["kept by target"] += len(rows)
                continue
            staying = self._staying(comparison, [row.key for row in rows])
            with comparison.connection.begin():
                last = outbox.payloads(comparison.connection, [row.outbox_id for row in rows if row.outbox_id])
                known = quarantine.open_fingerprints(comparison.connection, self._flow.id, [row.key for row in rows])
            for row in rows:
                waits = self._waiting.get(row.key)
                if row.key in staying:
                    self.counts["deletions held back"] += 1
                    continue
                if ABSENT in known.get(row.key, ()) or (waits and waits.fingerprint == ABSENT):
                    self.counts["deletions held back"] += 1
                    continue
                noted.add(row.key, last.get(row.outbox_id or 0, (b"", None))[1], "delete")
                self._gone_now += 1
                yield self._count(Change("delete", row.key.hex(), (), "gone at the source"))
            noted.write()

    def _staying(self, comparison: Comparison, keys: Sequence[bytes]) -> set[bytes]:
        """Of what is gone, what the target is to keep until a person has settled a conflict, or for good."""
        if not self._flow.both:
            return set()
        return Merger(self._flow, self._flow.both, 0).gone(comparison.connection, keys)[1]

    def _behind(self, comparison: Comparison, noted: Noted) -> Iterator[Change]:
        """What would be planned but wait, since the target has refused a record of the same person."""
        if self.complete:  # what the source no longer has, or has as the target has it, is refused no more
            self._newer.update(self._refused.keys() - self._still)
        else:
            untouched = self._refused.keys() - self._still - self._newer
            self._newer.update(comparison.seen_among(list(untouched)))
        persons = self._blocked()
        for key, what in noted.of_persons(persons):
            self.counts[what] -= 1
            change = Change("hold back", key.hex(), (), BEHIND)
            if what == "delete":
                self.counts["deletions held back"] += 1
                yield change
            else:
                yield self._count(change)

    def _blocked(self) -> set[bytes]:
        """Persons of whom a record is refused, as far as the read has come."""
        return {person for key, person in self._refused.items() if key not in self._newer}

    def _count(self, change: Change) -> Change:
        self.counts[change.what] += 1
        return change


def _conflict(turn: Turn) -> str:
    return f"conflict: {', '.join(turn.fields)}"
