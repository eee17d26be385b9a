"""Writing by a declaration: a receipt for each record, its own refusal, and nothing twice."""

import uuid

import pytest

from samspil.connector import Change, Writes
from samspil.errors import AccessError, Refused, Unavailable

RECORD = {"Id": "", "Cpr": "0101501234", "Opened": "2026-01-02", "Kle": "15.20.00", "Group": "6.2"}
SINGLE = """
      put: {operation: Put, id: Number}
      receipt: {id: Number, code: Code, field: Field}
"""


def puts(*names, **fields):
    return [Change.of("put", {**RECORD, "Id": name, **fields}, None, str(uuid.uuid4())) for name in names]


@pytest.fixture
def sandbox(vendor):
    return vendor.sandbox()


@pytest.fixture
def connector(vendor, sandbox):
    return vendor.connector(sandbox)


def single(vendor):
    """The declaration with an operation that takes one record and no idempotency key."""
    path = vendor.folder / "connector.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("      batch: 5")] + SINGLE.lstrip("\n"))
    sandbox = vendor.sandbox()
    return sandbox, vendor.connector(sandbox)


def test_records_go_in_batches_and_each_gets_its_receipt(sandbox, connector):
    assert Writes("Item", batch=5, deletes=True, idempotency="key") == connector.writes["case"]
    names = [f"A{number}" for number in range(7)]
    receipts = connector.write("case", puts(*names))
    assert [f"N-{name}" for name in names] == [receipt.their_id for receipt in receipts]
    assert set(names) == set(sandbox.held("case"))
    assert 2 == len(sandbox.calls)
    assert connector.fetch("case", "N-A3") == sandbox.held("case")["A3"]
    assert connector.fetch("case", "N-B") is None


def test_the_same_changes_again_change_nothing(sandbox, connector):
    batch = puts("A", "B")
    assert connector.write("case", batch) == connector.write("case", batch)
    assert [] == sandbox.doubled("case")


def test_a_key_used_for_something_else_is_refused(sandbox, connector):
    (change,) = puts("A")
    connector.write("case", [change])
    other = Change.of("put", {**RECORD, "Id": "B"}, None, change.idempotency_key)
    assert "rejected-andetindhold" == str(connector.write("case", [other])[0].refused)
    assert {"A"} == set(sandbox.held("case"))


def test_an_update_and_a_deletion_find_their_record(sandbox, connector):
    connector.write("case", puts("A", "B"))
    update = puts("A", Kle="27.69.40")[0]._replace(their_id="N-A")
    delete = Change("delete", puts("B")[0].raw, "N-B", str(uuid.uuid4()))
    new = puts("C")[0]
    assert ["N-A", "N-B", "N-C"] == [one.their_id for one in connector.write("case", [update, delete, new])]
    assert {"A": "27.69.40", "C": "15.20.00"} == {key: one["Kle"] for key, one in sandbox.held("case").items()}


def test_what_the_wsdl_refuses_is_refused_before_it_is_sent(sandbox, connector):
    batch = [*puts("A"), *puts("B", Group="7"), *puts("C", Unknown="x"), *puts("D", Opened="no day"), *puts("E")]
    batch.append(Change.of("put", {"Id": "F"}, None, str(uuid.uuid4())))
    receipts = connector.write("case", batch)
    assert [None, "bad-format: Group", "unknown-field: Unknown", "bad-date: Opened", None, "missing-field: Cpr"] == [
        one.refused and str(one.refused) for one in receipts
    ]
    assert {"A", "E"} == set(sandbox.held("case"))


def test_what_the_system_refuses_costs_no_other(sandbox, connector, monkeypatch):
    monkeypatch.setattr(
        sandbox._registers["case"], "_refuses", lambda _, one: ("E_17", "Item.Cpr") if one["Id"] == "B" else None
    )
    receipts = connector.write("case", puts("A", "B", "C"))
    assert [None, "rejected-e-17: Cpr", None] == [one.refused and str(one.refused) for one in receipts]
    assert {"A", "C"} == set(sandbox.held("case"))


