"""Mapping: every field has its place or is declared lost, and what does not fit is held back by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from samspil import registry
from samspil.errors import Refused
from samspil.testing.conformance.carried import identical
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial
from samspil.testing.conformance.world import damages


@promise()
def every_field_is_mapped_or_lost(trial: Trial) -> None:
    """Each schema that is read or written has a mapping in which no field of either side is forgotten."""
    kind = trial.subject.connector
    for direction, schemas in (("to_ours", kind.reads), ("to_theirs", kind.writes)):
        for schema in schemas:
            loaded = trial.mapping(schema, direction)
            require(loaded.digest, f"the mapping of {schema} says nothing")


@promise("write")
def no_owned_field_is_dropped(trial: Trial, schema: str) -> None:
    """Every shared field that is not declared lost makes a difference to the record that is written."""
    loaded = trial.mapping(schema, "to_theirs")
    struct: Any = registry.schema(schema)
    names = struct.__struct_fields__
    mapped = {node.path.split(".", 1)[0].removesuffix("[]") for pair in loaded.resolution.every() for node in pair.ours}
    optional = {name for name in mapped if not _needed(loaded, name)}
    (record,) = trial.records(schema, [_fullest(trial, schema)])
    for name in sorted(optional):
        fact = _fullest(trial, schema)
        if fact[name] in (None, [], False):
            continue
        without = loaded.to_theirs([other for other in names if other != name])
        told = without(msgspec.convert(fact, struct))
        require(not identical(told, record), f"the field {name} is mapped, and the record is the same without it")


@promise("read")
def a_damaged_record_is_held_back_alone(trial: Trial, schema: str) -> None:
    """A date that is none, a code nobody knows, a field that is missing, a bad number: that record is held back."""
    keys = sorted(trial.facts(schema))
    kinds = damages(schema)[: len(keys) - 1]
    for key, kind in zip(keys, kinds, strict=False):
        trial.world.damage(schema, key, kind, trial.next_night())
    trial.show_night()
    reading = trial.read(schema)
    require(reading.error is None, f"damaged records ended the read: {reading.error}")
    good = {one.id for one in trial.ours(schema, reading.raws) if not isinstance(one, Refused)}
    for key, kind in zip(keys, kinds, strict=False):
        require(key not in good, f"a record with damage of the kind {kind} was taken as it is")
    lost = set(keys[len(kinds) :]) - good
    require(not lost, f"{len(kinds)} damaged records cost {len(lost)} good ones")


@promise("read")
def broken_syntax_costs_no_other_record(trial: Trial, schema: str) -> None:
    """A record that is not even syntax is kept as it came, for a person to look at, and every other is read."""
    keys = sorted(trial.facts(schema))
    trial.world.damage(schema, keys[0], "broken-syntax", trial.next_night())
    trial.show_night()
    reading = trial.read(schema)
    if reading.error is not None and reading.error.reason == "pages-unreadable":
        require(reading.rejected, "a record of broken syntax vanished without a word")
        return  # the way to the next page was in the broken one; to stop loudly costs no record, to guess would
    require(reading.error is None, f"a record of broken syntax ended the read: {reading.error}")
    found = trial.ours(schema, reading.raws)
    kept = [*reading.rejected, *(one for one in found if isinstance(one, Refused))]
    require(kept, "a record of broken syntax vanished without a word")
    require(all(one.raw for one in reading.rejected), "what was rejected was not kept")
    lost = set(keys[1:]) - {one.id for one in found if not isinstance(one, Refused)}
    require(not lost, f"one record of broken syntax cost {len(lost)} others")


@promise("read", one_schema=True)
def what_is_held_back_is_counted_and_kept(trial: Trial, schema: str) -> None:
    """A record that cannot pass is in the quarantine with its reason, not at the target, and the others pass."""
    keys = sorted(trial.facts(schema))
    kind = "unknown-code" if "unknown-code" in damages(schema) else "missing-field"
    trial.world.damage(schema, keys[0], kind, trial.next_night())
    trial.show_night()
    with Exchange(trial, schema, "source") as exchange:
        counts = exchange.night()
        require(counts.held_back == 1 and sum(counts.reasons.values()) == 1, f"{counts.held_back} were held back of 1")
        require(keys[0] not in exchange.taker.held, "a damaged record reached the target")
        require(set(keys[1:]) == set(exchange.taker.held), "a damaged record cost others")


def _needed(loaded: Any, name: str) -> bool:
    """Whether the target has a field that this one alone can fill and that must be there."""
    pairs = [pair for pair in loaded.resolution.every() if any(_top(node.path) == name for node in pair.ours)]
    return any(node.required for pair in pairs for node in pair.theirs)


def _top(path: str) -> str:
    return path.split(".", maxsplit=1)[0].removesuffix("[]")


def _fullest(trial: Trial, schema: str) -> dict[str, Any]:
    facts = [fact for fact in trial.world.records(schema, trial.night) if trial.records(schema, [fact])]
    return max(facts, key=lambda fact: sum(value not in (None, [], False) for value in fact.values()))
