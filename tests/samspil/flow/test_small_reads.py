"""A read that looks whole and is far smaller than the last one: nothing is deleted before a person has looked."""

from __future__ import annotations

import pytest

from samspil import flow as steps
from samspil.errors import GuardTripped
from samspil.flow.preview import Preview
from samspil.store import runs

PLAN = "centre-action_plan-office"
TEN = [f"a{n} first" for n in range(10)]


def watched(pair, percent: int = 50) -> None:
    """An agreement that lets everything change and go, if the read is large enough to be believed."""
    pair.agree(**{"smallest_read: 0": f"smallest_read: {percent}"})


@pytest.fixture
def town(pair):
    watched(pair)
    return pair


def test_a_first_night_is_never_too_small(town):
    assert town.night().read == 0
    assert town.night("a1 first").delivered == 1


def test_an_empty_source_deletes_nothing_even_of_a_flow_of_one(town):
    town.night("a1 first")
    with pytest.raises(GuardTripped, match="read 0 records where 1 are known"):
        town.night()
    assert town.office.words == {"a1": "first"}


def test_less_than_the_agreed_share_waits_and_what_it_brings_waits_with_it(town):
    town.night(*TEN)
    with pytest.raises(GuardTripped, match=r"read 4 records where 10 are known, and would delete 7.* 50 %"):
        town.night("a0 second", "a1 first", "a2 first", "a90 x")
    assert town.office.words == {f"a{n}": "first" for n in range(10)}


def test_the_agreed_share_and_more_goes_on(town):
    town.night(*TEN)
    assert town.night(*TEN[:5]).deleted == 5


def test_a_small_flow_may_lose_one_of_two(town):
    town.night("a1 first", "a2 first")
    assert town.night("a1 first").deleted == 1


def test_records_the_target_never_had_count_too(pair):
    """Nearly all is filtered, so that very few deletions are much of the target and little of the source."""
    watched(pair)
    others = [f"a{n} first other" for n in range(1, 10)]
    pair.night("a0 first", *others)
    with pytest.raises(GuardTripped, match="read 2 records where 10 are known, and would delete 1"):
        pair.night(*others[:2])


def test_a_small_read_that_takes_nothing_from_the_target_goes_on(pair):
    watched(pair)
    others = [f"a{n} first other" for n in range(1, 10)]
    pair.night("a0 first", *others)
    assert pair.night("a0 first").deleted == 0


def test_after_a_person_has_let_a_small_read_through_it_is_what_the_next_is_compared_with(town):
    town.night(*TEN)
    with pytest.raises(GuardTripped):
        town.night(*TEN[:4])
    with town.hub() as hub:
        flow = hub.flow(PLAN).id
        with hub.store.transaction() as connection:
            run = runs.latest(connection, flow).id
        steps.decide(hub, run, approve=True, who="it", why="two teams closed")
    town.step("deliver", run)
    town.step("reconcile", run)
    assert len(town.office.words) == 4
    assert town.night(*TEN[:2]).deleted == 2


def test_a_small_read_nobody_let_through_is_no_measure_for_the_next(town):
    town.night(*TEN)
    for key in ("second", "third"):
        with pytest.raises(GuardTripped, match="read 3 records where 10"):
            town.night(*TEN[:3], key=key)
    assert town.night(*TEN).deleted == 0


def test_a_night_that_was_not_whole_is_no_measure_either(town):
    town.night(*TEN)
    town.centre.rejected = [b"<uncut"]
    assert town.night("a0 first").complete is False
    town.centre.rejected = []
    with pytest.raises(GuardTripped, match="where 10 are known"):
        town.night("a0 first")


def test_an_incremental_read_may_be_as_small_as_it_likes(town):
    town.centre.mode, town.centre.cursor = "incremental", "1"
    town.night(*TEN)
    town.centre.gone = ["a1"]
    assert town.night().deleted == 1


def test_an_incremental_source_read_from_the_beginning_is_compared_with_what_the_target_holds(town):
    """After a change of the agreement all is read afresh, and the last whole read is long ago."""
    town.centre.mode, town.centre.cursor = "incremental", "1"
    town.night("a0 first")
    town.night(*TEN[1:])
    town.agree(**{"smallest_read: 0": "smallest_read: 60", "[mine]": "[mine, other]"})
    with pytest.raises(GuardTripped, match="read 5 records where 10 are known, and would delete 5"):
        town.night(*TEN[:5])


def test_zero_trusts_every_read(pair):
    pair.night(*TEN)
    assert pair.night().deleted == 10


def test_a_look_ahead_says_what_the_guard_would_say(town):
    town.night(*TEN)
    town.has(*TEN[:4])
    with town.hub() as hub:
        preview = Preview(hub, PLAN)
        assert sum(change.what == "delete" for change in preview) == 6
    assert preview.objection.startswith("read 4 records where 10 are known, and would delete 6;")
