"""Dropping orders and reading their receipts: nothing lost, nothing doubled; against a real SFTP server."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest

from connectors.journal_files.connector import JournalFiles
from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.connector import Change
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS

NEVER_WRITTEN = {"price_package"}
ENVELOPE = {"Leverance", "Handling", "ForloebId"}
FIELDS = [name for name in SCHEMAS["course_order"].__struct_fields__ if name not in NEVER_WRITTEN]


def impatient(sandbox: JournalFilesSandbox) -> JournalFiles:
    extra = {**sandbox.account.extra, "receipt_timeout": 0.1, "timeout": 1.0}
    return JournalFiles(msgspec.structs.replace(sandbox.account, extra=extra))


def orders(world: World) -> list[dict[str, Any]]:
    """The world's orders in the journal's words."""
    struct = SCHEMAS["course_order"]
    mapping = load("journal_files", "course_order", fields=JournalFiles.fields("course_order"), struct=struct)
    write = mapping.to_theirs(FIELDS)
    return [write(msgspec.convert(fact, struct)) for fact in world.records("course_order")]


def changes(records: list[dict[str, Any]]) -> list[Change]:
    return [
        Change.of("put", record, None, str(uuid.uuid5(uuid.NAMESPACE_OID, record["BestillingId"])))
        for record in records
    ]


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Without the envelope and without what is empty, at every depth."""
    return {
        name: [plain(item) for item in value] if isinstance(value, list) else value
        for name, value in record.items()
        if name not in ENVELOPE and value not in (None, "")
    }


def test_orders_with_goals_and_sub_goals_arrive_as_they_were(journal, connector):
    batch = changes(orders(journal.world))
    receipts = connector.write("course_order", batch)
    assert [None] * len(batch) == [receipt.refused for receipt in receipts]
    assert len({receipt.their_id for receipt in receipts}) == len(batch)
    held = journal.held("course_order")
    assert {change.record["BestillingId"]: plain(dict(change.record)) for change in batch} == {
        key: plain(record) for key, record in held.items()
    }


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_letters_line_breaks_quotes_and_formulas_survive_the_file(journal, encoding):
    extra = {**journal.account.extra, "order_encoding": encoding}
    connector = JournalFiles(msgspec.structs.replace(journal.account, extra=extra))
    texts = ["æøå ÆØÅ", 'a;"b"\r\nc', "=1+1", "-2", "+4512345678", "@x", "'citat'", "\tindryk"]
    record = orders(journal.world)[0]
    batch = changes([{**record, "BestillingId": f"T{at}", "Tilbud": text} for at, text in enumerate(texts)])
    assert {None} == {receipt.refused for receipt in connector.write("course_order", batch)}
    assert texts == [record["Tilbud"] for record in journal.held("course_order").values()]
    connector.close()


def test_each_record_has_its_own_answer_in_the_order_of_the_batch(journal, connector):
    record = orders(journal.world)[0]
    wrong = [
        {**record, "BestillingId": "A"},
        {**record, "BestillingId": "B", "Maalgruppe": "99"},
        {**record, "BestillingId": "C", "Start": "31-02-2026"},
        {**record, "BestillingId": "D", "CPR": "61"},
        {**record, "BestillingId": "E", "Ukendt": "x"},
        {**record, "BestillingId": "F", "Tilbud": None},
        {**record, "BestillingId": "G", "Maal": [{"MaalId": "1", "Titel": "m", "Frist": "i morgen"}]},
    ]
    receipts = connector.write("course_order", changes(wrong))
    assert [
        None,
        ("unknown-code", "Maalgruppe"),
        ("bad-format", "Start"),
        ("bad-cpr", "CPR"),
        ("unknown-field", "Ukendt"),
        ("missing-field", "Tilbud"),
        ("bad-format", "Maal[].Frist"),
    ] == [receipt.refused and (receipt.refused.reason, receipt.refused.field) for receipt in receipts]
    assert ["A"] == list(journal.held("course_order"))


def test_a_batch_of_nothing_but_refusals_sends_nothing(journal, connector):
    batch = changes([{**orders(journal.world)[0], "Tilbud": ""}])
    assert ["missing-field"] == [receipt.refused.reason for receipt in connector.write("course_order", batch)]
    assert [] == connector.write("course_order", [])
    assert [] == journal.calls


