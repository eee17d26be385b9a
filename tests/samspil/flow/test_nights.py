"""A first night, the same night again, and the next one."""

import math

import pytest
from sqlalchemy import text

from samspil import flow as steps
from samspil.errors import GuardTripped, SamspilError, Unavailable
from samspil.flow.replay import replay
from samspil.ledger import verify
from samspil.store import Store, quarantine

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

ORDER = "jobcenter-course_order-journal"
ATTENDANCE = "journal-attendance-jobcenter"


def test_a_first_night_delivers_all_but_the_broken_and_balances(exchange):
    counts = exchange.run(ATTENDANCE, "night 1")
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")
    broken = exchange.world.broken("attendance")
    assert (counts.read, counts.held_back) == (len(exchange.world.records("attendance")), len(broken))
    assert counts.delivered == counts.receipts == counts.creates == counts.read - counts.held_back
    assert sum(counts.reasons.values()) == len(broken)


def test_reading_the_same_again_sends_nothing(exchange):
    exchange.run(ATTENDANCE, "night 1")
    exchange.jobcenter.calls.clear()
    counts = exchange.run(ATTENDANCE, "night 1 again")
    assert (counts.delivered, counts.deleted, counts.receipts) == (0, 0, 0)
    assert counts.unchanged == counts.read - counts.held_back
    assert counts.reasons == {"held-since-earlier": counts.held_back}
    assert exchange.jobcenter.calls == []


def test_the_next_night_moves_only_what_changed(exchange):
    before, after = ({r["id"]: r for r in exchange.world.records("attendance", night)} for night in (1, 2))
    exchange.run(ATTENDANCE, "night 1")
    exchange.to_night(2)
    counts = exchange.run(ATTENDANCE, "night 2")
    good = exchange.expected("attendance", 2)
    healed = exchange.expected("attendance", 1)
    changed = {key for key in good if key not in healed or before[key] != after[key]}
    gone = healed - set(after)
    assert (counts.delivered, counts.deleted) == (len(changed), len(gone))
    assert counts.balances
    still_there = healed & set(exchange.world.broken("attendance", 2))  # held back now, kept as it was
    assert set(exchange.jobcenter.held("attendance")) == good | still_there


def test_orders_for_other_providers_and_without_consent_are_filtered(exchange):
    counts = exchange.run(ORDER, "night 1")
    wanted = {
        record["id"]
        for record in exchange.world.records("course_order")
        if record["provider"] == exchange.world.provider and record["consent"]
    } & exchange.expected("course_order")
    assert set(exchange.journal.held("course_order")) == wanted
    assert counts.filtered == counts.read - counts.delivered - counts.held_back > 0
    again = exchange.run(ORDER, "again")
    assert (again.filtered, again.unchanged) == (counts.filtered, counts.delivered)


def test_what_no_longer_may_be_there_is_taken_back(on_sqlite):
    on_sqlite.run(ORDER, "night 1")
    held = on_sqlite.journal.held("course_order")
    on_sqlite.agree(**{"only: {": "guard: {deletions: 100}\n        only: {target_group: ['2'], "})
    counts = on_sqlite.run(ORDER, "night 2")
    left = on_sqlite.journal.held("course_order")
    assert counts.deleted == len(held) - len(left) > 0
    assert counts.balances


def test_the_same_key_is_the_same_run(on_sqlite):
    with on_sqlite.hub() as hub:
        first = steps.plan(hub, ATTENDANCE, "scheduled 2026-11-22")
        again = steps.plan(hub, ATTENDANCE, "scheduled 2026-11-22")
    assert first == again


@pytest.mark.parametrize("fault", ["status:503", "truncate", "garbage", "timeout"])
def test_a_read_that_fails_halfway_plans_nothing_and_deletes_nothing(on_sqlite, fault):
    on_sqlite.run(ATTENDANCE, "night 1")
    held = on_sqlite.jobcenter.held("attendance")
    on_sqlite.to_night(2)  # some are gone, and may not look so before the read has succeeded
    on_sqlite.accounts["t_journal"].extra["page_size"] = 50
    on_sqlite.journal.faults.add(fault, path="/v1/attendances", after=2, times=math.inf, seconds=0.1)
    with pytest.raises(Unavailable):
        on_sqlite.run(ATTENDANCE, "night 2")
    assert on_sqlite.jobcenter.held("attendance") == held
    on_sqlite.journal.faults.clear()
    assert on_sqlite.run(ATTENDANCE, "night 2").deleted > 0


def test_one_page_that_cannot_be_cut_is_held_back_and_then_nothing_is_deleted(on_sqlite):
    on_sqlite.run(ATTENDANCE, "night 1")
    on_sqlite.to_night(2)
    on_sqlite.accounts["t_journal"].extra["page_size"] = 50
    on_sqlite.journal.faults.add("garbage", path="/v1/attendances", after=1)
    counts = on_sqlite.run(ATTENDANCE, "night 2")
    assert (counts.complete, counts.deleted, counts.balances) == (False, 0, True)
    assert on_sqlite.run(ATTENDANCE, "night 2 again").deleted > 0


