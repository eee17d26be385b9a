import datetime as dt
import uuid

import msgspec
import pytest

from connectors.journal_rest import orders
from connectors.journal_rest.connector import JournalRest
from connectors.journal_rest.results import Fault
from samspil.connector import Change
from samspil.errors import Refused, Unavailable
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS

WORLD = World("760", citizens=60)
CourseOrder = SCHEMAS["course_order"]
FIELDS = set(CourseOrder.__struct_fields__)
BATCH = "/v1/course-orders/batch"


@pytest.fixture(scope="module")
def mapping():
    return load(
        "journal_rest",
        "course_order",
        fields=JournalRest.fields("course_order"),
        struct=CourseOrder,
        directions=("to_ours", "to_theirs"),
    )


@pytest.fixture(scope="module")
def records(mapping):
    """The centre's orders in the journal's words."""
    to_theirs = mapping.to_theirs(FIELDS)
    facts = (fact for fact in WORLD.records("course_order") if fact["provider"] == WORLD.provider)
    return [to_theirs(msgspec.convert(fact, CourseOrder)) for fact in facts]


@pytest.fixture
def connector(connect):
    return connect(timeout=1)


def puts(records, their_ids=None):
    ids = their_ids or [None] * len(records)
    return [Change.of("put", record, one, str(uuid.uuid4())) for record, one in zip(records, ids, strict=True)]


def held(records):
    return {record["externalId"]: record for record in records}


def test_orders_are_created_and_each_has_its_receipt(sandbox, connector, records):
    receipts = connector.write("course_order", puts(records))
    assert sandbox.held("course_order") == held(records)
    assert [receipt.refused for receipt in receipts] == [None] * len(records)
    assert len({receipt.their_id for receipt in receipts}) == len({receipt.reference for receipt in receipts}) == 20


def test_what_is_fetched_is_what_was_sent(connector, records, mapping):
    (receipt,) = connector.write("course_order", puts(records[:1]))
    fetched = connector.fetch("course_order", receipt.their_id)
    assert fetched == records[0]
    fact = next(fact for fact in WORLD.records("course_order") if fact["id"] == records[0]["externalId"])
    assert mapping.to_ours(fetched) == msgspec.convert(fact, CourseOrder)


def test_what_it_does_not_have_is_fetched_as_none(connector):
    assert connector.fetch("course_order", "J/../secret?x=1") is None


def test_orders_are_replaced_by_their_id(sandbox, connector, records):
    ids = [receipt.their_id for receipt in connector.write("course_order", puts(records[:2]))]
    changed = [{**record, "weeklyHours": 3} for record in records[:2]]
    receipts = connector.write("course_order", puts(changed, ids))
    assert [receipt.their_id for receipt in receipts] == ids
    assert sandbox.held("course_order") == held(changed)


def test_the_same_batch_again_changes_nothing_and_is_answered_the_same(sandbox, connector, records):
    batch = puts(records[:3])
    first = connector.write("course_order", batch)
    assert connector.write("course_order", batch) == first
    assert sandbox.held("course_order") == held(records[:3])


def test_a_key_used_for_something_else_is_refused(connector, records):
    (change,) = puts(records[:1])
    connector.write("course_order", [change])
    (receipt,) = connector.write(
        "course_order", [change._replace(raw=msgspec.json.encode({**records[0], "weeklyHours": 1}))]
    )
    assert receipt.refused.reason == "idempotency-key-reused"


def test_an_order_that_is_there_already_is_refused(connector, records):
    connector.write("course_order", puts(records[:1]))
    (receipt,) = connector.write("course_order", puts(records[:1]))
    assert (receipt.refused.reason, receipt.refused.field) == ("already-exists", "externalId")


def test_an_id_it_does_not_know_is_refused(connector, records):
    (receipt,) = connector.write("course_order", puts(records[:1], ["J99999999"]))
    assert receipt.refused.reason == "not-found"


def test_what_is_wrong_is_refused_by_itself_and_the_rest_is_taken(sandbox, connector, records):
    bad = [
        {**records[1], "targetGroup": "9.9"},
        {**records[2], "weeklyHours": 60},
        {**records[3], "citizen": {**records[3]["citizen"], "cprNumber": "61014055"}},
        {**records[4], "surprise": 1},
        {name: value for name, value in records[5].items() if name != "offerTitle"},
        {**records[6], "goals": [{"goalId": "", "title": "x", "subGoals": []}]},
        {**records[7], "startDate": "2026-10-05"},
        {**records[8], "consentGiven": "ja"},
        {**records[9], "startDate": "2026-10-05T22:00:00Z", "endDate": "2025-10-05T22:00:00Z"},
    ]
    receipts = connector.write("course_order", puts([records[0], *bad, records[10]]))
    assert [(one.refused.reason, one.refused.field) if one.refused else None for one in receipts] == [
        None,
        ("unknown-code", "targetGroup"),
        ("out-of-range", "weeklyHours"),
        ("bad-cpr", "citizen.cprNumber"),
        ("unknown-field", ""),
        ("missing-field", "offerTitle"),
        ("too-long", "goals[].goalId"),
        ("bad-date", "startDate"),
        ("bad-type", "consentGiven"),
        ("out-of-range", "endDate"),
        None,
    ]
    assert sandbox.held("course_order") == held([records[0], records[10]])


