"""Incremental: from any checkpoint nothing is lost, and the checkpoint is the system's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samspil import flow as steps
from samspil.errors import Refused
from samspil.store import runs
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.gathered import Reading
from samspil.testing.conformance.persons import planted
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.leaks.forms import leaks

LONGEST = 1_000  # characters of a cursor
LATE = 600.0  # seconds: a record committed so much later than its time of change must be found
SKEW = 7_200.0


@promise("incremental")
def a_read_gives_a_cursor(trial: Trial, schema: str) -> None:
    """A whole read ends with a cursor, also of an empty source that has had one before."""
    require(trial.whole(schema).cursors, "no page of a whole read has a cursor")


@promise("incremental")
def the_cursor_is_used(trial: Trial, schema: str) -> None:
    """A read from the last cursor gives fewer records than a read from the beginning."""
    whole = trial.whole(schema)
    again = trial.whole(schema, _last(whole))
    require(len(again.keys) < len(whole.keys), f"from the last cursor, all {len(again.keys)} records were read again")


@promise("incremental")
def every_checkpoint_loses_nothing(trial: Trial, schema: str) -> None:
    """What was read up to a cursor and what is read from it are together everything, for every cursor of a read."""
    reading = trial.whole(schema, page_size=2)
    wanted, before = set(reading.keys), set[bytes]()
    for page in reading.pages:
        before |= {bytes(key) for key in page.keys}
        if page.cursor is not None:
            after = set(trial.whole(schema, page.cursor, page_size=3).keys)
            lost = wanted - before - after
            require(not lost, f"resumed from a checkpoint, {len(lost)} of {len(wanted)} records are lost")


@promise("incremental")
def the_cursor_never_goes_back(trial: Trial, schema: str) -> None:
    """Each cursor of a read leaves no more to be read than the one before it."""
    before: set[bytes] | None = None
    for cursor in trial.whole(schema, page_size=2).cursors:
        rest = set(trial.whole(schema, cursor).keys)
        more = rest - before if before is not None else set()
        require(not more, f"a later cursor gives {len(more)} records that an earlier one did not")
        before = rest


@promise("incremental")
def the_cursor_is_small(trial: Trial, schema: str) -> None:
    """A cursor is a short text that does not grow with the records, and shows no person: it is stored as it is."""
    cursors = trial.whole(schema, page_size=2).cursors
    require(max(map(len, cursors), default=0) <= LONGEST, f"a cursor has {max(map(len, cursors))} characters")
    shown = leaks(planted(trial, schema), cursors)
    require(not shown, f"cursors show {shown} values of persons")


@promise("incremental")
def an_increment_is_the_difference(trial: Trial, schema: str) -> None:
    """What changed, came and went between two reads is found by reading from the cursor of the first."""
    keys = sorted(trial.facts(schema))
    trial.world.hide(schema, keys[0], trial.night)
    trial.show_night()
    first = trial.whole(schema)
    night = trial.next_night()
    trial.world.show(schema, keys[0], night)
    trial.world.change(schema, keys[1], night)
    trial.world.hide(schema, keys[2], night)
    trial.show_night()
    second = trial.whole(schema, _last(first))
    known = {**first.by_key, **second.by_key}
    for key in second.gone:
        known.pop(key, None)
    found, wanted = _by_id(trial, schema, known), trial.facts(schema)
    require(found.keys() == wanted.keys(), f"{len(found.keys() ^ wanted.keys())} records too many or too few")
    require(found[keys[1]] == _by_id(trial, schema, trial.whole(schema).by_key)[keys[1]], "a change was not found")


@promise("incremental")
def what_is_gone_is_told(trial: Trial, schema: str) -> None:
    """A record deleted at the system is among those that are gone, under the key it was read with."""
    first = trial.whole(schema)
    (key, *_) = sorted(trial.facts(schema))
    (own,) = [one for one, raw in first.by_key.items() if key in _by_id(trial, schema, {one: raw})]
    trial.world.hide(schema, key, trial.next_night())
    trial.show_night()
    second = trial.whole(schema, _last(first))
    require(own in second.gone, "a deleted record is not among those that are gone")
    require(not set(second.gone) & set(trial.whole(schema).keys), "records are called gone that are there")


@promise("incremental", needs={"late-commit"})
def a_late_commit_is_found(trial: Trial, schema: str) -> None:
    """A record committed after the read, with a time of change before its last one, is found by the next."""
    trial.world.change(schema, max(trial.facts(schema)), trial.next_night())
    trial.show_night()
    first = trial.whole(schema)
    trial.sandbox.late = LATE
    _changed_is_found(trial, schema, first)


@promise("incremental")
def equal_times_lose_nothing(trial: Trial, schema: str) -> None:
    """Records changed at the very same time are all found, though a page or a read ends between them."""
    keys = sorted(trial.facts(schema))
    first = trial.whole(schema)
    night = trial.next_night()
    for key in keys[:4]:
        trial.world.change(schema, key, night)
    trial.show_night()
    second = trial.whole(schema, _last(first), page_size=2)
    found = _by_id(trial, schema, second.by_key)
    require(set(keys[:4]) <= set(found), f"{len(set(keys[:4]) - set(found))} of 4 changes of one moment are lost")
    for number, page in enumerate(second.pages):
        if page.cursor is not None:
            rest = _by_id(trial, schema, trial.whole(schema, page.cursor, page_size=2).by_key)
            seen = _by_id(trial, schema, Reading(second.pages[: number + 1]).by_key)
            lost = set(keys[:4]) - set(rest) - set(seen)
            require(not lost, f"resumed between changes of one moment, {len(lost)} of 4 are lost")


@promise("incremental", needs={"skew"})
def another_clock_loses_nothing(trial: Trial, schema: str) -> None:
    """A system whose clock is hours ahead of ours or behind loses no change: the cursor is of its clock."""
    for skew in (SKEW, -SKEW):
        with Trial(trial.subject) as fresh:
            fresh.sandbox.skew = skew
            fresh.show_night()
            _changed_is_found(fresh, schema, fresh.whole(schema))


@promise("incremental")
def the_cursor_waits_for_acknowledgement(trial: Trial, schema: str) -> None:
    """The stored cursor moves when everything up to it is acknowledged by the target, and not before."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.taker.down = True
        with exchange.hub() as hub:
            run = exchange.plan(hub)
            steps.guard(hub, run)
            attempt(lambda: steps.deliver(hub, run))
            attempt(lambda: steps.reconcile(hub, run))
            flow = hub.flow(exchange.flow).id
            with hub.store.transaction() as connection:
                require(runs.cursor(connection, flow) is None, "the cursor moved though nothing was acknowledged")
            exchange.taker.down = False
            steps.deliver(hub, run)
            steps.reconcile(hub, run)
            with hub.store.transaction() as connection:
                require(runs.cursor(connection, flow) is not None, "the cursor did not move")


