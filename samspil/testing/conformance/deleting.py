"""Deleting: only a whole snapshot says that a record is gone, and many at once are a question for a person."""

from __future__ import annotations

import math

from samspil import flow as steps
from samspil.errors import GuardTripped, Refused
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt


@promise("read", needs={"snapshot"})
def what_is_gone_is_deleted(trial: Trial, schema: str) -> None:
    """A record that is missing from a whole snapshot is deleted at the target, and no other."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        before = set(exchange.taker.held)
        (key, *_) = sorted(before)
        trial.world.hide(schema, key, trial.next_night())
        trial.show_night()
        exchange.night()
        gone = before - set(exchange.taker.held)
        require(gone == {key}, f"one record went, and {len(gone)} were deleted")


@promise("read", needs={"snapshot", "network"}, one_schema=True)
def a_failed_read_deletes_nothing(trial: Trial, schema: str) -> None:
    """A read that ends in an error, at whichever call, deletes nothing."""
    _keeps(trial, schema, "status:500")


@promise("read", needs={"snapshot", "network"}, one_schema=True)
def a_cut_read_deletes_nothing(trial: Trial, schema: str) -> None:
    """A read of which an answer is cut in half deletes nothing."""
    _keeps(trial, schema, "truncate")


@promise("read", needs={"snapshot", "network"}, one_schema=True)
def a_garbled_read_deletes_nothing(trial: Trial, schema: str) -> None:
    """A read in which an answer is no format deletes nothing."""
    _keeps(trial, schema, "garbage")


@promise("read", needs={"snapshot"})
def what_cannot_be_cut_deletes_nothing(trial: Trial, schema: str) -> None:
    """A record that is shown but cannot be read is not deleted, and no other while it is unknown which ones it hides."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        before = set(exchange.taker.held)
        night = trial.next_night()
        broken, hidden = sorted(before)[:2]
        trial.world.damage(schema, broken, "broken-syntax", night)
        trial.world.hide(schema, hidden, night)
        trial.show_night()
        reading = trial.read(schema)
        keys = [one.id for one in trial.ours(schema, reading.raws) if not isinstance(one, Refused)]
        require(reading.told or len(reading.keys) == len(before) - 1, "the broken record is neither read nor rejected")
        require(broken not in keys, "a record of broken syntax was read as a good one")
        attempt(exchange.night)
        lost = before - set(exchange.taker.held)
        require(broken not in lost, "the record that cannot be read was deleted")
        require(not (reading.told and lost), "records were deleted after a read with a hole in it")


@promise("read", needs={"snapshot", "many"}, one_schema=True)
def a_mass_deletion_stops(trial: Trial, schema: str) -> None:
    """When far more records are gone than the agreement allows, nothing is deleted until a person has decided."""
    _stops(trial, schema, hide=True)


@promise("read", needs={"snapshot", "many"}, one_schema=True)
def a_mass_change_stops(trial: Trial, schema: str) -> None:
    """When far more records are changed than the agreement allows, nothing is sent until a person has decided."""
    _stops(trial, schema, hide=False)


def _keeps(trial: Trial, schema: str, kind: str) -> None:
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        before = set(exchange.taker.held)
        calls = trial.calls_of(lambda: trial.whole(schema))
        for at in range(calls):
            trial.quiet()
            trial.sandbox.faults.add(kind, times=math.inf, after=at)
            attempt(exchange.night)
            lost = before - set(exchange.taker.held)
            require(not lost, f"{kind} at call {at + 1} of {calls}: {len(lost)} records were deleted")


def _stops(trial: Trial, schema: str, *, hide: bool) -> None:
    with Exchange(trial, schema, "source", guard=1) as exchange:
        exchange.night()
        before, puts = dict(exchange.taker.held), exchange.taker.puts
        night = trial.next_night()
        for key in before:
            if hide:
                trial.world.hide(schema, key, night)
            else:
                trial.world.change(schema, key, night)
        trial.show_night()
        with exchange.hub() as hub:
            run = exchange.plan(hub)
            outcome = attempt(lambda: steps.guard(hub, run))
            attempt(lambda: steps.deliver(hub, run))
        require(isinstance(outcome.error, GuardTripped), "the guard let it through")
        require(exchange.taker.held == before and exchange.taker.puts == puts, "it was sent before anybody decided")