def test_an_order_is_changed_and_deleted_under_the_journals_own_id(journal, connector):
    record = orders(journal.world)[0]
    (created,) = connector.write("course_order", changes([record]))
    changed = {**record, "Tilbud": "Et andet tilbud"}
    (updated,) = connector.write("course_order", [Change.of("put", changed, created.their_id, str(uuid.uuid4()))])
    assert created.their_id == updated.their_id
    assert ["Et andet tilbud"] == [held["Tilbud"] for held in journal.held("course_order").values()]
    (deleted,) = connector.write("course_order", [Change.of("delete", changed, created.their_id, str(uuid.uuid4()))])
    assert None is deleted.refused
    assert {} == journal.held("course_order")
    (again,) = connector.write("course_order", [Change.of("delete", changed, created.their_id, str(uuid.uuid4()))])
    assert ("unknown-record", "") == (again.refused.reason, again.refused.field)


def test_the_same_batch_again_is_read_from_its_receipt_and_sends_nothing(journal, connector):
    batch = changes(orders(journal.world))
    first = connector.write("course_order", batch)
    before = len(journal.calls)
    assert str(first) == str(connector.write("course_order", batch))
    assert not [call for call in journal.calls[before:] if call.startswith(("WRITE", "RENAME"))]


def test_the_same_records_in_another_batch_change_nothing(journal, connector):
    batch = changes(orders(journal.world))
    first = connector.write("course_order", batch)
    assert str(first[:5]) == str(connector.write("course_order", batch[:5]))
    assert len(batch) == len(journal.held("course_order"))


@pytest.mark.parametrize("fault", ["lost-answer", "half-batch", "status:503", "timeout"])
def test_after_a_fault_the_same_batch_ends_with_every_order_once(journal, fault):
    connector = impatient(journal)
    batch = changes(orders(journal.world))
    journal.faults.add(fault, path="/ind/Bestillinger_", seconds=0.1)
    with pytest.raises(Unavailable):
        connector.write("course_order", batch)
    connector.close()
    connector = JournalFiles(journal.account)
    receipts = connector.write("course_order", batch)
    assert [None] * len(batch) == [receipt.refused for receipt in receipts]
    assert {change.record["BestillingId"] for change in batch} == set(journal.held("course_order"))
    assert (
        len({receipt.their_id for receipt in receipts})
        == len({receipt.reference for receipt in receipts})
        == len(batch)
    )
    connector.close()


def test_a_lost_receipt_is_asked_for_again_without_a_second_import(journal, connector):
    batch = changes(orders(journal.world))
    first = connector.write("course_order", batch)
    for receipt in (journal.root / "kvittering").iterdir():
        receipt.unlink()
    assert str(first) == str(connector.write("course_order", batch))


def test_a_delivery_still_waiting_is_not_dropped_twice(journal):
    connector = impatient(journal)
    batch = changes(orders(journal.world)[:1])
    journal.importing = False
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            connector.write("course_order", batch)
        assert "receipt-missing" == caught.value.reason
    assert 1 == len([call for call in journal.calls if call.startswith("RENAME /ind/Bestillinger_")])
    connector.close()


@pytest.mark.parametrize("fault", ["truncate", "garbage"])
def test_a_broken_receipt_is_unavailable_and_then_read_again(journal, connector, fault):
    batch = changes(orders(journal.world))
    journal.faults.add(fault, path="/kvittering/")
    with pytest.raises(Unavailable):
        connector.write("course_order", batch)
    assert {None} == {receipt.refused for receipt in connector.write("course_order", batch)}
    assert len(batch) == len(journal.held("course_order"))


def test_a_file_the_journal_cannot_read_stops_the_flow(journal, connector):
    batch = changes(orders(journal.world)[:1])
    journal.faults.add("file-refused", path="/ind/Bestillinger_")
    with pytest.raises(SettingsError) as caught:
        connector.write("course_order", batch)
    assert "file-refused" == caught.value.reason


def test_a_folder_without_permission_is_an_access_error(journal, connector):
    journal.faults.add("no-permission", path="/ind/")
    with pytest.raises(AccessError):
        connector.write("course_order", changes(orders(journal.world)[:1]))


def test_a_letter_the_orders_encoding_lacks_is_refused_before_sending(journal):
    extra = {**journal.account.extra, "order_encoding": "latin-1"}
    connector = JournalFiles(msgspec.structs.replace(journal.account, extra=extra))
    batch = changes([{**orders(journal.world)[0], "By": "Łódź"}])
    (receipt,) = connector.write("course_order", batch)
    assert ("not-in-character-set", "By") == (receipt.refused.reason, receipt.refused.field)
    connector.close()


def test_no_message_shows_a_value(journal, connector):
    record = {**orders(journal.world)[0], "CPR": "6108576547x", "Maalgruppe": "hemmelig"}
    receipts = connector.write("course_order", changes([record]))
    assert not [r for r in receipts if "6108576547" in str(r) or "hemmelig" in str(r)]
