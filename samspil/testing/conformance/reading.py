"""Reading: every record there is, once, whole, and in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from samspil.errors import Refused
from samspil.testing.conformance.carried import leaves
from samspil.testing.conformance.dressing import LETTERS, NIGHTS, dressed_days, dressed_long, dressed_texts
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt


@promise("read")
def keys_are_unique(trial: Trial, schema: str) -> None:
    """No key is given twice: two records with one key are two claims to be the same."""
    keys = trial.whole(schema).keys
    require(len(set(keys)) == len(keys), f"{len(keys) - len(set(keys))} of {len(keys)} keys are repeated")


@promise("read")
def keys_are_there(trial: Trial, schema: str) -> None:
    """Every record has a key, and no key is empty or null."""
    for page in trial.whole(schema).pages:
        require(len(page.raws) == len(page.keys), f"a page has {len(page.raws)} records and {len(page.keys)} keys")
        empty = [key for key in page.keys if not bytes(key).strip() or bytes(key) in (b"null", b'""', b"None")]
        require(not empty, f"{len(empty)} keys are empty")
        require(all(bytes(raw).strip() for raw in page.raws), "a record has no bytes")


@promise("read")
def every_record_is_read(trial: Trial, schema: str) -> None:
    """What is read is all that the system shows, no more and no less."""
    found = {one.id for one in _good(trial, schema)}
    wanted = set(trial.facts(schema))
    require(not wanted - found, f"{len(wanted - found)} of {len(wanted)} records were not read")
    require(not found - wanted, f"{len(found - wanted)} records were read that the system does not have")


@promise("read")
def what_is_read_is_what_the_system_has(trial: Trial, schema: str) -> None:
    """Every field that the mapping takes has the value that the system has."""
    _same(_good(trial, schema), trial.facts(schema), _lost(trial, schema))


@promise("read")
def records_keep_to_their_contract(trial: Trial, schema: str) -> None:
    """A record has no field that is not declared, and every required one."""
    fields = trial.subject.connector.fields(schema)
    known = {path.replace("[]", "") for path in fields}
    required = {path for path, field in fields.items() if field.required and "." not in path and "[]" not in path}
    for record in _dicts(trial, schema):
        found = {path for path, _ in leaves(record)}
        undeclared = {path for path in found if not any(path == one or one.startswith(f"{path}.") for one in known)}
        require(not undeclared, f"{len(undeclared)} fields of {schema} are not declared")
        missing = {path for path in required if record.get(path) is None}
        require(not missing, f"required fields are missing: {', '.join(sorted(missing))}")


@promise("read")
def every_declared_field_is_seen(trial: Trial, schema: str) -> None:
    """Every required field, and every field for which the system has a value, is seen in some record."""
    seen = {path for record in _dicts(trial, schema) for path, value in leaves(record) if value is not None}
    loaded = trial.mapping(schema, "to_ours")
    told = [msgspec.to_builtins(fact, builtin_types=(date, datetime, Decimal)) for fact in trial.facts(schema).values()]
    has = {path for fact in told for path, value in leaves(fact) if value is not None}
    unseen = [
        node.path
        for pair in loaded.resolution.every()
        for node in pair.theirs
        if pair.ours and all(one.path.replace("[]", "") in has for one in pair.ours) and not _within(node.path, seen)
    ]
    require(not unseen, f"the system has values for fields that no record has: {', '.join(sorted(unseen)[:5])}")


@promise("read")
def two_reads_give_the_same(trial: Trial, schema: str) -> None:
    """What did not change is read with the same bytes, or every night would look like a change."""
    first, second = trial.whole(schema).by_key, trial.whole(schema).by_key
    require(first.keys() == second.keys(), "two reads gave different keys")
    moved = sum(first[key] != second[key] for key in first)
    require(not moved, f"{moved} of {len(first)} records had other bytes in the second read")


@promise("read")
def the_order_makes_no_difference(trial: Trial, schema: str) -> None:
    """The system may give its records in any order."""
    wanted = set(trial.facts(schema))
    trial.world.backwards = True
    trial.show_night()
    found = {one.id for one in _good(trial, schema)}
    require(found == wanted, f"backwards, {len(wanted ^ found)} of {len(wanted)} records were lost or added")


@promise("read")
def an_empty_source_is_fine(trial: Trial, schema: str) -> None:
    """A system without records is read without an error, and nothing comes of it."""
    trial.world.emptied.add(schema)
    trial.show_night()
    require(not trial.whole(schema).keys, "records were read from an empty system")


@promise("read")
def danish_letters_survive(trial: Trial, schema: str) -> None:
    """Letters beyond a to z come through as they are, and so do the signs that formats use themselves."""
    trial.world.dressed[schema] = lambda fact: dressed_texts(fact, LETTERS)
    trial.show_night()
    _same(_good(trial, schema), trial.facts(schema), _lost(trial, schema))


@promise("read")
def long_texts_are_whole(trial: Trial, schema: str) -> None:
    """A text as long as the shared schema allows is read to its last character, or its record is refused: never cut."""
    trial.world.dressed[schema] = partial(dressed_long, schema)
    trial.show_night()
    wanted = trial.facts(schema)
    found = {one.id: one for one in trial.ours(schema, trial.read(schema).raws) if not isinstance(one, Refused)}
    _same(list(found.values()), {key: fact for key, fact in wanted.items() if key in found}, _lost(trial, schema))


@promise("read")
def days_do_not_move(trial: Trial, schema: str) -> None:
    """A leap day, the days the clock changes and New Year stay the days they are; so do moments in those nights."""
    for day, moment in NIGHTS:
        trial.world.dressed[schema] = partial(dressed_days, day=day, moment=moment)
        trial.show_night()
        _same(_good(trial, schema), trial.facts(schema), _lost(trial, schema))


@promise("read")
def keys_of_all_letters_are_read(trial: Trial, schema: str) -> None:
    """A record is read whatever letters its key has."""
    trial.world.dressed[schema] = lambda fact: {**fact, "id": f"Ø{fact['id'][1:]}"}
    trial.show_night()
    wanted = set(trial.facts(schema))
    found = {one.id for one in _good(trial, schema)}
    require(
        wanted and found == wanted, f"{len(wanted - found)} of {len(wanted)} records with an Ø in the key were lost"
    )


@promise("read")
def records_of_one_person_are_apart(trial: Trial, schema: str) -> None:
    """Records about one person are all read, each as it is: a person is no key."""
    facts = trial.world.records(schema)
    if schema == "person" or "cpr" not in facts[0]:
        return
    trial.world.dressed[schema] = lambda fact: {**fact, "cpr": facts[0]["cpr"]}
    trial.show_night()
    _same(_good(trial, schema), trial.facts(schema), _lost(trial, schema))


@promise("read")
def decode_never_raises(trial: Trial, schema: str) -> None:
    """What cannot be decoded is Refused in its place, whatever it is, and the others are decoded."""
    good = trial.whole(schema).raws[:2]
    for bad in (b"", b"\x00\xff\xfe{[<", b"{" * 5000, b"null", b"[]", good[0][:10]):
        outcome = attempt(partial(trial.decoded, schema, [good[0], bad, good[1]]))
        require(outcome.error is None, f"decode raised {type(outcome.error).__name__} for one bad record")
        first, middle, last = outcome.value
        require(isinstance(middle, Refused), "what is no record was decoded")
        require(isinstance(first, dict) and isinstance(last, dict), "a bad record cost a good one")


@promise("read")
def an_oversized_record_is_held_back(trial: Trial, schema: str) -> None:
    """A record with a field of several megabytes is refused, alone."""
    key = next(iter(trial.facts(schema)))
    raws = [raw for raw in trial.whole(schema).raws if key.encode() in raw][:1]
    huge = [raw.replace(key.encode(), b"x" * 3_000_000) for raw in raws]
    require(huge, "no record shows its id")
    outcome = attempt(lambda: trial.ours(schema, huge))
    require(outcome.error is None, f"it raised {type(outcome.error).__name__}")
    require(isinstance(outcome.value[0], Refused), "a key of three megabytes was taken")


def _good(trial: Trial, schema: str) -> list[Any]:
    """Everything read, in the shared words; Broken if a good record is refused."""
    found = trial.ours(schema, trial.whole(schema).raws)
    refused = [one for one in found if isinstance(one, Refused)]
    require(not refused, f"{len(refused)} of {len(found)} good records are refused: {refused[:1]}")
    return found


def _dicts(trial: Trial, schema: str) -> list[dict[str, Any]]:
    found = trial.decoded(schema, trial.whole(schema).raws)
    refused = [one for one in found if isinstance(one, Refused)]
    require(not refused, f"{len(refused)} of {len(found)} good records are refused: {refused[:1]}")
    return [one for one in found if isinstance(one, dict)]


def _same(found: list[Any], wanted: Mapping[str, Any], lost: set[str]) -> None:
    by_id = {one.id: one for one in found}
    require(by_id.keys() == wanted.keys(), f"{len(by_id.keys() ^ wanted.keys())} records were lost or added")
    wrong = {
        path
        for key, one in by_id.items()
        for (path, mine), (_, theirs) in zip(_plain(one, lost), _plain(wanted[key], lost), strict=False)
        if mine != theirs
    }
    require(not wrong, f"fields have other values than the system: {', '.join(sorted(wrong)[:5])}")


def _plain(one: Any, lost: set[str]) -> list[tuple[str, Any]]:
    told = msgspec.to_builtins(one, builtin_types=(date, datetime, Decimal))
    return [(path, _comparable(value)) for path, value in leaves(told) if path not in lost]


def _comparable(value: Any) -> Any:
    """Moments of the hour that comes twice are never equal across zones, so all are compared in one."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _lost(trial: Trial, schema: str) -> set[str]:
    """Paths of ours that the mapping has no value for."""
    mapped = {
        node.path.replace("[]", "")
        for pair in trial.mapping(schema, "to_ours").resolution.every()
        for node in pair.ours
    }
    every = {path for one in trial.facts(schema).values() for path, _ in leaves(msgspec.to_builtins(one))}
    return {path for path in every if path not in mapped}


def _within(path: str, seen: set[str]) -> bool:
    return path.replace("[]", "") in seen