@promise("incremental")
def a_flow_of_increments_follows_its_source(trial: Trial, schema: str) -> None:
    """After nights of changes the target has what the source has, no more and no less."""
    keys = sorted(trial.facts(schema))
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        for move, key in ((trial.world.change, keys[0]), (trial.world.hide, keys[1]), (trial.world.show, keys[1])):
            move(schema, key, trial.next_night())
            trial.show_night()
            exchange.night()
            missing = set(trial.facts(schema)) ^ set(exchange.taker.held)
            require(not missing, f"after a night of changes, {len(missing)} records are too many or too few")


def _changed_is_found(trial: Trial, schema: str, first: Reading) -> None:
    (key, *_) = sorted(trial.facts(schema))
    trial.world.change(schema, key, trial.next_night())
    trial.show_night()
    found = _by_id(trial, schema, trial.whole(schema, _last(first)).by_key)
    require(key in found, "a change was not found")
    wanted = _by_id(trial, schema, trial.whole(schema).by_key)[key]
    require(found[key] == wanted, "a change was found as it was before")


def _last(reading: Reading) -> str:
    require(reading.cursors, "no page of a whole read has a cursor")
    return reading.cursors[-1]


def _by_id(trial: Trial, schema: str, records: Mapping[bytes, bytes]) -> dict[str, Any]:
    found = trial.ours(schema, list(records.values()))
    return {one.id: one for one in found if not isinstance(one, Refused)}
