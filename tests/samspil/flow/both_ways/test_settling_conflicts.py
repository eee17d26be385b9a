"""A person settles a conflict: the next run carries it out, and it does not come back unless the field changes."""

import json

import pytest

from samspil.errors import SamspilError, SettingsError
from samspil.flow import conflicts
from samspil.ledger import batches
from samspil.ledger.entry import record_of

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality


@pytest.fixture
def clash(new_sides):
    """The office has edited what the centre owns; both sides have taken note of it."""
    sides = new_sides()
    sides.number = sides.centre.book("c1")
    sides.both()
    sides.there = next(iter(sides.office.held))
    sides.office.edit(sides.there, attendees=["X. Y."])
    sides.until_quiet()
    return sides


def settle(sides, take):
    (found,) = sides.open()
    with sides.hub() as hub:
        return conflicts.settle(hub, conflicts.conflict_of(hub, found.id), take, who="it", why="case 1")


def attendees(sides):
    return [sides.centre.held[sides.number]["attendees"], sides.office.held[sides.there]["attendees"]]


@pytest.mark.parametrize("take", ["target", "centre"])
def test_the_owners_value_goes_back_over_the_edit(clash, take):
    assert settle(clash, take) == "centre"
    clash.until_quiet()
    assert attendees(clash) == [["A. B."], ["A. B."]]
    assert clash.open() == []


@pytest.mark.parametrize("take", ["source", "office"])
@pytest.mark.parametrize("first", ["OUT", "BACK"])
def test_the_editors_value_goes_over_to_the_owner(clash, take, first):
    assert settle(clash, take) == "office"
    for flow in (getattr(clash, first), clash.BACK):
        clash.run(flow)
    assert attendees(clash) == [["X. Y."], ["X. Y."]]
    clash.until_quiet()
    assert clash.open() == []


def test_settled_it_does_not_come_back_until_the_field_changes_again(clash):
    settle(clash, "both")
    clash.centre.edit(clash.number, minutes="something else")
    clash.office.edit(clash.there, meetingType="NETWORK")
    clash.until_quiet()
    assert attendees(clash) == [["A. B."], ["X. Y."]]
    assert clash.centre.held[clash.number]["meetingType"] == "NETWORK"
    assert clash.open() == []
    clash.office.edit(clash.there, attendees=["Z."])
    clash.until_quiet()
    assert [(one.field, one.reason) for one in clash.open()] == [("participants", "not-the-owner")]


def test_a_settled_field_that_its_owner_changes_later_goes_over_again(clash):
    settle(clash, "centre")
    clash.until_quiet()
    clash.centre.edit(clash.number, attendees=["C. D."])
    clash.until_quiet()
    assert attendees(clash) == [["C. D."], ["C. D."]]
    assert clash.open() == []


def test_incremental_reads_carry_a_decision_out_too(new_sides):
    sides = new_sides()
    sides.number = sides.centre.book("c1")
    for side in (sides.centre, sides.office):
        side.mode = "incremental"
    sides.both()
    sides.there = next(iter(sides.office.held))
    sides.office.edit(sides.there, attendees=["X. Y."])
    sides.until_quiet()
    sides.centre.changed, sides.office.changed = [], []
    settle(sides, "office")
    sides.until_quiet()
    assert attendees(sides) == [["X. Y."], ["X. Y."]]


@pytest.mark.parametrize(("take", "left"), [("centre", 0), ("office", 1), ("both", None)])
def test_deleted_or_not_is_a_decision_too(clash, take, left):
    clash.office.edit(clash.there, attendees=["A. B."], meetingType="NETWORK")
    clash.centre.cancel(clash.number)
    clash.until_quiet()
    assert settle(clash, take) == take
    clash.until_quiet()
    held = [len(clash.centre.held), len(clash.office.held)]
    assert held == ([0, 1] if left is None else [left, left])
    assert clash.open() == []


def test_what_a_side_may_not_send_cannot_be_taken(new_sides):
    sides = new_sides()
    sides.agree(**{", centre: [participants]": ""})
    sides.centre.book("c1")
    sides.both()
    sides.office.edit(next(iter(sides.office.held)), attendees=["X. Y."])
    sides.until_quiet()
    with pytest.raises(SettingsError, match="does not let office send participants"):
        settle(sides, "office")
    with pytest.raises(SettingsError, match="write one of centre, office, source, target, both"):
        settle(sides, "moon")


def test_a_conflict_settled_by_another_meanwhile_is_no_more(clash):
    (found,) = clash.open()
    with clash.hub() as hub:
        conflicts.settle(hub, found, "both", who="it", why="case 1")
        with pytest.raises(SamspilError, match="is settled already"):
            conflicts.settle(hub, found, "centre", who="it", why="case 1")
        with pytest.raises(SamspilError, match=r"no open conflict 1: samspil conflicts list both"):
            conflicts.conflict_of(hub, found.id)


def test_seeing_and_deciding_are_in_the_ledger_and_values_are_not(clash):
    (found,) = clash.open()
    assert b"X. Y." not in found.payload
    with clash.hub() as hub:
        shown = conflicts.reveal(hub, found, who="it", why="case 1")
    assert shown.values == (("office", ["X. Y."]), ("centre", ["A. B."]))
    settle(clash, "both")
    with clash.hub() as hub, hub.store.transaction() as connection:
        last = list(batches(connection, "760"))[-2:]
        hub.persons.fetch(connection, [found.person])
        about = [record_of(hub.ledger.place, hub.persons.cipher(found.person), batch.entries) for batch in last]
    said = [json.loads(batch.context) for batch in last]
    assert [(one["what"], one["conflict"], one["who"], one["why"]) for one in said] == [
        ("reveal", 1, "it", "case 1"),
        ("settle", 1, "it", "case 1"),
    ]
    assert not any(b"X. Y." in batch.context + batch.entries for batch in last)
    assert about == [found.key] * 2
