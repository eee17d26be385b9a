"""Conflicts for a person: which there are, what both sides say, and the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from samspil.errors import SamspilError, SettingsError
from samspil.flow.both_ways import BothWays
from samspil.flow.merger import values_of
from samspil.flow.merging import RECORD
from samspil.ledger import READ_HELD
from samspil.store import baselines, conflicts
from samspil.store.conflicts import BOTH

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow
    from samspil.hub import Hub

SOURCE, TARGET = "source", "target"


class Shown(NamedTuple):
    """A conflict's values, by system, that of the field's owner last."""

    values: tuple[tuple[str, Any], tuple[str, Any]]


def conflict_of(hub: Hub, number: int) -> Any:
    """An open conflict of the municipality. Raises SamspilError if there is none of that number."""
    with hub.store.transaction() as connection:
        found = [row for row in conflicts.entries(connection, hub.file.municipality.code) if row.id == number]
    if not found:
        raise SamspilError(f"no open conflict {number}: samspil conflicts list {hub.file.slug}", reason="no-conflict")
    return found[0]


def reveal(hub: Hub, conflict: Any, *, who: str, why: str) -> Shown:
    """What each side has, for a person who must decide; that it was seen is in the ledger."""
    flow, way = _two_way(hub, conflict)
    values = values_of(way, conflict.key, conflict.payload)
    with hub.store.transaction() as connection:
        hub.persons.fetch(connection, [conflict.person])
        seen = (conflict.key, conflict.person, 0, 0, READ_HELD)
        what = {"what": "reveal", "conflict": conflict.id, "field": conflict.field, "who": who, "why": why}
        hub.ledger.append(connection, {**what, **flow.context}, hub.ledger.pack([seen]))
    source, target = way.side, 1 - way.side
    return Shown(((way.systems[source], values[source]), (way.systems[target], values[target])))


def settle(hub: Hub, conflict: Any, take: str, *, who: str, why: str) -> str:
    """Note whose value counts; the next run of either direction carries it out. Returns the system taken, or "both".

    ``take`` is a system, ``source`` or ``target`` of the conflict's flow, or ``both``: each keeps its own. Raises
    SettingsError for another word, and for a value that the agreement does not let its side send; SamspilError when
    the conflict is not open any more.
    """
    flow, way = _two_way(hub, conflict)
    taken = _taken(flow, way, conflict, take)
    with hub.store.transaction() as connection:
        if not conflicts.settle(connection, conflict.id, taken, why):
            message = f"conflict {conflict.id} is settled already, or is none any more"
            raise SamspilError(message, reason="no-conflict")
        baselines.flag(connection, way.number, [conflict.key], baselines.BOTH)
        what = {"what": "settle", "conflict": conflict.id, "field": conflict.field, "take": taken}
        hub.persons.fetch(connection, [conflict.person])
        decided = (conflict.key, conflict.person, 0, 0, READ_HELD)
        hub.ledger.append(connection, {**what, "who": who, "why": why, **flow.context}, hub.ledger.pack([decided]))
    return taken


def _two_way(hub: Hub, conflict: Any) -> tuple[CompiledFlow, BothWays]:
    flow = hub.flow(conflict.flow)
    if flow.both is None:
        raise SettingsError(
            "the agreement has no way back any more, so there is nothing to settle", field=conflict.flow
        )
    return flow, flow.both


def _taken(flow: CompiledFlow, way: BothWays, conflict: Any, take: str) -> str:
    taken = {SOURCE: flow.flow.source, TARGET: flow.flow.target}.get(take, take)
    if taken not in (*way.systems, BOTH):
        there = ", ".join((*way.systems, SOURCE, TARGET, BOTH))
        raise SettingsError(f"there is no such side; write one of {there}", field="--take")
    if taken != BOTH and conflict.field != RECORD:
        side = way.systems.index(taken)
        if conflict.field not in way.rules.carried[side]:
            message = f"the agreement does not let {taken} send {conflict.field}; take the other, or both"
            raise SettingsError(message, field="--take", reason="not-carried")
    return taken
