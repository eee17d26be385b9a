"""Real nights through the engine: from one declared calendar to another."""

from pathlib import Path

import pytest

from connectors.meeting_calendar import sandbox as calendar

FOLDER = Path(calendar.__file__).parent


def sent(fact):
    """As the office holds it: a field without a value is left out."""
    return {name: value for name, value in calendar.meeting(fact).items() if value is not None}


def good(world, night):
    return {
        fact["id"]: fact for fact in world.records("meeting", night) if fact["id"] not in world.broken("meeting", night)
    }


def test_a_first_night_delivers_all_but_the_broken_as_they_are(exchange, world):
    counts = exchange.night(1)
    held = exchange.office.held("meeting")
    assert {key: sent(fact) for key, fact in good(world, 1).items()} == held
    broken = world.broken("meeting", 1)
    assert (len(world.records("meeting")), len(broken)) == (counts.read, counts.held_back)
    assert (len(held), True) == (counts.delivered, counts.balances)


def test_a_second_night_reads_and_moves_only_what_changed(exchange, world):
    exchange.night(1)
    exchange.centre.queries.clear()
    exchange.office.calls.clear()
    counts = exchange.night(2)
    assert all("changedSince=" in query for query in exchange.centre.queries)
    before, after = good(world, 1), good(world, 2)
    changed = {key for key, fact in after.items() if before.get(key) != fact}
    gone = before.keys() - {fact["id"] for fact in world.records("meeting", 2)}
    assert (len(changed), len(gone)) == (counts.delivered, counts.deleted)
    assert counts.read < len(world.records("meeting", 2)) / 2
    assert len(gone) == sum(call.startswith("DELETE") for call in exchange.office.calls)
    kept = before.keys() & world.broken("meeting", 2).keys()  # held back now, left as it was
    assert after.keys() | kept == set(exchange.office.held("meeting"))
    assert all(sent(after[key]) == exchange.office.held("meeting")[key] for key in after)


def test_the_same_night_again_sends_nothing(exchange):
    exchange.night(1)
    exchange.office.calls.clear()
    exchange.centre.faults.clear()
    counts = exchange.night(1)
    assert counts.balances
    assert [] == exchange.office.calls


def test_from_the_fourth_night_on_all_is_mended(exchange, world):
    for night in (1, 2, 3, 4):
        counts = exchange.night(night)
        assert counts.balances
    assert {key: sent(fact) for key, fact in good(world, 4).items()} == exchange.office.held("meeting")
    assert {fact["id"] for fact in world.records("meeting", 4)} == set(exchange.office.held("meeting"))


@pytest.mark.parametrize("file", ["connector.yaml", "sandbox.py"])
def test_a_declared_connector_is_short(file):
    assert len((FOLDER / file).read_text(encoding="utf-8").splitlines()) <= 40
