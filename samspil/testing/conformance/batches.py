"""Batches: what is full, mixed, sent in other company or about one person is as right as a record by itself."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from samspil import registry
from samspil.connector import Change, Receipt
from samspil.mapping import tree
from samspil.testing.conformance.carried import differing, leaves
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.subject import CITIZENS
from samspil.testing.conformance.trial import Trial
from samspil.testing.facts import Fact

LARGEST = 200  # records of a full batch that is tried
MOST = 800  # citizens of a world that fills it


@promise("write", needs={"batches"}, one_schema=True)
def a_full_batch_is_taken_whole(trial: Trial, schema: str) -> None:
    """As many records as the connector says it takes at once are taken, to the last one."""
    size = min(trial.subject.connector.writes[schema].batch, LARGEST)
    there = len(trial.records(schema))
    with Trial(trial.subject, citizens=min(CITIZENS * (size // there + 1), MOST)) as fresh:
        batch = fresh.puts(schema, size)
        fresh.write(schema, batch)
        held = list(fresh.held(schema).values())
        lost = [one for one in batch[-2:] if all(differing(one.record, record) for record in held)]
        require(len(held) == len(batch) and not lost, f"{len(held)} records are held of a batch of {len(batch)}")


@promise("write", needs={"batches", "deletes"})
def a_mixed_batch_is_answered_in_order(trial: Trial, schema: str) -> None:
    """Deletions, updates and new records in one batch each take effect, and have their receipts in their places."""
    first, second, third = trial.puts(schema)[:3]
    before = trial.write(schema, [first, second])
    (gone, kept) = (receipt.their_id for receipt in before)
    batch = [
        Change("delete", first.raw, gone, str(uuid.uuid4())),
        third,
        trial.put(second.record, kept),
    ]
    deleted, created, updated = trial.write(schema, batch)
    require(deleted.their_id in (None, gone), "the receipt of a deletion has another record's id")
    require(updated.their_id in (None, kept), "the receipt of an update has another record's id")
    require(created.their_id and created.their_id not in (gone, kept), "a new record has the id of another")
    _holds(trial, schema, [second, third])


@promise("write", needs={"batches"})
def a_change_is_told_from_its_company(trial: Trial, schema: str) -> None:
    """A change sent again in a batch with others is answered as before, and the others are taken."""
    first, second, third = trial.puts(schema)[:3]
    before = trial.write(schema, [first, second])
    after = trial.write(schema, [first, third])
    require(after[0].their_id == before[0].their_id, "sent again in other company, a record has another id")
    require(after[1].their_id != before[1].their_id, "a record got the id of one that was sent in its place before")
    _holds(trial, schema, [first, second, third])


@promise("write")
def records_of_one_person_are_apart_in_writing(trial: Trial, schema: str) -> None:
    """Two records about one person are two: changing or deleting one leaves the other as it is."""
    if schema == "person" or "cpr" not in trial.world.records(schema)[0]:
        return
    cpr = trial.world.records(schema)[0]["cpr"]
    facts = [{**fact, "cpr": cpr} for fact in trial.world.records(schema, trial.night)]
    one, other = trial.records(schema, facts)[:2]
    receipts: list[Receipt] = []
    for record in (one, other):
        (receipt,) = trial.answered(schema, [trial.put(record)])
        if receipt.refused is not None:  # a system may take one of a kind for a person, if it says so
            return
        receipts.append(receipt)
    _holds(trial, schema, [trial.put(one), trial.put(other)])
    trial.write(schema, [trial.put(one, receipts[0].their_id)])
    _holds(trial, schema, [trial.put(one), trial.put(other)])
    if trial.subject.connector.writes[schema].deletes:
        trial.write(schema, [Change("delete", trial.put(one).raw, receipts[0].their_id, str(uuid.uuid4()))])
        _holds(trial, schema, [trial.put(other)])


@promise("write")
def an_update_takes_away_what_is_gone(trial: Trial, schema: str) -> None:
    """A field that an update no longer has is no longer held: what was corrected away must not stay."""
    for fact in trial.world.records(schema, trial.night):
        for name in _optional(schema, fact):
            pair = trial.records(schema, [fact, {**fact, name: None}])
            gone = _gone(*pair) if len(pair) == 2 else set()
            if gone:
                with Trial(trial.subject) as fresh:
                    _taken_away(fresh, schema, pair, gone)
                return


def _taken_away(trial: Trial, schema: str, pair: Sequence[dict[str, Any]], gone: set[str]) -> None:
    (receipt,) = trial.answered(schema, [trial.put(pair[0])])
    if receipt.refused is None:
        (answer,) = trial.answered(schema, [trial.put(pair[1], receipt.their_id)])
        (held,) = trial.held(schema).values()
        stays = {path for path, value in leaves(held) if value not in (None, "")} & gone
        require(
            answer.refused is not None or not stays, f"after an update without them stay: {', '.join(sorted(stays))}"
        )


def _optional(schema: str, fact: Fact) -> list[str]:
    """Fields that the fact has and may be without."""
    nodes = tree.ours(registry.schema(schema)).children
    return [name for name, node in nodes.items() if node.nullable and fact[name] is not None]


def _gone(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """Paths that only the first record has a value at."""
    mine, theirs = ({path for path, value in leaves(record) if value not in (None, "")} for record in (one, other))
    return mine - theirs


def _holds(trial: Trial, schema: str, changes: Sequence[Change]) -> None:
    held = list(trial.held(schema).values())
    missing = [one for one in changes if all(differing(one.record, record) for record in held)]
    require(not missing and len(held) == len(changes), f"{len(held)} records are held, and {len(missing)} are not")
