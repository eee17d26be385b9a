"""Resending: whatever becomes of a sending, sending it again makes it right and doubles nothing."""

from __future__ import annotations

import math
import uuid
from typing import Any

from samspil.connector import Change
from samspil.testing.conformance.carried import differing, identical
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt


@promise("write")
def the_same_batch_twice_changes_nothing(trial: Trial, schema: str) -> None:
    """The same changes with the same keys again are answered alike and change nothing."""
    batch = trial.puts(schema)
    first = trial.write(schema, batch)
    before = _copy(trial, schema)
    again = trial.write(schema, batch)
    _unchanged(trial, schema, before)
    pairs = zip(first, again, strict=True)
    require(all(one.their_id == other.their_id for one, other in pairs), "the second time, the ids are other")


@promise("write", needs={"network"})
def a_lost_answer_doubles_nothing(trial: Trial, schema: str) -> None:
    """When the batch took effect and its answer was lost, sending it again gives the receipts and no second record."""
    _resent(trial, schema, "lost-answer", times=1)


@promise("write", needs={"network"})
def a_lost_connection_doubles_nothing(trial: Trial, schema: str) -> None:
    """The same where every answer is lost until another process sends the batch again."""
    _resent(trial, schema, "lost-answer", times=math.inf)


@promise("write", needs={"network", "timeout"})
def a_late_answer_doubles_nothing(trial: Trial, schema: str) -> None:
    """The same where the batch took effect and the system is silent for longer than the time-out."""
    _resent(trial, schema, "late-answer", times=1, seconds=1.0)
    _resent(trial, schema, "late-answer", times=math.inf, seconds=1.0)


@promise("write", needs={"network"})
def a_busy_target_costs_nothing(trial: Trial, schema: str) -> None:
    """A batch that met a busy system is told, and sent again it is taken whole."""
    _resent(trial, schema, "status:503", times=math.inf)


@promise("write", needs={"network"})
def a_garbled_receipt_is_no_receipt(trial: Trial, schema: str) -> None:
    """An answer that is no format is no receipt: nothing counts as delivered that is not held."""
    _resent(trial, schema, "garbage", times=math.inf)


@promise("write", needs={"network"})
def a_cut_receipt_is_no_receipt(trial: Trial, schema: str) -> None:
    """The same for an answer of which only the first half arrives."""
    _resent(trial, schema, "truncate", times=math.inf)


@promise("write", needs={"http"})
def an_empty_receipt_is_no_receipt(trial: Trial, schema: str) -> None:
    """The same for status 200 with nothing in it that the contract knows."""
    for body in (b"", b"{}", b"<nothing/>"):
        _resent(trial, schema, "answer:200", times=math.inf, body=body)


@promise("write", needs={"half-batch", "batches"})
def a_half_done_batch_is_finished(trial: Trial, schema: str) -> None:
    """When the system does half of a batch and says nothing of the rest, the rest is not taken for done."""
    _resent(trial, schema, "half-batch", times=1)
    _resent(trial, schema, "half-batch", times=math.inf)


@promise("write", needs={"deletes"})
def deleting_again_is_harmless(trial: Trial, schema: str) -> None:
    """A deletion sent again with its key is answered, and nothing more is gone."""
    batch = trial.puts(schema)
    ids = [receipt.their_id for receipt in trial.write(schema, batch)]
    deletion = [Change("delete", batch[0].raw, ids[0], str(uuid.uuid4()))]
    trial.write(schema, deletion)
    before = _copy(trial, schema)
    trial.answered(schema, deletion)
    _unchanged(trial, schema, before)


@promise("write")
def creating_again_makes_no_double(trial: Trial, schema: str) -> None:
    """A record that the system has already, created under a new key, is refused or replaced: there are never two."""
    record = trial.puts(schema)[0].record
    trial.write(schema, [trial.put(record)])
    before = len(trial.held(schema))
    trial.answered(schema, [trial.put(record)])
    require(len(trial.held(schema)) == before, "the same record is held twice")
    alike = [held for held in trial.held(schema).values() if not differing(record, held)]
    require(len(alike) == 1, f"the record is held {len(alike)} times")


@promise("write", needs={"deletes"})
def a_conflict_is_told(trial: Trial, schema: str) -> None:
    """An update of a record that is gone at the system is refused, or the record is there again: never lost in silence."""
    change = trial.puts(schema)[0]
    (receipt,) = trial.write(schema, [change])
    trial.write(schema, [Change("delete", change.raw, receipt.their_id, str(uuid.uuid4()))])
    (answer,) = trial.answered(schema, [trial.put(change.record, receipt.their_id)])
    there = any(not differing(change.record, held) for held in trial.held(schema).values())
    require(there or answer.refused is not None, "an update of a record that is gone was accepted, and it is not there")


def _resent(trial: Trial, schema: str, kind: str, *, times: float, **fault: Any) -> None:
    """Write under a fault, then again without it: what was receipted is held, and in the end all is, once."""
    with Trial(trial.subject) as fresh:
        batch = fresh.puts(schema)
        quick: dict[str, Any] = {"timeout": 0.3} if kind == "late-answer" else {}
        fresh.sandbox.faults.add(kind, times=times, **fault)
        outcome = attempt(lambda: fresh.connector(attempts=1, receipt_timeout=0.3, **quick).write(schema, batch))
        fresh.quiet()
        if outcome.error is None:
            require(len(outcome.value) == len(batch), f"{len(outcome.value)} receipts for {len(batch)} changes")
            done = [change for change, receipt in zip(batch, outcome.value, strict=True) if receipt.refused is None]
            refused = [change for change, receipt in zip(batch, outcome.value, strict=True) if receipt.refused]
            taken = [
                one for one in refused if any(not differing(one.record, held) for held in fresh.held(schema).values())
            ]
            require(not taken, f"under {kind}, {len(taken)} records were called refused that are held")
            _there(fresh, schema, done, f"under {kind}, receipts were given for records that are not held")
        receipts = fresh.write(schema, batch)
        _there(fresh, schema, batch, f"after {kind}, the batch sent again is not held")
        require(all(receipt.their_id for receipt in receipts), "a receipt of the second sending has no id")
        held = len(fresh.held(schema))
        require(held == len(batch), f"after {kind}, {held} records are held of {len(batch)}")
        if fresh.subject.connector.writes[schema].idempotency == "key":
            doubled = fresh.sandbox.doubled(schema)
            require(not doubled, f"after {kind}, {len(doubled)} records took effect twice")


def _there(trial: Trial, schema: str, changes: list[Change], message: str) -> None:
    held = list(trial.held(schema).values())
    missing = [change for change in changes if all(differing(change.record, record) for record in held)]
    require(not missing, f"{message}: {len(missing)} of {len(changes)}")


def _copy(trial: Trial, schema: str) -> dict[str, dict[str, Any]]:
    return {key: dict(held) for key, held in trial.held(schema).items()}


def _unchanged(trial: Trial, schema: str, before: dict[str, dict[str, Any]]) -> None:
    after = trial.held(schema)
    require(after.keys() == before.keys(), f"{len(after.keys() ^ before.keys())} records were added or lost")
    moved = [key for key, held in before.items() if not identical(held, after[key])]
    require(not moved, f"{len(moved)} records were changed")
    if trial.subject.connector.writes[schema].idempotency == "key":
        doubled = trial.sandbox.doubled(schema)
        require(not doubled, f"{len(doubled)} records took effect twice")
