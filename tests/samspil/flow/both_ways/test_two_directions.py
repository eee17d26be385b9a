"""Two directions of one schema: echoes, edits, creates, deletes and conflicts, on each of the store's databases."""

import pytest

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality


@pytest.fixture(params=[False, True], ids=["their-reference", "own-keys"])
def made(request, sides):
    """Two meetings made at either side and brought to the other; the systems keep our ids, or give their own."""
    sides.centre.own_keys = sides.office.own_keys = request.param
    sides.at_centre, sides.at_office = sides.centre.book("c1"), sides.office.book("o2")
    sides.both()
    assert [len(sides.centre.held), len(sides.office.held)] == [2, 2]
    return sides


def other(side, number):
    """The number of the other of two meetings."""
    return next(one for one in side.held if one != number)


def test_what_is_made_at_one_side_is_made_at_the_other_once_and_comes_back_as_an_echo(made):
    assert made.centre.shows() == made.office.shows() or made.centre.own_keys
    before = made.calls()
    for counts in made.both() + made.both():
        assert (counts.read, counts.unchanged, counts.receipts, counts.conflicts) == (2, 2, 0, 0)
    assert made.calls() == before
    assert made.open() == []


def test_a_field_that_its_owner_changed_goes_over_either_way(made):
    made.centre.edit(made.at_centre, attendees=["C. D."])
    made.office.edit(made.at_office, startsAt="2026-02-02T09:00:00+01:00")
    counts = made.both()
    assert [one.updates for one in counts] == [1, 1]
    assert made.office.held[other(made.office, made.at_office)]["attendees"] == ["C. D."]
    assert made.centre.held[other(made.centre, made.at_centre)]["startsAt"] == "2026-02-02T09:00:00+01:00"
    made.until_quiet()
    assert made.open() == []


def test_both_owners_edit_one_meeting_and_both_edits_arrive_in_one_round(made):
    there = other(made.office, made.at_office)
    made.centre.edit(made.at_centre, attendees=["C. D."])
    made.office.edit(there, meetingType="NETWORK")
    made.both()
    for side, number in ((made.centre, made.at_centre), (made.office, there)):
        assert (side.held[number]["attendees"], side.held[number]["meetingType"]) == (["C. D."], "NETWORK")


def test_an_edit_by_another_than_the_owner_is_a_conflict_and_the_rest_moves_on(made):
    there = other(made.office, made.at_office)
    made.office.edit(there, attendees=["X. Y."], meetingType="NETWORK")
    counts = made.both()
    assert made.centre.held[made.at_centre]["attendees"] == ["A. B."]
    assert made.centre.held[made.at_centre]["meetingType"] == "NETWORK"
    assert made.office.held[there]["attendees"] == ["X. Y."]
    (conflict,) = made.open()
    assert (conflict.field, conflict.reason, conflict.flow) == ("participants", "not-the-owner", made.BACK)
    assert all(one.balances for one in counts)


def test_a_record_of_which_only_a_conflict_is_left_is_held_back_and_counted(made):
    made.office.edit(other(made.office, made.at_office), attendees=["X. Y."])
    _, back = made.both()
    assert (back.held_back, back.conflicts, back.reasons, back.delivered) == (1, 1, {"conflict": 1}, 0)
    _, again = made.both()  # it is known now: only the list of conflicts has it
    assert (again.unchanged, again.held_back, len(made.open())) == (2, 0, 1)


def test_the_same_field_changed_at_both_sides_is_a_conflict_and_both_keep_theirs(made):
    there = other(made.office, made.at_office)
    made.centre.edit(made.at_centre, attendees=["C. D."])
    made.office.edit(there, attendees=["X. Y."])
    made.until_quiet()
    assert made.centre.held[made.at_centre]["attendees"] == ["C. D."]
    assert made.office.held[there]["attendees"] == ["X. Y."]
    (conflict,) = made.open()
    assert conflict.reason == "changed-on-both-sides"