def test_a_refusal_never_holds_a_value(connector, records):
    (receipt,) = connector.write("course_order", puts([{**records[0], "offerTitle": "x" * 201, "caseWorker": "Åse"}]))
    assert str(receipt.refused) == "too-long: offerTitle"


def test_deletions_and_orders_keep_their_order(sandbox, connector, records):
    (receipt,) = connector.write("course_order", puts(records[:1]))
    delete = Change.of("delete", records[0], receipt.their_id, str(uuid.uuid4()))
    batch = [*puts(records[1:2]), delete, *puts(records[:1])]
    receipts = connector.write("course_order", batch)
    assert [one.refused for one in receipts] == [None, None, None]
    assert sandbox.held("course_order") == held(records[:2])
    assert sandbox.calls[-3:] == [f"POST {BATCH}", f"DELETE /v1/course-orders/{receipt.their_id}", f"POST {BATCH}"]


def test_deleting_twice_is_as_good_as_once(sandbox, connector, records):
    (receipt,) = connector.write("course_order", puts(records[:1]))
    delete = Change.of("delete", records[0], receipt.their_id, str(uuid.uuid4()))
    assert [connector.write("course_order", [delete])[0].refused for _ in range(2)] == [None, None]
    assert sandbox.held("course_order") == {}


def test_what_was_never_created_cannot_be_deleted(sandbox, connector, records):
    (receipt,) = connector.write("course_order", [Change.of("delete", records[0], None, str(uuid.uuid4()))])
    assert receipt.refused.reason == "no-id"
    assert sandbox.calls == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("status:503", "status-503"),
        ("status:500", "status-500"),
        ("status:413", "status-413"),
        ("truncate", "answer-truncated"),
        ("garbage", "answer-incomplete"),
        ("fault-with-200", "answer-incomplete"),
        ("half-batch", "answer-incomplete"),
        ("lost-answer", "closed"),
        ("timeout", "timeout"),
    ],
)
def test_an_unknown_outcome_is_unavailable_and_the_resend_doubles_nothing(sandbox, connector, records, fault, reason):
    batch = puts(records[:4])
    sandbox.faults.add(fault, path=BATCH)
    with pytest.raises(Unavailable) as caught:
        connector.write("course_order", batch)
    assert caught.value.reason == reason
    receipts = connector.write("course_order", batch)
    assert [receipt.refused for receipt in receipts] == [None] * 4
    assert sandbox.held("course_order") == held(records[:4])


def test_a_lost_answer_is_got_over_at_once_with_the_same_keys(sandbox, records):
    connector = JournalRest(sandbox.account)
    sandbox.faults.add("lost-answer", path=BATCH)
    receipts = connector.write("course_order", puts(records[:2]))
    assert [receipt.refused for receipt in receipts] == [None, None]
    assert sandbox.held("course_order") == held(records[:2])
    connector.close()


def test_name_and_address_can_stay_behind(sandbox, connector, mapping):
    fact = next(fact for fact in WORLD.records("course_order") if fact["address_protected"])
    order = mapping.to_theirs(FIELDS, protected=True)(msgspec.convert(fact, CourseOrder))
    (receipt,) = connector.write("course_order", puts([order]))
    assert receipt.refused is None
    sent = msgspec.json.encode(sandbox.held("course_order")[fact["id"]]).decode()
    assert fact["family_name"] not in sent
    assert fact["address"]["street"] not in sent


def test_a_day_is_local_midnight_in_utc_on_both_sides_of_the_clock_change(mapping):
    order = msgspec.convert(WORLD.records("course_order")[0], CourseOrder)
    to_theirs = mapping.to_theirs(FIELDS)
    days = [dt.date(2026, 10, 24), dt.date(2026, 10, 25), dt.date(2026, 10, 26), dt.date(2026, 3, 30)]
    sent = [to_theirs(msgspec.structs.replace(order, start=day, end=None))["startDate"] for day in days]
    assert sent == ["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-03-29T22:00:00Z"]


def test_the_sandbox_checks_exactly_the_fields_of_the_contract():
    assert checked(orders.CourseOrder, "") == {
        path: field.required for path, field in JournalRest.fields("course_order").items()
    }


def checked(struct, at):
    """Dotted path → required, of the sandbox's structs."""
    found = {}
    for field in msgspec.inspect.type_info(struct).fields:
        path = f"{at}.{field.encode_name}" if at else field.encode_name
        kinds = getattr(field.type, "types", [field.type])
        inner = next((kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)), None)
        for kind in kinds:
            if isinstance(kind, msgspec.inspect.ListType):
                path, inner = f"{path}[]", kind.item_type
        found[path] = field.required
        if inner is not None:
            found |= checked(inner.cls, path)
    return found


def test_a_fault_it_does_not_know_shows_no_more_than_its_status():
    from connectors.journal_rest.results import Result, receipt

    refused = receipt(Result("k", 422, errors=[Fault("Ukendt: Åse Jensen", "citizen.Åse")])).refused
    assert (type(refused), str(refused)) == (Refused, "status-422")
