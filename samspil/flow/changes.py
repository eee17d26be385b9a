"""The records of a batch that are new or changed, sorted by what is to be done with each, and written in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from samspil.errors import Refused
from samspil.flow.both_ways import BothWays
from samspil.flow.clerk import Decided, Link, Planned
from samspil.flow.compiled import CompiledFlow, Mapped
from samspil.flow.consent import Noted
from samspil.flow.draft import Draft
from samspil.flow.merger import Merger
from samspil.ledger import READ_BLOCKED, READ_FILTERED, READ_HELD, READ_PLANNED, READ_UNCHANGED
from samspil.ledger.entry import Told
from samspil.store import outbox, quarantine
from samspil.store.comparison import Differing
from samspil.store.tables import DELIVERED, FILTERED, PUT, WITHDRAW


class Rows(NamedTuple):
    """Records that are new or changed, and what is known of them before they are decoded."""

    differing: list[Differing]
    keys: list[bytes]
    names: list[bytes]  # the keys as the source gives them; in two-way exchanges only
    prints: list[bytes]
    raws: list[bytes]  # none of records that were not read anew

    def only(self, indexes: Sequence[int]) -> Rows:
        """Some of them."""
        if len(indexes) == len(self.keys):
            return self
        names, raws = ([each[n] for n in indexes] if each else [] for each in (self.names, self.raws))
        keys, prints = ([each[n] for n in indexes] for each in (self.keys, self.prints))
        return Rows([self.differing[n] for n in indexes], keys, names, prints, raws)


class Changes:
    """Rows sorted by what is to be done with each, written in one go. Of those not ``read`` anew none is held back."""

    def __init__(self, draft: Draft, rows: Rows, mapped: Sequence[Mapped | Refused], *, read: bool) -> None:
        self._draft, self._rows, self._mapped, self._read = draft, rows, mapped, read
        self._flow: CompiledFlow = draft.flow
        acknowledged = [row.outbox_id for row in rows.differing if row.outbox_id is not None]
        with draft.connection.begin():
            self._last = outbox.payloads(draft.connection, acknowledged)
        self._planned: list[Planned] = []
        self._filtered: list[Link] = []
        self._same: list[tuple[bytes, bytes]] = []
        self._held: list[quarantine.Held] = []
        self._entries: list[Told] = []
        self._consents: list[tuple[bytes, Noted]] = []
        self._merger: Merger | None = None
        self._clashing = 0  # records of which all that is left is a conflict
        self._erased: frozenset[bytes] = frozenset()

    def __len__(self) -> int:
        return len(self._mapped)

    @property
    def all_new(self) -> bool:
        """Whether nothing of them was sent before: then nothing is opened to decide."""
        return not self._last

    def fetch_persons(self, connection: Connection) -> None:
        """Make ready the keys of everybody whom these records, or what the target has of them, are about."""
        others, new = self.persons()
        self.met(self._draft.hub.persons.fetch(connection, others, new=new))

    def met(self, erased: frozenset[bytes]) -> None:
        """The keys of all persons are ready, but of those erased."""
        self._erased = erased

    def persons(self) -> tuple[list[bytes | None], list[bytes | None]]:
        """Everybody whom what the target has of these records is about, and whom they are about now.

        Of those that cannot be read, it is asked whether a number in them is of somebody erased.
        """
        persons = [one.person for one in self._mapped if isinstance(one, Mapped)]
        others = [person for _, person in self._last.values()]
        if len(persons) < len(self._mapped) and self._read:
            for raw, one in zip(self._rows.raws, self._mapped, strict=True):
                if isinstance(one, Refused):
                    others += self._flow.about(raw, one)
        return others, persons

    def decide(self) -> int:
        """Decide what happens to each, and add them to the draft's counts; how many it was."""
        rows, mapped, decided = self._rows, self._mapped, 0
        if self._flow.both:
            mapped = self._merged(self._flow.both)
        for n, (row, key, fingerprint, result) in enumerate(
            zip(rows.differing, rows.keys, rows.prints, mapped, strict=True)
        ):
            if isinstance(result, Mapped):
                self._take(row, key, fingerprint, result)
            elif self._read:
                self._hold(key, fingerprint, rows.raws[n], result)
            else:
                continue  # it waits until it is read anew
            decided += 1
        self._count()
        return decided

    def _merged(self, way: BothWays) -> Sequence[Mapped | Refused]:
        """In a two-way exchange: the records as they are to be sent after merging; of those erased nothing is kept."""
        mapped, rows = self._mapped, self._rows
        self._merger = Merger(self._flow, way, self._draft.run)
        theirs = [n for n, one in enumerate(mapped) if isinstance(one, Refused) or one.person not in self._erased]
        some = ([rows.keys[n] for n in theirs], [rows.names[n] for n in theirs], [mapped[n] for n in theirs])
        with self._draft.connection.begin():
            self._merger.load(self._draft.connection, *some)
        merged = dict(zip(theirs, self._merger.results(*some), strict=True))  # may ask the target: in no transaction
        return [merged.get(n, one) for n, one in enumerate(mapped)]

    def _hold(self, key: bytes, fingerprint: bytes, raw: bytes, refused: Refused) -> None:
        if self._erased and not self._erased.isdisjoint(self._flow.about(raw, refused)):
            self._block(key)
            return
        self._held.append(self._draft.hold("map", key, fingerprint, refused, raw))
        self._entries.append((key, None, 0, 0, READ_HELD))

    def _block(self, key: bytes) -> None:
        self._draft.counts["blocked"] += 1
        self._entries.append((key, None, 0, 0, READ_BLOCKED))

    def _take(self, row: Differing, key: bytes, fingerprint: bytes, result: Mapped) -> None:
        if result.person in self._erased:
            self._block(key)
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

    def _count(self) -> None:
        counts = self._draft.counts
        withdrawals = sum(row[3] == WITHDRAW for row in self._planned)
        counts["withdrawals"] += withdrawals
        counts["filtered"] += withdrawals + len(self._filtered)
        counts["unchanged"] += len(self._same) - self._clashing
        counts["held_new"] += len(self._held)
        counts["conflicts"] += self._clashing

    def decided(self) -> Decided:
        """What is to be written of all of it, but for what a two-way exchange adds."""
        gate, told = self._flow.gate, self._consents
        learnt, kept_back = (gate.learnt(told), gate.kept_back(told)) if gate is not None else ((), ())
        rows = (self._planned, self._filtered, self._same, self._held, self._entries)
        return Decided(self._draft.run, *rows, learnt, kept_back)

    def write(self, connection: Connection) -> None:
        """All of it in the caller's transaction."""
        if self._merger:
            self._merger.write(connection)
        self._flow.clerk.plan(connection, self.decided())
