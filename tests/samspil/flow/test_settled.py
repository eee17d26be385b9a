"""When a source is told that what it gave has arrived."""

import pytest

from samspil.errors import Unavailable
from samspil.flow.preview import Preview

PLAN = "centre-action_plan-office"


@pytest.fixture
def told(lite):
    """What the centre was told, in order, beside what the office had taken by then."""
    found = []
    lite.centre.settled = lambda schema: found.append((schema, sorted(lite.office.words)))
    return found


def test_a_source_is_told_when_its_records_have_their_receipts(lite, told):
    lite.night("a1 one", "a2 two")
    assert told == [("action_plan", ["a1", "a2"])]


def test_a_dry_run_tells_nobody(lite, told):
    lite.has("a1 one")
    with lite.hub() as hub:
        list(Preview(hub, PLAN))
    run = lite.step("plan", PLAN, "night 1")
    lite.step("guard", run)
    lite.step("deliver", run)
    assert told == []


def test_after_a_read_of_which_something_is_unknown_nobody_is_told(lite, told):
    lite.centre.rejected = [b"cut"]
    lite.night("a1 one")
    assert told == []


def test_a_source_that_cannot_be_told_is_told_again_and_the_run_counts_all_the_same(lite, told):
    tell = lite.centre.settled

    def away(_schema):
        raise Unavailable("away", system="centre")

    lite.centre.settled = away
    with pytest.raises(Unavailable):
        lite.night("a1 one", key="night 1")
    lite.centre.settled = tell
    assert lite.night("a1 one", key="night 1").delivered == 1
    assert told == [("action_plan", ["a1"])]
    assert lite.office.log == [("put", "a1", "one")]
