"""What the connector delivers: a receipt per record, nothing lost, nothing doubled."""

from __future__ import annotations

import math
import uuid

import msgspec
import pytest

from connectors.jobcenter import delivery
from connectors.jobcenter.connector import Jobcenter
from connectors.jobcenter.contract import READS, RECORDS
from samspil.connector import Change
from samspil.errors import Unavailable
from samspil.mapping import load
from schemas import SCHEMAS

WRITTEN = [schema for schema in RECORDS if schema not in READS]


@pytest.fixture(scope="module")
def attendance(world):
    """Attendance in the jobcenter's words, by key."""
    return records(world, "attendance")


def records(world, schema):
    mapping = load("jobcenter", schema, fields=Jobcenter.fields(schema), struct=SCHEMAS[schema])
    facts = world.records(schema)
    write = mapping.to_theirs(facts[0].keys())
    return [write(msgspec.convert(fact, SCHEMAS[schema])) for fact in facts]


def put(record, their_id=None, key=None):
    return Change.of("put", record, their_id, key or str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("code", "field", "shown"),
    [
        ("UKENDT_BESTILLING", "BestillingId", ("rejected-ukendt-bestilling", "BestillingId")),
        ("010190-1234", "CPRnummer 0101901234", ("rejected-unknown", "")),
        ("0101901234", "Anna Hansen", ("rejected-unknown", "")),
        ("Anna Hansen findes ikke", "Hansen", ("rejected-unknown", "")),
        (None, None, ("rejected-ukendt", "")),
    ],
)
def test_their_text_goes_no_further_than_our_own_names(code, field, shown):
    answer = {"Transport": "OK", "Forretning": "AFVIST", "Fejlkode": code, "Felt": field, "Registreringsnummer": None}
    refused = delivery.receipt("attendance", answer).refused
    assert (refused.reason, refused.field) == shown


@pytest.mark.parametrize("schema", WRITTEN)
def test_what_is_written_is_held_and_reads_back(world, sandbox, jobcenter, schema):
    wanted = records(world, schema)[:50]
    receipts = jobcenter.write(schema, [put(record) for record in wanted])
    assert [None] * len(wanted) == [receipt.refused for receipt in receipts]
    key = f"{RECORDS[schema]}Id"
    assert {record[key]: record for record in wanted} == sandbox.held(schema)
    for record, given in zip(wanted, receipts, strict=True):
        assert record == jobcenter.fetch(schema, given.their_id)


def test_the_same_batch_twice_changes_nothing(sandbox, jobcenter, attendance):
    batch = [put(record) for record in attendance[:10]]
    first, second = jobcenter.write("attendance", batch), jobcenter.write("attendance", batch)
    assert first == second
    assert 10 == len(sandbox.held("attendance"))


def test_an_update_and_a_deletion(sandbox, jobcenter, attendance):
    record = attendance[0]
    (created,) = jobcenter.write("attendance", [put(record)])
    changed = {**record, "Timer": "1.50"}
    (updated,) = jobcenter.write("attendance", [put(changed, created.their_id)])
    assert created.their_id == updated.their_id
    assert {record["FremmoedeId"]: changed} == sandbox.held("attendance")
    (deleted,) = jobcenter.write("attendance", [Change.of("delete", changed, created.their_id, str(uuid.uuid4()))])
    assert deleted.refused is None
    assert {} == sandbox.held("attendance")
    assert jobcenter.fetch("attendance", created.their_id) is None


def test_each_record_has_a_receipt_of_its_own(sandbox, jobcenter, attendance):
    good, other = attendance[0], attendance[1]
    batch = [
        put(good),
        put({**other, "BestillingId": "findes-ikke"}),
        put(
            {
                **other,
                "CPRnummer": next(one["CPRnummer"] for one in attendance if one["CPRnummer"] != other["CPRnummer"]),
            }
        ),
        put({**other, "Status": "UKENDT"}),
        put({**other, "Timer": "60.00"}),
        put({**other, "Kilde": "a\x00"}),
        put({**other, "Ukendt": "x"}),
        put({name: value for name, value in other.items() if name != "Dato"}),
        put(other, "RFR-andet"),
        put(other),
    ]
    receipts = jobcenter.write("attendance", batch)
    expected = [
        None,
        ("rejected-ukendt-bestilling", "BestillingId"),
        ("rejected-anden-borger", "CPRnummer"),
        ("unknown-code", "Status"),
        ("out-of-range", "Timer"),
        ("bad-character", "Kilde"),
        ("unknown-field", "Ukendt"),
        ("missing-field", "Dato"),
        ("rejected-ukendt-registrering", "Registreringsnummer"),
        None,
    ]
    assert expected == [one.refused and (one.refused.reason, one.refused.field) for one in receipts]
    assert {good["FremmoedeId"], other["FremmoedeId"]} == sandbox.held("attendance").keys()


@pytest.mark.parametrize(
    "fault", ["half-batch", "failed-batch", "lost-answer", "status:503", "fault-with-200", "truncate"]
)
def test_a_fault_on_the_way_loses_and_doubles_nothing(sandbox, jobcenter, attendance, fault):
    sandbox.faults.add(fault)
    batch = [put(record) for record in attendance[:9]]
    receipts = jobcenter.write("attendance", batch)
    assert [None] * 9 == [receipt.refused for receipt in receipts]
    assert {record["FremmoedeId"]: record for record in attendance[:9]} == sandbox.held("attendance")
    assert receipts == jobcenter.write("attendance", batch)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("lost-answer", "closed"),
        ("garbage", "xml-malformed"),
        ("truncate", "answer-truncated"),
        ("status:500", "xml-malformed"),
        ("fault-with-200", "fault-optaget"),
        ("business-error", "fault-50"),
    ],
)
def test_an_outcome_that_stays_unknown_is_unavailable(sandbox, jobcenter, attendance, fault, reason):
    sandbox.faults.add(fault, times=math.inf)
    with pytest.raises(Unavailable) as caught:
        jobcenter.write("attendance", [put(attendance[0])])
    assert reason == caught.value.reason


def test_a_batch_whose_half_never_gets_a_receipt_is_unavailable(sandbox, connect, attendance):
    sandbox.faults.add("failed-batch", times=math.inf)
    batch = [put(record) for record in attendance[:8]]
    with pytest.raises(Unavailable) as caught:
        connect(attempts=1).write("attendance", batch)
    assert "receipt-missing" == caught.value.reason
    sandbox.faults.clear()
    receipts = connect().write("attendance", batch)  # the next run, with the same keys
    assert [None] * 8 == [receipt.refused for receipt in receipts]
    assert 8 == len(sandbox.held("attendance"))


def test_a_batch_refused_whole_costs_only_the_record_that_is_at_fault(sandbox, jobcenter, attendance, monkeypatch):
    from connectors.jobcenter import delivery

    monkeypatch.setattr(delivery.record_type("attendance"), "check", lambda raws: [None] * len(raws))
    batch = [put(record) for record in attendance[:7]]
    batch[4] = put({**attendance[4], "Timer": "60.00"})
    receipts = jobcenter.write("attendance", batch)
    assert [None] * 4 + ["fault-skema"] + [None] * 2 == [one.refused and one.refused.reason for one in receipts]
    assert 6 == len(sandbox.held("attendance"))


def test_an_empty_batch_makes_no_call(sandbox, jobcenter):
    assert [] == jobcenter.write("attendance", [])
    assert [] == sandbox.calls


def test_what_it_does_not_write_is_not_written(jobcenter):
    with pytest.raises(NotImplementedError):
        jobcenter.write("course_order", [])
