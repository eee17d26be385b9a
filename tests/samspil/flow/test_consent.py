"""A consent withdrawn stops the next run, in every flow of the agreement that depends on it; given again, all flows."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from samspil import flow as steps
from samspil.errors import SettingsError
from samspil.flow.replay import replay
from samspil.ledger import verify
from samspil.store import Store, quarantine
from samspil.store.tables import links

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

ORDER, ATTENDANCE = "jobcenter-course_order-journal", "journal-attendance-jobcenter"
OPEN = {"rhythm: nightly": "rhythm: nightly\n        guard: {changes: 100, deletions: 100}"}
STRICT = {**OPEN, "purpose: follow": "consent: {schema: course_order}\n    purpose: follow"}


class Citizens:
    """The exchange's citizens, whose consent can be changed at the source."""

    def __init__(self, exchange, monkeypatch):
        self.exchange, self.refused, self.night = exchange, set(), 1
        records = exchange.world.records

        def changed(schema, night=1):
            found = records(schema, 1)
            if schema != "course_order":
                return found
            return [{**fact, "consent": fact["cpr"] not in self.refused} for fact in found]

        monkeypatch.setattr(exchange.world, "records", changed)
        monkeypatch.setattr(exchange.world, "broken", lambda *_: {})

    def run(self, *refused: str):
        """A night on which these refuse; the counts of both flows."""
        self.refused, self.night = set(refused), self.night + 1
        self.exchange.to_night(self.night)
        return [self.exchange.run(flow, f"night {self.night}") for flow in (ORDER, ATTENDANCE)]

    def of(self, person: str) -> tuple[set[str], set[str]]:
        """Ids of the person's orders at the journal and attendances at the jobcenter."""
        found = []
        for system, schema in ((self.exchange.journal, "course_order"), (self.exchange.jobcenter, "attendance")):
            mine = {fact["id"] for fact in self.exchange.world.records(schema) if fact["cpr"] == person}
            found.append(mine & set(system.held(schema)))
        return found[0], found[1]

    def attending(self) -> list[str]:
        """Persons with an order here and attendances."""
        orders = [
            o for o in self.exchange.world.records("course_order") if o["provider"] == self.exchange.world.provider
        ]
        there = {fact["cpr"] for fact in self.exchange.world.records("attendance")}
        return sorted(there & {order["cpr"] for order in orders})


@pytest.fixture
def citizens(exchange, monkeypatch):
    return Citizens(exchange, monkeypatch)


@pytest.mark.parametrize("agreed", [OPEN, STRICT], ids=["found", "said"])
def test_a_withdrawn_consent_takes_everything_of_that_person_back_and_given_again_it_flows(citizens, agreed):
    citizens.exchange.agree(**agreed)
    citizens.run()
    one, other = citizens.attending()[:2]
    before, others = citizens.of(one), citizens.of(other)
    assert all(before)
    assert all(others)
    orders, attendances = citizens.run(one)
    assert (orders.deleted, attendances.deleted) == tuple(map(len, before))
    assert (attendances.delivered, attendances.filtered) == (0, len(before[1]))
    assert attendances.unchanged == attendances.read - attendances.filtered
    assert orders.balances
    assert attendances.balances
    assert citizens.of(one) == (set(), set())
    assert citizens.of(other) == others
    assert (attendances.withheld, orders.withheld) == (len(before[1]), 0)  # the orders say so themselves
    orders, attendances = citizens.run(one)
    assert (orders.receipts, attendances.receipts, attendances.filtered) == (0, 0, len(before[1]))
    assert attendances.withheld == len(before[1])
    orders, attendances = citizens.run()
    assert (orders.delivered, attendances.delivered) == tuple(map(len, before))
    assert citizens.of(one) == before
    orders, attendances = citizens.run()
    assert (orders.receipts, attendances.receipts, attendances.withheld) == (0, 0, 0)
    with citizens.exchange.hub() as hub, hub.store.transaction() as connection:
        assert verify(connection, "760", hub.vault.signer().public_key()) > 0


def test_a_consent_never_given_keeps_records_back_where_the_agreement_asks_for_it(citizens):
    citizens.exchange.agree(**STRICT)
    one = citizens.attending()[0]
    orders, attendances = citizens.run(one)
    assert citizens.of(one) == (set(), set())
    assert orders.balances
    assert attendances.balances
    _, attendances = citizens.run()
    assert attendances.delivered == len(citizens.of(one)[1]) > 0


def test_nothing_passes_before_the_consents_are_known(citizens):
    citizens.exchange.agree(**STRICT)
    counts = citizens.exchange.run(ATTENDANCE, "too early")
    assert (counts.delivered, counts.filtered) == (0, counts.read)
    citizens.run()
    assert all(citizens.of(citizens.attending()[0]))


def test_only_listed_fields_stay_where_the_agreement_says_so(citizens):
    fields = "consent: {schema: course_order, without: [activity_id]}"
    citizens.exchange.agree(**{**STRICT, "purpose: follow": f"{fields}\n    purpose: follow"})
    one, other = citizens.attending()[:2]
    citizens.run()
    _, mine = citizens.of(one)

    def shown(person):
        held = citizens.exchange.jobcenter.held("attendance")
        return {held[key].get("AktivitetId") for key in citizens.of(person)[1]}

    assert None not in shown(one)
    _, counts = citizens.run(one)
    assert (counts.updates, counts.deleted, counts.filtered, counts.withheld) == (len(mine), 0, 0, 0)
    assert shown(one) == {None}
    assert None not in shown(other)
    citizens.run()
    assert None not in shown(one)


