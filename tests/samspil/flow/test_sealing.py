"""Payloads of a real flow in the store: under whose key they are, and that none opens in another place."""

import pytest
from sqlalchemy import text

from samspil.errors import SamspilError
from samspil.vault import Master, rotation

PLAN = "centre-action_plan-office"
FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))


def rows(pair, query):
    with pair.hub() as hub, hub.store.transaction() as connection:
        return connection.execute(text(query)).all()


def change(pair, statement, **values):
    with pair.hub() as hub, hub.store.transaction() as connection:
        assert connection.execute(text(statement).bindparams(**values)).rowcount


def test_each_person_has_one_key_and_one_row(pair):
    pair.night("a1 x", "b1 y", "c2 z")
    assert 2 == rows(pair, "SELECT count(*) FROM persons WHERE wrapped IS NOT NULL")[0][0]
    assert 2 == len({bytes(person) for (person,) in rows(pair, "SELECT person FROM links")})


def test_unchanged_records_cost_no_look_at_a_persons_key(pair, monkeypatch):
    pair.night("a1 x", "b2 y")

    def find(*_):
        raise AssertionError

    monkeypatch.setattr("samspil.store.persons.find", find)
    assert 2 == pair.night("a1 x", "b2 y").unchanged


def test_a_plan_moved_to_another_row_is_not_sent(pair):
    pair.has("a1 x", "b1 y")
    run = pair.step("plan", PLAN, "night")
    pair.step("guard", run)
    (first, one), (second, two) = rows(pair, "SELECT id, payload FROM outbox ORDER BY id")
    change(pair, "UPDATE outbox SET payload = :p WHERE id = :i", p=bytes(two), i=first)
    change(pair, "UPDATE outbox SET payload = :p WHERE id = :i", p=bytes(one), i=second)
    with pytest.raises(SamspilError) as caught:
        pair.step("deliver", run)
    assert "sealed-payload" == caught.value.reason
    assert {} == pair.office.held


def test_an_older_version_of_the_same_record_does_not_open_in_the_newer_ones_row(pair):
    pair.night("a1 old")
    pair.has("a1 new")
    run = pair.step("plan", PLAN, "second")
    pair.step("guard", run)
    (_, old), (number, _) = rows(pair, "SELECT id, payload FROM outbox ORDER BY id")
    change(pair, "UPDATE outbox SET payload = :p WHERE id = :i", p=bytes(old), i=number)
    with pytest.raises(SamspilError, match="does not open"):
        pair.step("deliver", run)
    assert {"a1": "old"} == pair.office.words


def test_a_quarantined_payload_does_not_open_in_the_outbox_nor_the_other_way(pair):
    pair.office.refuses = {"a1"}
    pair.night("a1 x")
    ((number, key, planned),) = rows(pair, "SELECT id, key, payload FROM outbox")
    ((held,),) = rows(pair, "SELECT payload FROM quarantine")
    with pair.hub() as hub:
        sealing, (entry,) = hub.flow(PLAN).sealing, pair.open()
        with hub.store.transaction() as connection:
            hub.persons.fetch(connection, [entry.person])
        assert sealing.held(entry) == sealing.planned(planned, number, key, entry.person)
        with pytest.raises(SamspilError, match="does not open"):
            sealing.planned(held, number, key, entry.person)
    change(pair, "UPDATE quarantine SET payload = :p", p=bytes(planned))
    with pytest.raises(SamspilError, match="does not open"):
        pair.replay()


def test_a_targets_id_moved_to_another_record_is_not_used(pair):
    pair.night("a1 x", "b1 y")
    change(pair, "UPDATE links SET their_id = (SELECT max(their_id) FROM links)")
    with pytest.raises(SamspilError, match="does not open"):
        pair.night("a1 x2", "b1 y2")
    assert {"a1", "b1"} == set(pair.office.words)


def test_a_record_that_becomes_another_persons_is_updated_deleted_and_its_id_sealed_anew(pair):
    pair.office.silent = True
    pair.has("a1 x")
    pair.night("a1 x")
    pair.centre.rows = [("a1", 2, "x2", "mine")]
    run = pair.step("plan", PLAN, "moved")
    for step in ("guard", "deliver", "reconcile"):
        pair.step(step, run)
    assert {"a1": "x2"} == pair.office.words
    persons = rows(pair, "SELECT l.person = o.person FROM links l JOIN outbox o ON o.id = l.outbox_id")
    assert [(True,)] == [(bool(same),) for (same,) in persons]
    assert 1 == pair.night().deleted
    assert {} == pair.office.held


def test_the_master_key_is_changed_between_the_steps_of_a_run(pair):
    pair.office.refuses = {"b2"}
    pair.night("a1 x", "b2 y")
    pair.has("a1 x2", "b2 y", "c3 z")
    run = pair.step("plan", PLAN, "while it changes")
    pair.master = Master({1: FIRST, 2: SECOND})
    pair.step("guard", run)
    with pair.hub() as hub:
        rotation.rotate(hub, who="a test")
    pair.master = Master({2: SECOND})
    pair.step("deliver", run)
    assert 2 == pair.step("reconcile", run).delivered
    pair.office.refuses = set()
    assert 1 == pair.replay().counts.delivered
    assert {"a1": "x2", "b2": "y", "c3": "z"} == pair.office.words
    assert 3 == pair.night("a1 x2", "b2 y", "c3 z").unchanged


def test_the_master_key_is_changed_while_records_are_on_their_way(pair):
    def before(_batch):
        pair.office.before = lambda _batch: None
        pair.master = Master({1: FIRST, 2: SECOND})
        with pair.hub() as hub:
            rotation.rotate(hub, who="a test")

    pair.office.before = before
    assert 5 == pair.night("a1 x", "b2 y", "c3 z", "d4 v", "e5 w").delivered
    pair.master = Master({2: SECOND})
    assert 5 == pair.night("a1 x", "b2 y", "c3 z", "d4 v", "e5 w").unchanged
