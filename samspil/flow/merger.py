"""Merging in a plan: the records of one batch against their baselines, and what is to be written with the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from samspil.errors import Refused
from samspil.flow.baseline import Baseline, Sent
from samspil.flow.both_ways import BothWays
from samspil.flow.merging import DELETED, RECORD, Clash, Decision, Merged, merge
from samspil.flow.turn import Turn
from samspil.store import baselines, conflicts, outbox
from samspil.store.baselines import UNKNOWN
from samspil.store.conflicts import BOTH, Known, New
from samspil.store.tables import DELIVERED

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow, Mapped

Values = tuple[Any, Any]


class _Opened(NamedTuple):
    """A stored conflict with its values."""

    known: Known
    values: Values


class Merger:
    """One batch. ``load``, ``results``, then ``write``; a preview leaves ``write`` out."""

    def __init__(self, flow: CompiledFlow, way: BothWays, run: int) -> None:
        self._flow, self._way, self._run = flow, way, run
        self._side, self._target = way.side, 1 - way.side
        self._bit = 1 << way.side
        self._found: Mapping[bytes, Baseline] = {}
        self._touched: dict[bytes, Baseline] = {}
        self._conflicts: Mapping[bytes, Sequence[_Opened]] = {}
        self._opened: list[New] = []
        self._closed: list[tuple[int, str]] = []
        self._links: list[tuple[Any, ...]] = []
        self._renamed: list[tuple[bytes, bytes | None]] = []
        self._gone: list[Baseline] = []
        self._again: tuple[list[bytes], list[bytes]] = ([], [])  # per side: keys to compare anew whatever they show
        self.clashing = 0  # of what is gone: not deleted, since it was changed at the target

    def load(
        self, connection: Connection, keys: Sequence[bytes], names: Sequence[bytes], mapped: Sequence[Mapped | Refused]
    ) -> None:
        """Fetch from the store what is known of a batch, in few queries."""
        self._found = self._find(connection, keys, names, mapped)
        self._load(connection, list(self._found.values()))

    def results(
        self, keys: Sequence[bytes], names: Sequence[bytes], mapped: Sequence[Mapped | Refused]
    ) -> Sequence[Mapped | Refused]:
        """The records as they are to be sent after merging, in the same order, each with its turn."""
        return [
            one if isinstance(one, Refused) else self._one(self._found.get(key), key, name, one)
            for key, name, one in zip(keys, names, mapped, strict=True)
        ]

    def gone(self, connection: Connection, keys: Sequence[bytes]) -> tuple[Mapping[bytes, Turn], set[bytes]]:
        """Of records gone at the source: those to be deleted at the target, and those that are not (yet).

        In no transaction of the connection's, for the target may be asked.
        """
        with connection.begin():
            found = self._opened_rows(baselines.of_keys(connection, self._way.number, self._side, keys))
            self._load(connection, list(found.values()))
        turns: dict[bytes, Turn] = {}
        staying: set[bytes] = set()
        for key, baseline in found.items():
            self._touched[baseline.key] = baseline
            baseline.inner.now[self._side] = None
            self._again[self._side].append(key)
            merged = self._merge(baseline)
            self._note(baseline, merged, self._flow.about_whom(baseline))
            if merged.delete == self._target:
                turn = turns[key] = Turn(baseline, self._target)
                theirs = baseline.inner.now[self._target] or {}
                turn.sent = Sent(0, self._way.normal(theirs), None, None, {})
                turn.before = self._flow.encoded(self._way.record(theirs))
                turn.person = self._flow.person(theirs["cpr"].encode()) if "cpr" in theirs else None
            else:
                self.clashing += bool(merged.clashes)
                staying.add(key)
                baseline.due &= ~self._bit
                if baseline.inner.now[self._target] is None:
                    self._gone.append(baseline)
        return turns, staying

    def write(self, connection: Connection) -> None:
        """What was found, in the transaction of the batch's plan."""
        outbox.upsert_links(connection, self._links)
        baselines.rename(connection, self._flow.id, self._renamed)
        for side, keys in enumerate(self._again):
            baselines.look_again(connection, self._way.flow_ids[side], keys)
        touched = [one.sealed(self._way.box, self._way.person) for one in self._touched.values()]
        baselines.put(connection, self._way.number, touched)
        for note in {note for _, note in self._closed}:
            conflicts.close(connection, [number for number, why in self._closed if why == note], note)
        conflicts.add(connection, self._opened)
        forget(connection, self._way, self._gone)

    def _find(
        self, connection: Connection, keys: Sequence[bytes], names: Sequence[bytes], mapped: Sequence[Mapped | Refused]
    ) -> dict[bytes, Baseline]:
        """Baselines by the key read. A record that the other direction made is known by its id or by its name there."""
        flow, number, side = self._flow, self._way.number, self._side
        found = self._opened_rows(baselines.of_keys(connection, number, side, keys))
        ids = {
            key: flow.key(one.ours.id.encode())
            for key, one in zip(keys, mapped, strict=True)
            if key not in found and not isinstance(one, Refused)
        }
        if ids:
            called = self._opened_rows(baselines.called(connection, number, list(ids)))
            by_id = self._opened_rows(
                baselines.of_keys(connection, number, side, [given for key, given in ids.items() if given != key])
            )
            for key, given in ids.items():
                baseline = called.get(key) or by_id.get(given)
                if baseline is not None and not baseline.met & self._bit:
                    found[key] = baseline
        flow.sealing.ready(connection, [flow.about_whom(one) for one in found.values() if not one.met & self._bit])
        for key, name in zip(keys, names, strict=True):
            baseline = found.get(key)
            if baseline is not None and not baseline.met & self._bit:
                self._meet(baseline, key, name)
        return found

    def _meet(self, baseline: Baseline, key: bytes, name: bytes) -> None:
        """The first reading of what the other direction made: from now on it has a link in this direction too."""
        baseline.keys[self._side], baseline.called = key, None
        baseline.met |= self._bit
        baseline.inner.names[self._side] = baseline.inner.names[self._side] or name.decode()
        theirs = baseline.inner.names[self._target]
        person = self._flow.about_whom(baseline)
        sealed = None if theirs is None else self._flow.sealing.name(theirs, key, person)
        self._links.append((self._flow.id, key, UNKNOWN, DELIVERED, None, sealed, person))

    def _opened_rows(self, rows: Mapping[bytes, baselines.Row]) -> dict[bytes, Baseline]:
        return {key: Baseline.opened(row, self._way.box) for key, row in rows.items()}

    def _load(self, connection: Connection, found: Sequence[Baseline]) -> None:
        stored = conflicts.standing(connection, [one.key for one in found])
        self._conflicts = {
            key: [_Opened(one, values_of(self._way, key, one.payload)) for one in known]
            for key, known in stored.items()
        }

    def _one(self, baseline: Baseline | None, key: bytes, name: bytes, result: Mapped) -> Mapped | Refused:
        if baseline is None:
            if result.payload is None:
                return result
            baseline = Baseline(key, self._side)
        filtered = result.payload is None
        baseline.keys[self._side] = key
        baseline.met |= self._bit
        baseline.inner.names[self._side] = baseline.inner.names[self._side] or name.decode()
        baseline.inner.now[self._side] = self._way.state(result.ours)
        self._touched[baseline.key] = baseline
        if filtered:
            baseline.due &= ~self._bit
            if baseline.inner.origin == self._side:  # the target has it from here: it is taken back
                return result._replace(turn=Turn(baseline, self._target))
            return result._replace(payload=b"", turn=Turn(baseline, self._target, same=True))
        try:
            return self._turn(baseline, self._merge(baseline), result)
        except Refused as refused:
            return refused.kept()

    def _merge(self, baseline: Baseline) -> Merged:
        """Merge; if something would be sent, look at the target first: what it has may be newer than what is known."""
        merged = self._merged(baseline)
        name = baseline.inner.names[self._target]
        if name is not None and (merged.to[self._target] or merged.delete == self._target):
            known = baseline.inner.now[self._target]
            try:
                now = self._way.fetched(name)
            except Refused:  # its own flow will hold it back; what is known of it stands
                return merged
            if now != known:
                baseline.inner.now[self._target] = now
                self._again[self._target].append(baseline.keys[self._target] or b"")
                return self._merged(baseline)
        return merged

    def _merged(self, baseline: Baseline) -> Merged:
        inner = baseline.inner
        decisions = {
            one.known.field: Decision(one.values, self._taken(one.known))
            for one in self._conflicts.get(baseline.key, ())
            if one.known.state == "settled"
        }
        now = self._way.normal(inner.now[0]), self._way.normal(inner.now[1])
        return merge(now, inner.base, self._way.rules, decisions)

    def _taken(self, known: Known) -> int | None:
        return None if known.taken == BOTH else self._way.systems.index(known.taken)

    def _turn(self, baseline: Baseline, merged: Merged, result: Mapped) -> Mapped:
        self._note(baseline, merged, result.person)
        turn = self._sending(baseline, merged)
        if turn[1].sent is not None and baseline.keys[self._side]:
            self._again[self._side].append(baseline.keys[self._side] or b"")
        turn[1].fields = tuple(clash.field for clash in merged.clashes)
        if turn[1].held or turn[1].same:
            baseline.due &= ~self._bit
        return result._replace(payload=turn[0], turn=turn[1])

    def _sending(self, baseline: Baseline, merged: Merged) -> tuple[bytes, Turn]:
        way, inner = self._way, baseline.inner
        reason = merged.clashes[0].reason if merged.clashes else ""
        mine, theirs = inner.now[self._side] or {}, inner.now[self._target]
        if merged.create == self._target:
            allowed = way.rules.carried[self._side]
            meant = {name: value for name, value in mine.items() if name in allowed}
            if inner.names[self._target] is not None:  # it was there once, and is to be there again
                inner.names[self._target] = None
                self._renamed.append((baseline.keys[self._side] or b"", None))
        elif merged.to[self._target] and theirs is not None:
            meant = {**theirs, **{name: mine.get(name) for name in merged.to[self._target]}}
        else:
            return b"", Turn(baseline, self._target, held=reason, same=not reason)
        payload = self._flow.encoded(way.record(meant))
        now = way.given(payload, meant)
        was, then, here = way.normal(theirs), way.normal(now) or {}, way.normal(mine) or {}
        if then == was:  # the target cannot show the difference
            return b"", Turn(baseline, self._target, held=reason, same=not reason)
        turn = Turn(baseline, self._target, creates=theirs is None)
        turn.sent = Sent(0, was, now, then, {name: value for name, value in then.items() if here.get(name) == value})
        turn.before = None if theirs is None else self._flow.encoded(way.record(theirs))
        return payload, turn

    def _note(self, baseline: Baseline, merged: Merged, person: bytes | None) -> None:
        """Keep the new baseline, tell the other direction what it has to do, and open and close conflicts."""
        baseline.inner.base = dict(merged.base) if merged.base is not None else None
        if merged.to[self._side] or self._side in (merged.create, merged.delete):
            baseline.due |= 1 << self._target
        now = self._way.normal(baseline.inner.now[0]), self._way.normal(baseline.inner.now[1])
        left = {clash.field: clash for clash in merged.clashes}
        for one in self._conflicts.get(baseline.key, ()):
            current = _values(now, one.known.field)
            clash = left.get(one.known.field)
            if one.known.state == "open" and clash and (clash.reason, clash.values) == (one.known.reason, one.values):
                del left[one.known.field]
            elif one.known.state == "open" or one.values != current:
                settled = one.known.state == "settled" and _agree(one.known.field, current)
                self._closed.append((one.known.id, _closing(clash, settled=settled)))
        self._opened += [self._new(baseline, clash, person) for clash in left.values()]

    def _new(self, baseline: Baseline, clash: Clash, person: bytes | None) -> New:
        way = self._way
        deleted_at = 0 if clash.values[0] is None else 1
        towards = 1 - deleted_at if clash.reason == DELETED else way.rules.owners[clash.field]
        payload = way.box.seal(msgspec.json.encode(clash.values), baseline.key)
        flow = way.flow_ids[1 - towards]
        return New(flow, self._run, baseline.key, person, clash.field, clash.reason, payload)


def forget(connection: Connection, way: BothWays, gone: Sequence[Baseline]) -> None:
    """What is gone at both sides leaves nothing behind: neither baseline, links nor conflicts."""
    if not gone:
        return
    own = [one.key for one in gone]
    baselines.forget(connection, way.number, own)
    conflicts.close_all(connection, own, "the record is gone at both sides")
    for side in (0, 1):
        baselines.unlink(connection, way.flow_ids[side], [key for one in gone if (key := one.keys[side]) is not None])


def values_of(way: BothWays, key: bytes, payload: bytes) -> Values:
    """A conflict's two values."""
    first, second = msgspec.json.decode(way.box.open(payload, key))
    return first, second


def _values(now: Values, field: str) -> Values:
    if field == RECORD:
        return now
    first, second = ((state or {}).get(field) for state in now)
    return first, second


def _agree(field: str, values: Values) -> bool:
    return (values[0] is None) == (values[1] is None) if field == RECORD else values[0] == values[1]


def _closing(clash: Clash | None, *, settled: bool) -> str:
    if settled:
        return "carried out"
    return "the edit was taken back" if clash is None else "the field changed again"
