"""Persons' keys are let go of two batches later: what is written or settled slowly must have been waited for by then."""

import pytest

from samspil import flow as steps
from samspil.flow.changes import Changes
from samspil.flow.clerk import Clerk
from samspil.store.tables import persons
from samspil.testing.plans import FLOW


class Broken(Exception):
    pass


def test_rows_that_all_wait_do_not_push_out_the_keys_of_a_batch_that_still_settles(pair, slow_writing):
    pair.office.batch = 1
    slow_writing(Clerk, "names")
    waiting = [f"{letter}5" for letter in "cdefghij"]
    pair.office.refuses = {"b5"}
    pair.has("b5 x", "a1 x", *(f"{key} x" for key in waiting))  # all but the first two wait behind what is refused
    run = pair.step("plan", FLOW, "night 1")
    pair.step("guard", run)
    pair.step("deliver", run)
    assert pair.office.words == {"a1": "x"}
    pair.office.refuses = set()
    assert pair.replay().staying == []
    assert pair.step("reconcile", run).balances
    assert pair.office.words == dict.fromkeys(("a1", "b5", *waiting), "x")


def test_after_a_plan_that_failed_nothing_is_sealed_under_a_key_that_was_never_kept(pair, monkeypatch):
    made = Changes.fetch_persons

    def fails(changes, connection):
        made(changes, connection)
        raise Broken

    pair.has("a1 x", "b2 x")
    with pair.hub() as hub:
        monkeypatch.setattr(Changes, "fetch_persons", fails)
        with pytest.raises(Broken):
            steps.plan(hub, FLOW, "night 1")
        monkeypatch.undo()
        with hub.store.transaction() as connection:
            assert connection.execute(persons.select()).all() == []
        steps.plan(hub, FLOW, "night 1")
    counts = pair.night("a1 x", "b2 x", key="night 1")
    assert (counts.receipts, pair.office.words) == (2, {"a1": "x", "b2": "x"})
