"""A look at the plan that waits: exactly what lies in the outbox, without a value that could be a person's."""

from __future__ import annotations

import pytest

from samspil import flow as steps
from samspil.errors import GuardTripped, SamspilError
from samspil.flow.difference import HIDDEN
from samspil.flow.look import changes, look

PLAN = "centre-action_plan-office"
BEFORE = [f"a{n} first" for n in range(8)]


@pytest.fixture
def stopped(pair):
    """A run that would alter four records, delete three and create one; its number."""
    pair.agree(**{"{changes: 100, deletions: 100, smallest_read: 0}": "{changes: 10, deletions: 100}"})
    pair.night(*BEFORE)
    pair.has(*(f"a{n} second" for n in range(4)), "a4 first", "a20 new")
    run = pair.step("plan", PLAN, "night 2")
    with pytest.raises(GuardTripped):
        pair.step("guard", run)
    pair.centre.rows = []  # what the source has by now is not looked at
    return run


def test_it_says_why_and_how_many_and_shows_deletions_first(pair, stopped):
    with pair.hub() as hub:
        seen = look(hub, stopped)
        shown = changes(hub, seen)
    assert (seen.waits, seen.sends, seen.held_by_target, seen.flow.name) == (True, False, 8, PLAN)
    assert seen.why == "would change 4 of 8 records; the agreement allows 3 (10 %)"
    assert [change.what for change in shown] == ["delete"] * 3 + ["update"] * 4 + ["create"]
    assert {field.path for field in shown[3].fields} == {"goals[0].title"}


def test_it_shows_no_value_that_is_not_ordinary(pair, stopped):
    with pair.hub() as hub:
        shown = changes(hub, look(hub, stopped))
    values = {(field.path, value) for change in shown for field in change.fields for value in field[1:]}
    assert {value for path, value in values if path in ("cpr", "author", "goals[0].title")} <= {HIDDEN, "-"}
    assert ("start", "2026-01-01") in values


def test_it_is_bounded(pair, stopped):
    with pair.hub() as hub:
        assert [change.what for change in changes(hub, look(hub, stopped), limit=4)] == ["delete"] * 3 + ["update"]


def test_afterwards_it_says_what_became_of_it(pair, stopped):
    with pair.hub() as hub:
        steps.decide(hub, stopped, approve=True, who="it", why="as agreed")
        assert (look(hub, stopped).waits, look(hub, stopped).sends) == (False, True)


def test_another_number_is_no_run_of_this_municipality(pair, stopped):
    with pair.hub() as hub, pytest.raises(SamspilError, match=f"there is no run {stopped + 1}") as caught:
        look(hub, stopped + 1)
    assert caught.value.reason == "no-run"


def test_a_plan_made_under_what_was_agreed_before_can_be_refused_only(pair, stopped):
    pair.agree(**{"[mine]": "[mine, other]"})
    with pair.hub() as hub:
        with pytest.raises(SamspilError, match=f"samspil refuse memory {stopped}") as caught:
            steps.decide(hub, stopped, approve=True, who="it", why="as agreed")
        steps.decide(hub, stopped, approve=False, who="it", why="planned afresh")
    assert caught.value.reason == "agreement-changed"
    assert pair.office.words == {f"a{n}": "first" for n in range(8)}


def test_a_run_that_waits_is_not_green_whoever_asks(pair, stopped):
    pair.step("deliver", stopped)
    with pytest.raises(GuardTripped, match="still waits"):
        pair.step("reconcile", stopped)
    assert pair.office.words == {f"a{n}": "first" for n in range(8)}
