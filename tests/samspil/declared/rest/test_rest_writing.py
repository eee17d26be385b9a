import json
import math
import uuid

import pytest

from samspil.connector import Change, Receipt, Writes
from samspil.errors import AccessError, Unavailable

WRITE = "schemas.meeting.write"
ONE = {"id": "A1", "cpr": "0101900000", "kind": "start", "heldAt": "2026-05-01T10:00:00+02:00", "minutes": "Æblegård"}

STYLES = {
    "header": {},
    "field": {
        f"{WRITE}.create": "POST /v1/keyed",
        f"{WRITE}.update": "PUT /v1/keyed/{id}",
        f"{WRITE}.key": {"field": "requestId"},
    },
    "wrapped": {
        f"{WRITE}.create": "POST /v1/wrapped",
        f"{WRITE}.update": "PUT /v1/wrapped/{id}",
        f"{WRITE}.key": {"field": "requestId"},
        f"{WRITE}.within": "meeting",
    },
    "own id": {f"{WRITE}.create": "PUT /v1/meetings/{id}", f"{WRITE}.key": None},
    "batch": {
        f"{WRITE}.create": None,
        f"{WRITE}.update": None,
        f"{WRITE}.key": None,
        f"{WRITE}.batch": 3,
        f"{WRITE}.put": {
            "call": "POST /v1/meetings/batch",
            "each": "items",
            "key": "key",
            "id": "id",
            "within": "meeting",
        },
        f"{WRITE}.receipt.each": "results",
        f"{WRITE}.receipt.key": "key",
        f"{WRITE}.receipt.status": "status",
    },
}


def put(record, their_id=None, key=None):
    return Change.of("put", record, their_id, key or str(uuid.uuid4()))


def delete(their_id, record=ONE):
    return Change.of("delete", record, their_id, str(uuid.uuid4()))


def reasons(receipts):
    return [receipt.refused and str(receipt.refused) for receipt in receipts]


@pytest.fixture(params=STYLES)
def small(request, system):
    return system(**STYLES[request.param])


def test_what_is_written_is_read_back_as_it_was_sent(small):
    connector = small.connect()
    (made,) = connector.write("meeting", [put(ONE)])
    assert (None, True) == (made.refused, made.reference.startswith("KV-"))
    assert ONE == connector.fetch("meeting", made.their_id)
    other = {**ONE, "kind": "status", "minutes": None}
    (again,) = connector.write("meeting", [put(other, made.their_id)])
    assert (made.their_id, None) == (again.their_id, again.refused)
    assert other == connector.fetch("meeting", made.their_id)
    assert [None, None] == reasons(connector.write("meeting", [delete(made.their_id), delete(made.their_id)]))
    assert (None, {}) == (connector.fetch("meeting", made.their_id), small.sandbox.held("meeting"))


def test_the_same_change_again_does_nothing_and_is_answered_the_same(small):
    connector, change = small.connect(), put(ONE)
    small.sandbox.faults.add("lost-answer", path="/v1/")
    with pytest.raises(Unavailable):
        connector.write("meeting", [change])
    first, second = connector.write("meeting", [change]), connector.write("meeting", [change])
    assert (first[0].their_id, []) == (second[0].their_id, small.sandbox.doubled("meeting"))


def test_a_record_that_is_wrong_is_refused_and_the_others_go_on(small):
    records = [ONE, {**ONE, "id": "A2", "kind": "ZZ"}, {**ONE, "id": "A3"}]
    receipts = small.connect().write("meeting", [put(record) for record in records])
    assert [None, "status-422: kind", None] == reasons(receipts)
    assert {"A1", "A3"} == set(small.sandbox.held("meeting"))


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"cpr": None}, "missing-field: cpr"),
        ({"colour": "red"}, "unknown-field"),
        ({"changedAt": "2026-05-01T10:00:00Z"}, "unknown-field: changedAt"),
        ({"heldAt": "2026-02-30T10:00:00Z"}, "status-422: heldAt"),
        ({"minutes": 7}, "status-422: minutes"),
    ],
)
def test_a_refusal_has_our_reason_and_a_field_of_the_contract_only(system, wrong, refusal):
    record = {name: value for name, value in {**ONE, **wrong}.items() if value is not None}
    assert [refusal] == reasons(system().connect().write("meeting", [put(record)]))


def test_a_key_used_for_something_else_is_refused(system):
    connector, key = system().connect(), str(uuid.uuid4())
    receipts = connector.write("meeting", [put(ONE, key=key), put({**ONE, "id": "A2"}, key=key)])
    assert [None, "status-409"] == reasons(receipts)


def test_two_records_of_one_key_are_one_too_many(system):
    assert [None, "already-exists: id"] == reasons(system().connect().write("meeting", [put(ONE), put(ONE)]))


def test_an_update_of_what_is_not_there_is_refused(system):
    assert ["status-404"] == reasons(system().connect().write("meeting", [put(ONE, "M404")]))


@pytest.mark.parametrize("their_id", ["..", ".", ""])
def test_an_id_that_would_change_the_address_is_refused_before_any_call(system, their_id):
    small = system()
    receipts = small.connect().write("meeting", [put(ONE, their_id), delete(their_id)])
    assert (["bad-id"] * 2, []) == ([receipt.refused.reason for receipt in receipts], small.sandbox.calls)


def test_a_delete_of_what_was_never_created_is_refused(system):
    assert ["no-id: it was never created there"] == reasons(system().connect().write("meeting", [delete(None)]))


def test_a_record_without_the_id_in_its_path_is_refused(system):
    record = {name: value for name, value in ONE.items() if name != "id"}
    receipts = system(**STYLES["own id"]).connect().write("meeting", [put(record)])
    assert ["bad-id"] == [receipt.refused.reason for receipt in receipts]


