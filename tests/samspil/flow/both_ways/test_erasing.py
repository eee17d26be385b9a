"""Erasing a person empties every table that has a person, and only of that person; no flow takes the person in again.

Two stories: a two-way exchange, and flows that depend on consent. Together they fill every table with a person.
"""

import pytest
from sqlalchemy import select

from samspil.rights.erasure import erase
from samspil.store.tables import metadata, outbox, receipts

ONE, TWO = "6201900001", "6301900002"  # the numbers of persons 1 and 2 of the two sides
WITH_PERSONS = {table.name for table in metadata.sorted_tables if "person" in table.c}
BOTH_WAYS = {"outbox", "links", "quarantine", "baselines", "conflicts"}
CONSENT = {"consents", "withheld"}
KEYS = {"persons"}  # where an erased person's row stays, without a key, so that nobody takes the person in again
NAMES_NOBODY = {"fingerprint"}  # columns in which two persons may have the same

ORDER, ATTENDANCE = "jobcenter-course_order-journal", "journal-attendance-jobcenter"
CONSENTED = {
    "rhythm: nightly": "rhythm: nightly\n        guard: {changes: 100, deletions: 100}",
    "purpose: follow": "consent: {schema: course_order}\n    purpose: follow",
}


class Stored:
    """All that a store has in the tables of persons' data."""

    def __init__(self, opened):
        with opened() as hub, hub.store.transaction() as connection:
            self._digest = hub.vault.digest("person")
            self.tables = {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in metadata.sorted_tables
                if table.name != "ledger"
            }
            query = select(receipts.c.outbox_id).where(receipts.c.outbox_id.not_in(select(outbox.c.id)))
            self.stray = connection.execute(query).all()  # receipts of nothing

    def rows(self, number, name):
        """A table's rows of one person, without what tells when a row was last looked at."""
        person = self._digest(number.encode())
        rows = [row for row in self.tables[name] if row.get("person") == person]
        return [{key: value for key, value in row.items() if key != "seen_run"} for row in rows]

    def filled(self, number):
        """The tables that have rows of the person."""
        return {name for name in WITH_PERSONS - KEYS if self.rows(number, name)}

    def traces(self, number):
        """Every digest and sealed value in the person's rows."""
        return {
            value
            for name in WITH_PERSONS - KEYS
            for row in self.rows(number, name)
            for column, value in row.items()
            if isinstance(value, bytes) and any(value) and column not in NAMES_NOBODY
        } - {self._digest(number.encode())}

    def mention(self, traces):
        """The tables in which any of these values stands."""
        return {
            name
            for name, rows in self.tables.items()
            for row in rows
            if traces.intersection(value for value in row.values() if isinstance(value, bytes))
        }


def erased(opened, number):
    with opened() as hub:
        erase(hub, number, who="a test", why="case 1")


@pytest.fixture
def troubled(sides):
    """Persons 1 and 2 with meetings of every kind: delivered, edited by both, gone here and changed there, refused."""
    for person in (1, 2):
        kept, gone = sides.centre.book(f"c{person}"), sides.centre.book(f"c0{person}")
        sides.office.book(f"o{person}")
        sides.both()
        of = {key: sides.office.number(sides.centre.held[key]["reference"]) for key in (kept, gone)}
        sides.office.edit(of[kept], attendees=["X. Y."])
        sides.office.edit(of[gone], meetingType="NETWORK")
        sides.centre.cancel(gone)
        sides.both()
    sides.office.refuses = True
    for person in (1, 2):
        sides.centre.book(f"c00{person}")
    sides.both()
    sides.office.refuses = False
    return sides


def test_the_stories_fill_every_table_that_has_persons():
    """A new table with a person: let a story below fill it, and let the erasure empty it."""
    assert BOTH_WAYS | CONSENT | KEYS == WITH_PERSONS


def test_every_table_of_a_two_way_exchange_is_emptied_of_the_person_and_of_nobody_else(troubled):
    before = Stored(troubled.hub)
    assert (BOTH_WAYS, BOTH_WAYS) == (before.filled(ONE), before.filled(TWO))
    assert all(row["person"] for name in ("baselines", "conflicts") for row in before.tables[name])
    erased(troubled.hub, ONE)
    after = Stored(troubled.hub)
    assert (set(), set()) == (after.filled(ONE), after.mention(before.traces(ONE)))
    for name in WITH_PERSONS:
        assert before.rows(TWO, name) == after.rows(TWO, name), name
    assert {"", "participants"} == {conflict.field for conflict in troubled.open()}
    assert [] == after.stray


def test_neither_direction_takes_the_person_in_again(troubled):
    erased(troubled.hub, ONE)
    before = len(troubled.calls())
    counts = troubled.both()
    troubled.centre.edit(troubled.centre.number("c1"), attendees=["E. F."])
    troubled.office.edit(troubled.office.number("o1"), meetingType="NETWORK")
    troubled.centre.book("c0001")
    later = troubled.both() + troubled.both()
    assert all(one.blocked and one.balances for one in counts + later)
    assert set() == Stored(troubled.hub).filled(ONE)
    assert not [call for call in troubled.calls()[before:] if about(troubled, call) == ONE]


