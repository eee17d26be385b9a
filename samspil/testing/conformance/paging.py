"""Paging: a read is whole or says so, wherever it is cut, repeated or answered with an error."""

from __future__ import annotations

import math
from typing import Any

from samspil.testing.conformance.gathered import Reading
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.subject import CITIZENS
from samspil.testing.conformance.trial import Trial, attempt

MANY_PAGES = 105
MOST = 500  # citizens


@promise("read", needs={"page_size"})
def the_page_size_makes_no_difference(trial: Trial, schema: str) -> None:
    """Pages of one, of a few and of many give the same records with the same bytes."""
    wanted = trial.whole(schema).by_key
    for size in (1, 3, len(wanted), len(wanted) + 1):
        found = trial.whole(schema, page_size=size)
        require(found.by_key == wanted, f"pages of {size} gave other records")
        require(len(found.keys) == len(wanted), f"pages of {size} gave a record twice")


@promise("read", needs={"network"})
def a_server_error_never_ends_a_read(trial: Trial, schema: str) -> None:
    """A system that begins to answer 500, at whichever call, is an error, never a shorter list."""
    _never_shorter(trial, schema, "status:500", times=math.inf)


@promise("read", needs={"network"})
def a_lost_connection_never_ends_a_read(trial: Trial, schema: str) -> None:
    """A connection that is closed instead of an answer, at whichever call, is an error, never a shorter list."""
    _never_shorter(trial, schema, "timeout", times=math.inf, seconds=0.0)


@promise("read", needs={"network"})
def a_cut_answer_never_ends_a_read(trial: Trial, schema: str) -> None:
    """An answer of which only the first half arrives is tried again or told, never read as a shorter list."""
    _never_shorter(trial, schema, "truncate", times=math.inf)
    _never_shorter(trial, schema, "truncate", times=1)


@promise("read", needs={"network"})
def garbage_never_ends_a_read(trial: Trial, schema: str) -> None:
    """An answer that is no format is tried again or told, never read as an empty page."""
    _never_shorter(trial, schema, "garbage", times=math.inf)
    _never_shorter(trial, schema, "garbage", times=1)


@promise("read", needs={"http"})
def a_repeated_page_is_noticed(trial: Trial, schema: str) -> None:
    """When the system gives the page before once more, no record is lost without a word."""
    _never_shorter(trial, schema, "repeat", times=1, first=1)


@promise("read", needs={"http"})
def an_empty_answer_never_ends_a_read(trial: Trial, schema: str) -> None:
    """Status 200 with nothing in it, or with an object or element that is none of the contract's, is told."""
    for body in (b"", b"{}", b"[]", b"null", b"<nothing/>", b"<html><body>Log ind</body></html>"):
        _never_shorter(trial, schema, "answer:200", times=math.inf, body=body)


@promise("read", needs={"http"})
def an_odd_status_never_ends_a_read(trial: Trial, schema: str) -> None:
    """No status but that of an answer ends a read: not "no content", not "not found", not a log-in that ran out."""
    for status in (202, 204, 304, 401, 403, 404, 410):
        _never_shorter(trial, schema, f"answer:{status}", times=math.inf)


@promise("read", needs={"http", "page_size"}, one_schema=True)
def a_page_that_always_comes_again_is_told(trial: Trial, schema: str) -> None:
    """A system that goes on giving the same page is told: the read neither goes on for ever nor is taken for whole."""
    wanted = trial.whole(schema).by_key
    calls = trial.calls_of(lambda: trial.whole(schema, page_size=2))
    trial.quiet()
    trial.sandbox.faults.add("repeat", times=20 * calls, after=calls - 1)
    reading = trial.read(schema, page_size=2)
    require(reading.told or wanted.keys() <= set(reading.keys), "the same page again and again was taken for the end")
    require(len(trial.sandbox.calls) <= 10 * calls, f"{len(trial.sandbox.calls)} calls for the same page")


@promise("read", needs={"page_size"}, one_schema=True)
def many_pages_are_read(trial: Trial, schema: str) -> None:
    """A read has as many pages as there are: none is the last because it is the hundredth."""
    there = len(trial.world.records(schema))
    citizens = min(CITIZENS * (MANY_PAGES // max(there, 1) + 1), MOST)
    with Trial(trial.subject, citizens=citizens) as fresh:
        reading = fresh.whole(schema, page_size=1)
        lost = len(fresh.facts(schema)) - len(set(reading.keys))
        require(not lost, f"{lost} of {len(fresh.facts(schema))} records were lost in {len(reading.pages)} pages")


@promise("read", needs={"network", "page_size"}, one_schema=True)
def pages_are_handed_on_as_they_come(trial: Trial, schema: str) -> None:
    """A page is given before the next is asked for: who gathers them all needs more memory each year."""
    calls = trial.calls_of(lambda: trial.whole(schema, page_size=1))
    trial.quiet()
    pages = trial.connector(page_size=1).read(schema)
    next(iter(pages))
    require(len(trial.sandbox.calls) <= calls // 2 + 1, f"{len(trial.sandbox.calls)} of {calls} calls for one page")


@promise("read", needs={"network"})
def a_hiccup_costs_no_record(trial: Trial, schema: str) -> None:
    """One 503 at whichever call costs no record, and the read after it is whole."""
    _never_shorter(trial, schema, "status:503", times=1)
    trial.quiet()
    require(_keys(trial, schema) == _shown(trial, schema), "after a hiccup the next read was not whole")


def _never_shorter(trial: Trial, schema: str, kind: str, *, times: float, first: int = 0, **fault: Any) -> None:
    """Play a fault at each call of a read in turn: the read says that something is missing, or nothing is."""
    wanted = trial.whole(schema).by_key
    few = max(1, math.ceil(len(wanted) / 4))
    calls = trial.calls_of(lambda: trial.whole(schema, page_size=few))
    for at in range(first, calls):
        trial.quiet()
        trial.sandbox.faults.add(kind, times=times, after=at, **fault)
        outcome = attempt(lambda: trial.read(schema, page_size=few))
        reading = Reading([], outcome.error) if outcome.error else outcome.value
        lost = wanted.keys() - set(reading.keys)
        require(reading.told or not lost, f"{kind} at call {at + 1} of {calls}: {len(lost)} records lost, no word")
        other = [key for key, raw in reading.by_key.items() if key in wanted and raw != wanted[key]]
        require(not other, f"{kind} at call {at + 1} of {calls}: {len(other)} records were altered")
    trial.quiet()


def _keys(trial: Trial, schema: str) -> set[str]:
    return {one.id for one in trial.ours(schema, trial.whole(schema).raws)}


def _shown(trial: Trial, schema: str) -> set[str]:
    return set(trial.facts(schema))