def test_an_emptied_source_trips_the_guard_and_a_person_decides(exchange, monkeypatch):
    exchange.run(ATTENDANCE, "night 1")
    held = exchange.jobcenter.held("attendance")
    monkeypatch.setattr(type(exchange.world), "records", lambda *_: [])
    monkeypatch.setattr(type(exchange.world), "broken", lambda *_: {})
    exchange.to_night(9)
    with exchange.hub() as hub:
        run = steps.plan(hub, ATTENDANCE, "night 2")
        for _ in range(2):
            with pytest.raises(GuardTripped, match=f"samspil approve ringkobing {run}"):
                steps.guard(hub, run)
        steps.deliver(hub, run)
        assert exchange.jobcenter.held("attendance") == held
        steps.decide(hub, run, approve=True, who="it", why="the centre closed")
        with pytest.raises(SamspilError, match="does not wait"):
            steps.decide(hub, run, approve=True, who="it", why="again")
        steps.deliver(hub, run)
        counts = steps.reconcile(hub, run)
    assert (exchange.jobcenter.held("attendance"), counts.deleted) == ({}, len(held))


def test_a_plan_nobody_approved_is_dropped_by_the_next_night(on_sqlite, monkeypatch):
    on_sqlite.run(ATTENDANCE, "night 1")
    held = on_sqlite.jobcenter.held("attendance")
    with monkeypatch.context() as patch:
        patch.setattr(type(on_sqlite.world), "records", lambda *_: [])
        patch.setattr(type(on_sqlite.world), "broken", lambda *_: {})
        on_sqlite.to_night(9)
        with pytest.raises(GuardTripped):
            on_sqlite.run(ATTENDANCE, "night 2")
    on_sqlite.to_night(1)
    counts = on_sqlite.run(ATTENDANCE, "night 3")
    assert (counts.deleted, counts.deletions_held_back) == (0, 0)
    assert on_sqlite.jobcenter.held("attendance") == held


def test_only_the_agreements_fields_leave(on_sqlite):
    fields = "id, cpr, given_names, family_name, address_protected, target_group, provider, offer, start"
    on_sqlite.agree(f"{fields}, hours_per_week, consent, ordered_at, goals")
    on_sqlite.run(ORDER, "night 1")
    sent = str(on_sqlite.journal.held("course_order"))
    orders = on_sqlite.world.records("course_order")
    phones = {order["contact_phone"] for order in orders if order.get("contact_phone")}
    streets = {order["address"]["street"] for order in orders if order.get("address")}
    assert phones
    assert streets
    assert [value for value in phones | streets if value in sent] == []


def test_a_protected_address_stays_unless_the_agreement_says_sent(on_sqlite):
    on_sqlite.run(ORDER, "night 1")
    hidden = [
        order
        for order in on_sqlite.world.records("course_order")
        if order["address_protected"] and order["id"] in on_sqlite.expected("course_order") and order.get("address")
    ]
    sent = str(on_sqlite.journal.held("course_order"))
    assert hidden
    assert [order["id"] for order in hidden if order["address"]["street"] in sent] == []


def test_the_store_holds_no_person_in_the_clear(exchange, store_url):
    exchange.run(ATTENDANCE, "night 1")
    exchange.run(ORDER, "night 1")
    numbers = {r["cpr"].encode() for r in exchange.world.records("attendance")}
    store = Store(store_url)
    with store.transaction() as connection:
        for table in ("links", "outbox", "receipts", "quarantine", "ledger", "runs"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                stored = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
                assert not any(number in stored for number in numbers), table
    store.close()


def test_the_ledger_tells_of_each_record_read_and_each_sent(exchange, store_url):
    counts = exchange.run(ATTENDANCE, "night 1")
    with exchange.hub() as hub, hub.store.transaction() as connection:
        entries = verify(connection, "760", hub.vault.signer().public_key())
    assert entries == counts.read + counts.receipts


def test_a_duplicated_key_is_held_back_and_the_rest_goes_on(on_sqlite, monkeypatch):
    real = type(on_sqlite.world).records
    twice = sorted(on_sqlite.expected("attendance"))[3]

    def doubled(world, schema, night=1):
        records = real(world, schema, night)
        return records + [{**r, "hours": r["hours"] + 1} for r in records if r["id"] == twice]

    monkeypatch.setattr(type(on_sqlite.world), "records", doubled)
    counts = on_sqlite.run(ATTENDANCE, "night 1")
    assert counts.reasons["duplicate-key"] == 2
    assert set(on_sqlite.jobcenter.held("attendance")) == on_sqlite.expected("attendance") - {twice}


def test_a_refused_record_holds_back_only_that_persons_later_ones_and_can_be_replayed(exchange):
    persons = {r["id"]: r["cpr"] for r in exchange.world.records("attendance")}
    orders = exchange.jobcenter.register._orders_of(1)
    unknown = {key: orders.pop(key) for key in list(orders) if orders[key] == persons[min(persons)]}
    counts = exchange.run(ATTENDANCE, "night 1")
    missing = exchange.expected("attendance") - set(exchange.jobcenter.held("attendance"))
    assert missing == {key for key in exchange.expected("attendance") if persons[key] == persons[min(persons)]}
    assert counts.reasons["waits-behind-refused"] == len(missing) - 1
    again = exchange.run(ATTENDANCE, "night 1 again")
    assert (again.receipts, again.held_back) == (0, counts.held_back)
    orders.update(unknown)
    with exchange.hub() as hub:
        with hub.store.transaction() as connection:
            entries = [e for e in quarantine.entries(connection, "760") if e.stage == "deliver"]
        done = replay(hub, ATTENDANCE, entries)
    assert (done.counts.delivered, done.counts.held_back) == (len(entries), 0)
    assert set(exchange.jobcenter.held("attendance")) == exchange.expected("attendance")
    assert exchange.run(ATTENDANCE, "night 2").receipts == 0
