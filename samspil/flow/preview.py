"""A dry run: the plan that would be made now, field by field, with nothing written anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from samspil.errors import Refused
from samspil.flow.ahead import Ahead
from samspil.flow.compiled import CompiledFlow
from samspil.flow.guarding import objection
from samspil.store import outbox, quarantine, runs
from samspil.store.comparison import Comparison
from samspil.store.tables import DELIVERED

if TYPE_CHECKING:
    from samspil.hub import Hub

HIDDEN = "(hidden)"

_decode = msgspec.json.Decoder().decode
_EMPTY: Mapping[str, Any] = {}


class FieldChange(NamedTuple):
    """One field of the target's record. ``before`` and ``after`` are shown only where the schema says ordinary."""

    path: str
    before: str
    after: str


class Change(NamedTuple):
    """What would happen to one record. ``key`` is the record's digest in hex: it says nothing of the person."""

    what: Literal["create", "update", "delete", "hold back"]
    key: str
    fields: Sequence[FieldChange]
    reason: str = ""


class Preview:
    """Iterate to read the source; then ``counts`` and ``objection`` are known."""

    def __init__(self, hub: Hub, name: str) -> None:
        self._hub, self._flow = hub, hub.flow(name)
        self._open = _ordinary(self._flow)
        self.counts: Counter[str] = Counter()
        self.objection: str | None = None
        self.complete = True

    def __iter__(self) -> Iterator[Change]:
        flow, store = self._flow, self._hub.store
        with store.transaction() as connection:
            held_by_target = runs.held_by_target(connection, flow.id)
        with Comparison(store, flow.id) as comparison:
            with Ahead(flow.source.read(flow.flow.schema, None)) as pages:
                for page in pages:
                    self.counts["read"] += len(page.raws) + len(page.rejected)
                    for rejected in page.rejected:
                        self.complete = False
                        yield self._count(Change("hold back", "", (), rejected.error.reason))
                    yield from self._page(comparison, page.raws, list(map(flow.key, page.keys)))
            if self.complete:
                yield from self._gone(comparison)
        planned = runs.Planned(self.counts["update"], self.counts["delete"])
        self.objection = objection(flow.flow.guard, planned, held_by_target)

    def _page(self, comparison: Comparison, raws: Sequence[bytes], keys: list[bytes]) -> Iterator[Change]:
        flow = self._flow
        prints = list(map(flow.fingerprint, raws))
        compared = comparison.compare(keys, prints)
        self.counts["unchanged"] += compared.unchanged
        self.counts["filtered"] += compared.filtered
        known = [row.outbox_id for row in compared.differing if row.outbox_id is not None]
        with comparison.connection.begin():
            last = outbox.payloads(comparison.connection, known)
            held = quarantine.open_fingerprints(
                comparison.connection, flow.id, [keys[row.n] for row in compared.differing]
            )
        mapped = flow.map([raws[row.n] for row in compared.differing])
        for row, result in zip(compared.differing, mapped, strict=True):
            key = keys[row.n]
            delivered = row.state == DELIVERED and row.outbox_id is not None
            before = _decode(flow.box.open(last[row.outbox_id or 0][0], key)) if delivered else _EMPTY
            if held.get(key) == prints[row.n]:
                yield self._count(Change("hold back", key.hex(), (), "held-since-earlier"))
            elif isinstance(result, Refused):
                yield self._count(Change("hold back", key.hex(), (), str(result)))
            elif result.payload is None:
                self.counts["filtered"] += 1
                if delivered:
                    yield self._count(Change("delete", key.hex(), (), "no longer within the agreement"))
            elif (after := _decode(result.payload)) == before:
                self.counts["unchanged"] += 1
            else:
                what: Literal["create", "update"] = "update" if delivered else "create"
                yield self._count(Change(what, key.hex(), self._diff(before, after)))

    def _gone(self, comparison: Comparison) -> Iterator[Change]:
        comparison.index_seen()
        for rows in comparison.gone():
            for row in rows:
                yield self._count(Change("delete", row.key.hex(), (), "gone at the source"))

    def _count(self, change: Change) -> Change:
        self.counts[change.what] += 1
        return change

    def _diff(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[FieldChange]:
        old, new = dict(_flat(before)), dict(_flat(after))
        return [
            FieldChange(path, *(self._shown(path, side.get(path)) for side in (old, new)))
            for path in [*new, *(path for path in old if path not in new)]
            if old.get(path) != new.get(path)
        ]

    def _shown(self, path: str, value: object) -> str:
        if value is None:
            return "-"
        return str(value) if _without_numbers(path) in self._open else HIDDEN


def _ordinary(flow: CompiledFlow) -> frozenset[str]:
    """The target's fields that carry nothing but ordinary fields of ours."""
    pairs = [pair for pair in flow.mine.resolution.every() if pair.ours]
    return frozenset(
        node.path
        for pair in pairs
        if all(ours.extra.get("sensitivity") == "ordinary" for ours in pair.ours)
        for node in pair.theirs
    )


def _flat(record: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        path = f"{at}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for index, item in enumerate(value):
                yield from _flat(item, f"{path}[{index}].")
        else:
            yield path, value


def _without_numbers(path: str) -> str:
    return ".".join(part.partition("[")[0] + "[]" * ("[" in part) for part in path.split("."))