def about(sides, call):
    """Whom a write was about, by the number of the meeting in it."""
    number = call.split()[1]
    held = {**sides.centre.held, **sides.office.held}
    return held[number]["citizen"]["cprNumber"] if number in held else None


@pytest.mark.parametrize("number", [ONE, TWO])
@pytest.mark.parametrize("owner", ["office", "centre"])
@pytest.mark.parametrize("where", ["office", "centre"])
def test_a_record_of_which_each_side_names_another_goes_with_either(sides, number, where, owner):
    """An edit of the number by who owns it goes over, and is refused there; one by the other side is a conflict."""
    if owner == "centre":
        sides.agree(
            **{
                "minutes], office: [cpr, ": "minutes, cpr], office: [",
                "[id, cpr, order_id, kind, held_at], centre: [": "[id, order_id, kind, held_at], centre: [cpr, ",
            }
        )
    sides.centre.book("c1")
    sides.both()
    side = getattr(sides, where)
    side.edit(side.number("c1"), citizen={"cprNumber": TWO})
    sides.office.refuses = sides.centre.refuses = True
    sides.both()
    before = Stored(sides.hub)
    (baseline,) = before.tables["baselines"]
    conflicts = before.tables["conflicts"]
    assert (where != owner) == bool(conflicts)
    erased(sides.hub, number)
    after = Stored(sides.hub)
    assert ([], []) == (after.tables["baselines"], after.tables["conflicts"])
    assert set() == after.mention({baseline["payload"], *(row["payload"] for row in conflicts)})


def test_what_was_read_and_could_not_be_merged_goes_too(sides):
    sides.agree(**{"office: [cpr, order_id, kind, held_at]}\n": "office: [cpr, order_id, kind]}\n"})
    for person in (1, 2):
        sides.centre.book(f"c{person}")
    counts = sides.run(sides.OUT)
    assert {"not-carried": 2} == counts.reasons
    before = Stored(sides.hub)
    assert {"baselines"} == before.filled(ONE)
    erased(sides.hub, ONE)
    after = Stored(sides.hub)
    assert (set(), set()) == (after.filled(ONE), after.mention(before.traces(ONE)))
    assert before.rows(TWO, "baselines") == after.rows(TWO, "baselines")


@pytest.fixture
def consenting(exchange, monkeypatch):
    """An exchange in which two citizens withdrew their consent after their records had gone over; and those two."""
    records, refused = exchange.world.records, set()

    def changed(schema, night=1):
        found = records(schema, 1)
        if schema != "course_order":
            return found
        return [{**fact, "consent": fact["cpr"] not in refused} for fact in found]

    monkeypatch.setattr(exchange.world, "records", changed)
    monkeypatch.setattr(exchange.world, "broken", lambda *_: {})
    exchange.agree(**CONSENTED)
    exchange.to_night(2)
    for flow in (ORDER, ATTENDANCE):
        exchange.run(flow, "night 2")
    ordered = {fact["cpr"] for fact in records("course_order") if fact["provider"] == exchange.world.provider}
    one, two = sorted(ordered & {fact["cpr"] for fact in records("attendance")})[:2]
    refused |= {one, two}
    exchange.to_night(3)
    for flow in (ORDER, ATTENDANCE):
        exchange.run(flow, "night 3")
    exchange.refused = refused
    return exchange, one, two


def test_the_register_of_consents_is_emptied_of_the_person_and_of_nobody_else(consenting):
    exchange, one, two = consenting
    before = Stored(exchange.hub)
    assert before.filled(one) >= CONSENT <= before.filled(two)
    erased(exchange.hub, one)
    after = Stored(exchange.hub)
    assert (set(), set()) == (after.filled(one), after.mention(before.traces(one)))
    for name in WITH_PERSONS:
        assert before.rows(two, name) == after.rows(two, name), name
    assert [] == after.stray


def test_a_consent_given_again_does_not_take_an_erased_person_in(consenting):
    exchange, one, two = consenting
    erased(exchange.hub, one)
    exchange.refused.clear()
    exchange.to_night(4)
    orders, attendances = (exchange.run(flow, "night 4") for flow in (ORDER, ATTENDANCE))
    assert orders.blocked
    assert attendances.blocked
    assert orders.balances
    assert attendances.balances
    assert set() == Stored(exchange.hub).filled(one)
    there = exchange.jobcenter.held("attendance")
    mine, theirs = (
        {fact["id"] for fact in exchange.world.records("attendance") if fact["cpr"] == person} for person in (one, two)
    )
    assert not mine & set(there)
    assert theirs <= set(there)