def test_a_put_under_its_own_id_replaces(system):
    connector = system(**STYLES["own id"]).connect()
    assert ["A1", "A1"] == [receipt.their_id for receipt in connector.write("meeting", [put(ONE), put(ONE)])]


def test_what_a_target_promises_is_in_its_writes(system):
    made = {name: system(**changes).connector.writes["meeting"] for name, changes in STYLES.items()}
    assert made["header"] == Writes("Meeting", batch=100, deletes=True, idempotency="key")
    assert made["own id"] == Writes("Meeting", batch=100, deletes=True, idempotency="id")
    assert made["batch"] == Writes("Meeting", batch=3, deletes=True, idempotency="key")
    assert not system(**{f"{WRITE}.delete": None}).connector.writes["meeting"].deletes


def answer(small, body, status=200):
    small.sandbox.faults.add(f"answer:{status}", path="/v1/", body=json.dumps(body).encode())


def test_a_known_code_inside_status_200_refuses_the_record(system):
    small = system()
    answer(small, {"problem": {"code": "E3", "field": "id"}})
    assert ["already-exists: id"] == reasons(small.connect().write("meeting", [put(ONE)]))


def test_another_code_inside_status_200_is_a_sick_system(system):
    small = system()
    small.sandbox.faults.add("fault-with-200", path="/v1/meetings")
    with pytest.raises(Unavailable) as caught:
        small.connect().write("meeting", [put(ONE)])
    assert "business-error" == caught.value.reason
    assert "E5001" not in str(caught.value)


def test_a_code_that_means_success_is_none(system):
    small = system(**{f"{WRITE}.receipt.passed": ["20"]})
    answer(small, {"number": 7, "receipt": "K", "problem": {"code": 20}})
    assert [Receipt("7", "K")] == small.connect().write("meeting", [put(ONE)])


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"[]", b'{"number":""}', b'{"number":true}'])
def test_a_created_record_without_an_id_settles_nothing(system, body):
    small = system()
    small.sandbox.faults.add("answer:201", path="/v1/", body=body)
    with pytest.raises(Unavailable) as caught:
        small.connect().write("meeting", [put(ONE)])
    assert "answer-invalid" == caught.value.reason


def test_an_update_may_be_answered_with_nothing(system):
    small = system()
    small.sandbox.faults.add("answer:204", path="/v1/")
    assert [Receipt("M1")] == small.connect().write("meeting", [put(ONE, "M1")])


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_whose_body_is_none_is_a_refusal(system, status):
    small = system()
    small.sandbox.faults.add(f"answer:{status}", path="/v1/", body=b"<html>")
    assert [f"status-{status}"] == reasons(small.connect().write("meeting", [put(ONE)]))


def test_the_statuses_that_refuse_are_the_declarations(system):
    small = system(**{f"{WRITE}.receipt.refused": [412]})
    answer(small, {}, 412)
    assert ["status-412"] == reasons(small.connect().write("meeting", [put(ONE)]))
    answer(small, {}, 422)
    with pytest.raises(Unavailable) as caught:
        small.connect().write("meeting", [put(ONE)])
    assert "status-422" == caught.value.reason


@pytest.mark.parametrize(("status", "kind"), [(403, AccessError), (503, Unavailable), (429, Unavailable)])
def test_what_is_about_no_record_is_raised(small, status, kind):
    small.sandbox.faults.add(f"status:{status}", path="/v1/", times=math.inf)
    with pytest.raises(kind):
        small.connect().write("meeting", [put(ONE)])


def test_a_batch_is_one_call_with_deletes_in_between(system):
    small = system(**STYLES["batch"])
    connector = small.connect()
    first = connector.write("meeting", [put({**ONE, "id": key}) for key in "ABC"])
    small.sandbox.calls.clear()
    batch = [
        put({**ONE, "id": "D"}),
        delete(first[0].their_id),
        put({**ONE, "kind": "status", "id": "B"}, first[1].their_id),
    ]
    assert [None] * 3 == reasons(connector.write("meeting", batch))
    assert ["POST", "DELETE", "POST"] == [call.split()[0] for call in small.sandbox.calls]
    assert {"B", "C", "D"} == set(small.sandbox.held("meeting"))


@pytest.mark.parametrize("body", [{}, {"results": []}, {"results": [{"key": "another", "status": 200}]}, []])
def test_a_batch_of_which_something_is_left_unsaid_settles_nothing(system, body):
    small = system(**STYLES["batch"])
    answer(small, body)
    with pytest.raises(Unavailable) as caught:
        small.connect().write("meeting", [put(ONE)])
    assert "answer-incomplete" == caught.value.reason


def test_half_a_batch_is_sent_again_without_doubling(system):
    small = system(**STYLES["batch"])
    small.sandbox.faults.add("half-batch", path="/v1/meetings/batch")
    batch = [put({**ONE, "id": key}) for key in "AB"]
    with pytest.raises(Unavailable):
        small.connect().write("meeting", batch)
    assert [None, None] == reasons(small.connect().write("meeting", batch))
    assert ({"A", "B"}, []) == (set(small.sandbox.held("meeting")), small.sandbox.doubled("meeting"))


def test_a_batch_larger_than_the_system_takes_is_not_taken(system):
    small = system(**STYLES["batch"])
    with pytest.raises(Unavailable) as caught:
        small.connect().write("meeting", [put({**ONE, "id": key}) for key in "ABCD"])
    assert "status-400" == caught.value.reason


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>"])
def test_a_fetched_record_that_is_none_is_told(system, body):
    small = system()
    small.sandbox.faults.add("answer:200", body=body)
    with pytest.raises(Unavailable) as caught:
        small.connect().fetch("meeting", "M1")
    assert "answer-invalid" == caught.value.reason
