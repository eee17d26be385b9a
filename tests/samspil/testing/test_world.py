from collections import Counter
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from samspil.testing.world import PREFIX, World
from schemas import SCHEMAS

SIX = {"bad-date", "unknown-code", "missing-field", "bad-cpr", "unknown-field", "broken-syntax"}


@pytest.fixture(scope="module")
def world():
    return World("760")


def by_id(world, schema, night):
    return {fact["id"]: fact for fact in world.records(schema, night)}


def test_the_same_world_is_made_again(world):
    again = World("760")
    assert [world.records(schema, 2) for schema in PREFIX] == [again.records(schema, 2) for schema in PREFIX]


def test_reading_in_another_order_changes_nothing(world):
    again = World("760")
    again.records("attendance", 3)
    assert world.records("person", 2) == again.records("person", 2)


def test_another_municipality_or_seed_is_another_world(world):
    other = World("730").records("person")
    assert set() == {fact["cpr"] for fact in world.records("person")} & {fact["cpr"] for fact in other}
    assert world.records("person") != World("760", seed=2).records("person")


@pytest.mark.parametrize("schema", sorted(PREFIX))
@pytest.mark.parametrize("night", [1, 2, 3])
def test_every_fact_is_valid_in_the_shared_schema_and_says_every_field(world, schema, night):
    fields = {field.name for field in msgspec.structs.fields(SCHEMAS[schema])}
    for fact in world.records(schema, night):
        assert fields == set(fact)
        msgspec.convert(fact, SCHEMAS[schema])


@pytest.mark.parametrize("schema", sorted(PREFIX))
def test_facts_are_sorted_and_keys_unique(world, schema):
    keys = [fact["id"] for fact in world.records(schema, 2)]
    assert sorted(set(keys)) == keys


@pytest.mark.parametrize("schema", sorted(set(PREFIX) - {"person", "case"}))
@pytest.mark.parametrize("night", [2, 3])
def test_one_percent_changes_in_a_night_and_a_few_come_and_go(world, schema, night):
    before, after = by_id(world, schema, night - 1), by_id(world, schema, night)
    changed = sum(before[key] != after[key] for key in before.keys() & after.keys())
    assert max(1, len(before) // 100) == changed
    few = max(1, len(before) // 200)
    assert (few, few) == (len(before.keys() - after.keys()), len(after.keys() - before.keys()))


def test_a_night_changes_removes_and_adds_an_order_this_centre_may_see(world):
    before, after = by_id(world, "course_order", 1), by_id(world, "course_order", 2)

    def seen(facts):
        return [fact for fact in facts if fact["provider"] == world.provider and fact["consent"]]

    assert seen(before[key] for key in before.keys() & after.keys() if before[key] != after[key])
    assert seen(before[key] for key in before.keys() - after.keys())
    assert seen(after[key] for key in after.keys() - before.keys())


def test_damage_grows_for_three_nights_and_is_then_mended(world):
    kinds = [set(world.broken("attendance", night).values()) for night in (1, 2, 3, 4)]
    assert [{"bad-date", "unknown-code"}, SIX - {"broken-syntax"}, SIX, set()] == kinds


def test_a_damage_without_a_field_for_it_is_a_missing_field(world):
    assert Counter(world.broken("company", 3).values()) == {"missing-field": 4, "unknown-field": 1, "broken-syntax": 1}


@pytest.mark.parametrize("schema", sorted(PREFIX))
def test_what_is_damaged_neither_changes_nor_goes(world, schema):
    first, third = by_id(world, schema, 1), by_id(world, schema, 3)
    assert all(first[key] == third[key] for key in world.broken(schema, 3))


def test_every_kind_of_number_is_there(world):
    persons = world.records("person")
    numbers = [person["cpr"] for person in persons]
    assert any(int(number[:2]) > 60 for number in numbers)
    assert any(number[7:9].isalpha() for number in numbers)
    assert any(person["replaced_cpr"] for person in persons)
    assert {"01", "30", "80"} == {person["status"] for person in persons}
    assert any(number.isdigit() and int(number[:2]) <= 31 for number in numbers)


def test_no_number_can_be_a_real_persons(world):
    """Everybody is born between 2037 and 2057."""
    persons = world.records("person", 3)
    numbers = [number for person in persons for number in (person["cpr"], person["replaced_cpr"]) if number]
    for number in numbers:
        assert number[6] in "5678"
        assert 37 <= int(number[4:6]) <= 57
        assert date(2000 + int(number[4:6]), int(number[2:4]), int(number[:2]) % 60) > date(2036, 12, 31)
    assert len(set(numbers)) == len(numbers)


def test_ordinary_numbers_fail_modulus_11(world):
    weights = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
    ordinary = [fact["cpr"] for fact in world.records("person") if fact["cpr"].isdigit() and int(fact["cpr"][:2]) <= 31]
    assert 0 not in {sum(int(d) * w for d, w in zip(cpr, weights, strict=True)) % 11 for cpr in ordinary}


def test_records_of_the_centre_point_at_its_orders_and_their_citizen(world):
    orders = by_id(world, "course_order", 3)
    for schema in ("attendance", "journal_note", "action_plan", "assessment", "placement", "status_note", "meeting"):
        for fact in world.records(schema, 3):
            order = orders[fact["order_id"]]
            assert (world.provider, order["cpr"]) == (order["provider"], fact["cpr"])


def test_a_third_of_the_orders_are_this_centres(world):
    orders = world.records("course_order")
    assert (len(orders), sum(order["provider"] == world.provider for order in orders)) == (200, 67)


def test_attendance_spans_the_night_the_clock_is_set_back(world):
    days = {fact["date"] for fact in world.records("attendance")}
    assert (len(days), min(days) < date(2026, 10, 25) < max(days)) == (20, True)


def test_there_is_what_careless_code_trips_over(world):
    persons, orders = world.records("person"), world.records("course_order")
    assert any(person["address_protected"] for person in persons)
    assert any(person["address"] is None for person in persons)
    assert any(not order["consent"] for order in orders)
    assert Decimal("12.25") in {order["hours_per_week"] for order in orders}
    assert Counter(fact["cpr"] for fact in world.records("activity")).most_common(1)[0][1] > 1
    everything = "".join(fact["text"] for fact in world.records("journal_note"))
    assert all(mark in everything for mark in 'æøå";<&\n')
    assert everything.encode("latin-1")


@pytest.mark.parametrize("citizens", [1, 3, 20])
def test_a_small_world_has_orders_and_reports(citizens):
    small = World("813", citizens=citizens)
    assert citizens == len(small.records("course_order"))
    assert small.records("attendance", 2)