def test_what_was_planned_before_the_withdrawal_is_not_sent_after_it(citizens):
    exchange = citizens.exchange
    exchange.agree(**STRICT)
    exchange.run(ORDER, "orders")
    with exchange.hub() as hub:
        run = steps.plan(hub, ATTENDANCE, "planned")
        steps.guard(hub, run)
    one, other = citizens.attending()[:2]
    citizens.refused = {one}
    exchange.to_night(2)
    exchange.run(ORDER, "orders again")
    with exchange.hub() as hub:
        steps.deliver(hub, run)
        assert steps.reconcile(hub, run).balances
    assert (citizens.of(one)[1], bool(citizens.of(other)[1])) == (set(), True)
    _, counts = citizens.run(one)
    assert (counts.delivered, citizens.of(one)[1]) == (0, set())
    citizens.run()
    assert citizens.of(one)[1]


def test_only_records_of_persons_whose_consent_changed_are_looked_at_again(citizens, monkeypatch):
    exchange = citizens.exchange
    exchange.agree(**STRICT)
    citizens.run()
    one = citizens.attending()[0]
    citizens.refused = {one}
    exchange.to_night(9)
    exchange.run(ORDER, "orders again")
    decoded = []
    with exchange.hub() as hub:
        before = hub.flow(ATTENDANCE).map
        monkeypatch.setattr(hub.flow(ATTENDANCE), "map", lambda raws: decoded.extend(raws) or before(raws))
        steps.plan(hub, ATTENDANCE, "again")
    assert len(decoded) == len(citizens.of(one)[1]) > 0


def test_the_register_holds_no_number_of_a_person(citizens, store_url):
    citizens.exchange.agree(**STRICT)
    citizens.run(citizens.attending()[0])
    store = Store(store_url)
    with store.transaction() as connection:
        rows = [
            *connection.exec_driver_sql("SELECT * FROM consents"),
            *connection.exec_driver_sql("SELECT * FROM withheld"),
        ]
        assert connection.execute(select(links)).first()
    store.close()
    held = b"".join(bytes(value) for row in rows for value in row if isinstance(value, bytes | memoryview))
    assert held
    for fact in citizens.exchange.world.records("course_order"):
        assert fact["cpr"].encode() not in held
        assert fact["id"].encode() not in held


def test_a_field_that_the_target_requires_cannot_be_the_only_thing_kept_back(on_sqlite):
    fields = "consent: {schema: course_order, without: [status]}"
    on_sqlite.agree(**{**OPEN, "purpose: follow": f"{fields}\n    purpose: follow"})
    with on_sqlite.hub() as hub, pytest.raises(SettingsError, match="write record") as caught:
        hub.flow(ATTENDANCE)
    assert caught.value.file == str(on_sqlite.file)
    assert on_sqlite.file.read_text().splitlines()[caught.value.line - 1].strip().startswith("consent:")


@pytest.mark.parametrize("agreed", [OPEN, STRICT], ids=["found", "said"])
def test_what_the_target_refused_is_not_replayed_after_the_consent_was_withdrawn(citizens, agreed):
    exchange = citizens.exchange
    exchange.agree(**agreed)
    one = citizens.attending()[0]
    register = exchange.jobcenter.register
    orders = register._orders_of(2)
    register._orders[2] = {key: who for key, who in orders.items() if who != one}
    citizens.run()
    register._orders[2] = orders
    refused = held_back(exchange)
    assert (len(refused), citizens.of(one)[1]) == (1, set())
    citizens.run(one)
    with exchange.hub() as hub:
        done = replay(hub, ATTENDANCE, held_back(exchange) or refused)
    assert citizens.of(one) == (set(), set())
    assert [why.reason for _, why in done.staying] == ["settled-meanwhile"]
    citizens.run()
    assert all(citizens.of(one))


def held_back(exchange):
    """What the jobcenter refused."""
    with exchange.hub() as hub, hub.store.transaction() as connection:
        return [entry for entry in quarantine.entries(connection, "760", flow=ATTENDANCE) if entry.stage == "deliver"]


def test_a_withdrawal_under_a_new_number_takes_back_what_still_has_the_old_one(citizens, monkeypatch):
    """The jobcenter knows a person's new number at once; the centre's records keep the old one for a while."""
    exchange = citizens.exchange
    exchange.agree(**OPEN)
    one, records = citizens.attending()[0], exchange.world.records
    mine = {fact["id"]: one for fact in records("course_order") if fact["cpr"] == one}
    new = next(fact["cpr"] for fact in records("course_order") if fact["cpr"] not in citizens.attending())

    def renumbered(schema, night=1):
        return [{**fact, "cpr": new} if fact["id"] in mine else fact for fact in records(schema, night)]

    def refused(schema, night=1):
        return [{**fact, "consent": False} if fact["id"] in mine else fact for fact in renumbered(schema, night)]

    citizens.run()
    there = citizens.of(one)[1]
    orders = exchange.jobcenter.register._orders_of(2)
    monkeypatch.setattr(exchange.jobcenter.register, "_orders_of", lambda _: {**orders, **mine})
    for changed, left in ((renumbered, there), (refused, set())):
        monkeypatch.setattr(exchange.world, "records", changed)
        citizens.run()
        assert citizens.of(one)[1] == left
    assert there