def test_a_conflict_goes_by_itself_when_the_edit_is_taken_back(made):
    there = other(made.office, made.at_office)
    made.centre.edit(made.at_centre, attendees=["C. D."])
    made.office.edit(there, attendees=["X. Y."])
    made.both()
    made.office.edit(there, attendees=["A. B."])
    made.until_quiet()
    assert made.open() == []
    assert made.office.held[there]["attendees"] == ["C. D."]


def test_deleted_at_one_side_is_deleted_at_the_other(made):
    made.centre.cancel(made.at_centre)
    made.office.cancel(made.at_office)
    made.until_quiet()
    assert (made.centre.held, made.office.held, made.open()) == ({}, {}, [])
    assert sorted(call.split()[0] for call in made.calls()) == ["delete", "delete", "put", "put"]


def test_deleted_here_and_edited_there_is_a_conflict(made):
    there = other(made.office, made.at_office)
    made.centre.cancel(made.at_centre)
    made.office.edit(there, meetingType="NETWORK")
    for counts in made.both():
        assert counts.balances
    (conflict,) = made.open()
    assert (conflict.field, conflict.reason) == ("", "deleted-and-changed")
    assert there in made.office.held
    made.office.edit(there, meetingType="STATUS")
    made.until_quiet()
    assert (list(made.office.held), made.open()) == ([made.at_office], [])


def test_made_here_and_deleted_there_before_anybody_read_it_back(sides):
    number = sides.centre.book("c1")
    sides.run(sides.OUT)
    sides.office.cancel(next(iter(sides.office.held)))
    sides.until_quiet()
    assert number not in sides.centre.held
    assert sides.open() == []


def test_what_the_target_changed_between_plan_and_delivery_is_not_written_over(made):
    there = other(made.office, made.at_office)
    made.centre.edit(made.at_centre, attendees=["C. D."])
    run = made.step("plan", made.OUT, "a")
    made.office.edit(there, meetingType="NETWORK")
    made.step("guard", run)
    made.step("deliver", run)
    counts = made.step("reconcile", run)
    assert (counts.delivered, counts.reasons) == (0, {"replaced-by-a-later-run": 1})
    assert made.office.held[there]["meetingType"] == "NETWORK"
    made.until_quiet()
    assert made.office.held[there]["attendees"] == ["C. D."]
    assert made.centre.held[made.at_centre]["meetingType"] == "NETWORK"


@pytest.mark.parametrize("first", ["OUT", "BACK"])
def test_an_answer_lost_after_a_create_makes_nothing_twice(sides, first):
    sides.centre.book("c1")
    sides.office.book("o2")
    sides.office.lose, sides.centre.lose = [True], [True]
    for flow in (sides.OUT, sides.BACK, getattr(sides, first)):
        try:
            sides.run(flow)
        except sides.unavailable:
            continue
    sides.until_quiet()
    assert [len(sides.centre.held), len(sides.office.held)] == [2, 2]


def test_incremental_reads_find_all_the_same(sides):
    for side in (sides.centre, sides.office):
        side.mode = "incremental"
    number = sides.centre.book("c1")
    sides.both()
    there = next(iter(sides.office.held))
    for side in (sides.centre, sides.office):
        side.changed, side.gone = [], []
    sides.centre.edit(number, attendees=["C. D."])
    sides.office.edit(there, attendees=["X. Y."])
    sides.both()
    assert len(sides.open()) == 1
    sides.centre.changed, sides.office.changed = [], []
    sides.office.edit(there, attendees=["A. B."])
    sides.run(sides.BACK)
    sides.centre.changed, sides.office.changed = [], []
    counts = sides.run(sides.OUT)  # its source has nothing new: it is owed
    assert (counts.read, counts.delivered) == (1, 1)
    assert sides.office.held[there]["attendees"] == ["C. D."]
