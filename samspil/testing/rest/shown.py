"""What a declared system shows: the world's facts in its own words, each with the time of its last change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from samspil.declared.rest.declaration import Declared
from samspil.openapi import Contract
from samspil.testing.clock import Clock, spread
from samspil.testing.facts import Fact
from samspil.testing.rest.damage import Damage
from samspil.testing.world import World

Render = Callable[[Fact], dict[str, Any]]


class Record(NamedTuple):
    """One record as it is on the wire. ``whole``: it is JSON."""

    key: str
    raw: bytes
    changed: datetime
    whole: bool = True


class Showing(NamedTuple):
    """What is there on a night: the records in the world's order, and the keys that are gone with the time."""

    records: list[Record]
    gone: list[tuple[str, datetime]]


def showing(
    world: World,
    schema: str,
    declared: Declared,
    contract: Contract,
    *,
    render: Render,
    clocks: Mapping[int, Clock],
) -> Showing:
    """Every night up to the last of ``clocks``, for a record's time of change is the last night it became another."""
    field = declared.list.incremental.changed if declared.list and declared.list.incremental else ""
    damage = Damage(contract, declared.record, {declared.key, field})
    before: dict[str, tuple[dict[str, Any], bool, datetime]] = {}  # by key: how it is, whether it is JSON, since when
    gone: dict[str, datetime] = {}
    for night, (_, changed) in sorted(clocks.items()):
        damages = world.broken(schema, night)
        found: dict[str, tuple[dict[str, Any], bool, datetime]] = {}
        for n, fact in enumerate(world.records(schema, night)):
            record = render(fact)
            kind = damages.get(fact["id"], "")
            whole = kind != "broken-syntax"
            if kind and whole:
                damage.does(record, kind)
            key = str(record[declared.key])
            was = before.get(key)
            same = was is not None and was[:2] == (record, whole)
            found[key] = was if was and same else (record, whole, spread(changed, n, night))
        gone.update(dict.fromkeys(before.keys() - found.keys(), changed))
        for key in found:
            gone.pop(key, None)
        before = found
    records = []
    for key, (record, whole, changed) in before.items():
        raw = msgspec.json.encode({**record, **({field: stamp(changed)} if field else {})})
        records.append(Record(key, raw if whole else raw[: len(raw) // 2], changed, whole))
    return Showing(records, sorted(gone.items()))


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