def test_a_reason_is_ours_where_the_declaration_says_so(vendor, monkeypatch):
    vendor.swap("code: Code, field: Field}", "code: Code, field: Field, reasons: {E_17: unknown-citizen}}")
    sandbox = vendor.sandbox()
    monkeypatch.setattr(
        sandbox._registers["case"],
        "_refuses",
        lambda _, one: (f"E_{one['Id']}", "Item.Cpr"),  # a code for each
    )
    receipts = vendor.connector(sandbox).write("case", puts("17", "18"))
    assert ["unknown-citizen: Cpr", "rejected-e-18: Cpr"] == [str(one.refused) for one in receipts]


def test_what_the_system_writes_of_a_person_is_neither_a_reason_nor_a_field(sandbox, connector, monkeypatch):
    said = {"B": ("Borger 0101901234", "Cpr 010190-1234"), "C": ("0101901234", "Anna"), "D": ("E17", "Item.Cpr")}
    monkeypatch.setattr(sandbox._registers["case"], "_refuses", lambda _, one: said[one["Id"]])
    receipts = connector.write("case", puts(*said))
    assert ["rejected-unknown", "rejected-unknown", "rejected-e17: Cpr"] == [str(one.refused) for one in receipts]


def test_a_batch_that_is_refused_as_a_whole_is_halved(sandbox, connector):
    sandbox.faults.add("fault:Client", times=2)
    receipts = connector.write("case", puts("A", "B", "C", "D"))
    assert [None] * 4 == [one.refused for one in receipts]
    assert {"A", "B", "C", "D"} == set(sandbox.held("case"))


def test_half_a_batch_is_finished_with_the_same_keys(sandbox, connector):
    sandbox.faults.add("half-batch")
    batch = puts("A", "B", "C")
    assert ["N-A", "N-B", "N-C"] == [one.their_id for one in connector.write("case", batch)]
    assert 2 == len(sandbox.calls)
    assert [] == sandbox.doubled("case")


def test_without_a_receipt_in_the_end_the_outcome_is_unknown(sandbox, connector, monkeypatch):
    deliver = sandbox._registers["case"].deliver
    monkeypatch.setattr(sandbox._registers["case"], "deliver", lambda way, items, night: deliver(way, items[1:], night))
    with pytest.raises(Unavailable, match="2 of 8 records got no receipt"):
        connector.write("case", puts(*"ABCDEFGH"))


@pytest.mark.parametrize("fault", ["lost-answer", "truncate", "status:503", "fault-with-200", "fault:Busy"])
def test_a_call_that_goes_wrong_once_is_repeated_without_harm(sandbox, connector, fault):
    sandbox.faults.add(fault)
    assert ["N-A", "N-B"] == [one.their_id for one in connector.write("case", puts("A", "B"))]
    assert [] == sandbox.doubled("case")


def test_a_system_that_will_not_let_us_in_refuses_no_record(vendor, sandbox):
    with pytest.raises(AccessError):
        vendor.connector(sandbox, password="x").write("case", puts("A"))


def test_a_system_may_take_one_record_a_call(vendor):
    sandbox, connector = single(vendor)
    assert Writes("Item", batch=100, deletes=False, idempotency="id") == connector.writes["case"]
    batch = [*puts("A"), *puts("B", Group="x"), *puts("C")]
    batch.append(Change("delete", batch[0].raw, "N-A", str(uuid.uuid4())))
    receipts = connector.write("case", batch)
    assert ["N-A", None, "N-C", None] == [one.their_id for one in receipts]
    assert ["no-delete"] == [one.refused.reason for one in receipts[3:] if one.refused]
    assert 2 == len(sandbox.calls)
    assert {"A", "C"} == set(sandbox.held("case"))


def test_a_refusal_of_one_record_is_told_by_its_code(vendor, monkeypatch):
    sandbox, connector = single(vendor)
    monkeypatch.setattr(sandbox._registers["case"], "_refuses", lambda _, one: ("Full", "Id"))
    (receipt,) = connector.write("case", puts("A"))
    assert "rejected-full: Id" == str(receipt.refused)
    sandbox.faults.add("fault:Client", times=3)
    (receipt,) = connector.write("case", puts("A"))
    assert isinstance(receipt.refused, Refused)
    assert "fault-client" == receipt.refused.reason
