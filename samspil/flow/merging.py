"""The three-way merge of one record that both sides may change: what goes to each side, and what a person must settle.

Pure: it knows two states, the baseline, who owns which field and what persons decided. It treats both sides alike, so
that it makes no difference which direction runs first. Side 0 and side 1 are the two systems in alphabetical order.

A field in conflict stays at each side as that side has it; all other fields move on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

State = Mapping[str, Any] | None  # fields of the shared schema; None: that side has no such record

NOT_THE_OWNER = "not-the-owner"
CHANGED_TWICE = "changed-on-both-sides"
DELETED = "deleted-and-changed"

RECORD = ""  # the field of a conflict that is about the record as a whole


class Rules(NamedTuple):
    """What an agreement says: field → the side that owns it, and for each side the fields that may leave it."""

    owners: Mapping[str, int]
    carried: tuple[frozenset[str], frozenset[str]]


class Decision(NamedTuple):
    """What a person decided for a field as long as both values are these. ``take`` None: each side keeps its own."""

    values: tuple[Any, Any]
    take: int | None


class Clash(NamedTuple):
    """A conflict: the field, why, and each side's value."""

    field: str
    reason: str
    values: tuple[Any, Any]


class Merged(NamedTuple):
    """What a merge found. ``to[side]`` are the fields that this side is to get from the other.

    ``create`` and ``delete`` are the side where the record is to be made or removed. ``base`` is the new baseline.
    """

    to: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    create: int | None = None
    delete: int | None = None
    base: State = None
    clashes: tuple[Clash, ...] = ()


def merge(now: tuple[State, State], base: State, rules: Rules, decisions: Mapping[str, Decision]) -> Merged:
    """Merge what both sides have now. ``base`` None: they never agreed, so a record at one side only is a new one."""
    first, second = now
    if first is None or second is None:
        return _one_sided(now, base, decisions.get(RECORD))
    agreed, goes, clashes = dict(base or {}), (set[str](), set[str]()), list[Clash]()
    for field, owner in rules.owners.items():
        values = first.get(field), second.get(field)
        if values[0] == values[1]:
            agreed[field] = values[0]
            continue
        taken = _taken(field, values, agreed.get(field), owner, decisions.get(field))
        if isinstance(taken, Clash):
            clashes.append(taken)
        elif taken is not None and field in rules.carried[taken]:
            goes[1 - taken].add(field)
    return Merged((frozenset(goes[0]), frozenset(goes[1])), None, None, agreed, tuple(clashes))


def _taken(
    field: str, values: tuple[Any, Any], before: Any, owner: int, decision: Decision | None
) -> int | Clash | None:
    """The side whose value counts for a field that differs; None: each keeps its own, as a person decided."""
    if decision is not None and decision.values == values:
        return decision.take
    changed = [value != before for value in values]
    if all(changed):
        return Clash(field, CHANGED_TWICE, values)
    if not changed[owner]:
        return Clash(field, NOT_THE_OWNER, values)
    return owner


def _one_sided(now: tuple[State, State], base: State, decision: Decision | None) -> Merged:
    """At most one side has the record."""
    if now[0] is None and now[1] is None:
        return Merged(base=base)
    there = 1 if now[0] is None else 0
    state: Mapping[str, Any] = now[there] or {}
    if base is None:
        return Merged(create=1 - there)
    if all(value == base.get(field) for field, value in state.items()):
        return Merged(delete=there, base=base)
    if decision is not None and decision.values == now:
        if decision.take is None:
            return Merged(base=base)
        return Merged(create=1 - there) if decision.take == there else Merged(delete=there, base=base)
    return Merged(base=base, clashes=(Clash(RECORD, DELETED, now),))
