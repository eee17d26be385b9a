"""Declared drops written over real SFTP: receipts, resends, guarded text, and what does not fit."""

from __future__ import annotations

import textwrap
import time
import uuid

import pytest

from samspil.connector import Change
from samspil.declared import declared
from samspil.errors import SettingsError, Unavailable
from samspil.testing.drop import DropSandbox
from samspil.testing.world import World

SCHEMA = "company"

CSV = """
    kind: drop
    title: An office
    schemas:
      company:
        record: Virksomhed
        key: Nr
        write:
          folder: ind
          file: V_{delivery}.csv
          format: csv
          encoding: latin-1
          delimiter: ","
          key: Leverance
          id: DeresNr
          actions: {column: Handling, put: GEM, delete: SLET}
          trailer: Antal
          receipt:
            folder: kvittering
            status: Status
            passed: [OK]
            unreadable: FILFEJL
            id: DeresNr
            reference: Kvittering
            code: Fejl
            field: Felt
            reasons: {UNKNOWN: unknown-record, FORMAT: bad-format}
          columns:
            - {name: Leverance, required: true}
            - {name: Handling, type: code, required: true}
            - {name: DeresNr}
            - {name: Nr, required: true}
            - {name: Navn, required: true, length: 30}
            - {name: Ledige, title: Ledige pladser, type: integer}
"""
FIXED = """
    kind: drop
    title: An office
    schemas:
      company:
        record: Virksomhed
        key: Nr
        write:
          folder: ind
          file: V{delivery}.txt
          format: fixed
          beside: .ok
          receipt: none
          lines:
            width: 60
            type: {start: 1, length: 1}
            start: S
            end: {type: E, count: {start: 2, length: 6}}
            records:
              V:
                - {name: Nr, start: 2, length: 12, required: true}
                - {name: Navn, start: 14, length: 30, required: true}
                - {name: Ledige, start: 44, length: 4, align: right, fill: "0"}
"""


@pytest.fixture
def office(tmp_path):
    """Starts the sandbox of a declaration and makes a connector to it."""
    made = []

    def start(text):
        path = tmp_path / "office" / "connector.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")

        class Office(DropSandbox):
            folder = path.parent

        sandbox = Office(World("760", citizens=24))
        connector = declared(path)(sandbox.start())
        made.append((sandbox, connector))
        return sandbox, connector

    yield start
    for sandbox, connector in made:
        connector.close()
        sandbox.stop()


def put(key="A", name="Bæk & Søn", theirs=None, **others):
    return Change.of("put", {"Nr": key, "Navn": name, "Ledige": "3", **others}, theirs, str(uuid.uuid4()))


def test_a_batch_is_receipted_record_by_record(office):
    sandbox, connector = office(CSV)
    good, bad = put("A"), put("B", Ledige="tre")
    receipts = connector.write(SCHEMA, [good, bad])
    assert ("T000001", "R000001") == receipts[0][:2]
    assert ("bad-format", "Ledige") == (receipts[1].refused.reason, receipts[1].refused.field)
    assert {"A": "Bæk & Søn"} == {key: row["Navn"] for key, row in sandbox.held(SCHEMA).items()}


def test_the_same_batch_again_changes_nothing(office):
    sandbox, connector = office(CSV)
    batch = [put("A"), put("B")]
    first = connector.write(SCHEMA, batch)
    assert first == connector.write(SCHEMA, batch)
    assert [] == sandbox.doubled(SCHEMA)


def test_a_lost_answer_is_answered_the_second_time_without_doubling(office):
    sandbox, connector = office(CSV)
    sandbox.faults.add("lost-answer", path="/ind/")
    batch = [put("A"), put("B")]
    with pytest.raises(Unavailable):
        connector.write(SCHEMA, batch)
    assert ["T000001", "T000002"] == [receipt.their_id for receipt in connector.write(SCHEMA, batch)]
    assert [] == sandbox.doubled(SCHEMA)


def test_half_a_receipt_file_is_no_receipt(office):
    sandbox, connector = office(CSV)
    connector.settings = type(connector.settings)(**{**settings(connector), "receipt_timeout": 0.2})
    sandbox.faults.add("half-batch", path="/ind/")
    with pytest.raises(Unavailable) as caught:
        connector.write(SCHEMA, [put("A"), put("B")])
    assert "receipt-missing" == caught.value.reason


def settings(connector):
    return {name: getattr(connector.settings, name) for name in connector.settings.__struct_fields__}


def test_a_file_the_receiver_cannot_read_stops_the_flow(office):
    sandbox, connector = office(CSV)
    sandbox.faults.add("file-refused", path="/ind/")
    with pytest.raises(SettingsError) as caught:
        connector.write(SCHEMA, [put("A")])
    assert "file-refused" == caught.value.reason


def test_a_record_is_deleted_by_its_word(office):
    sandbox, connector = office(CSV)
    (receipt,) = connector.write(SCHEMA, [put("A")])
    gone = Change.of("delete", {"Nr": "A", "Navn": "x"}, receipt.their_id, str(uuid.uuid4()))
    (receipt,) = connector.write(SCHEMA, [gone])
    assert receipt.refused is None
    assert {} == sandbox.held(SCHEMA)
    again = Change.of("delete", {"Nr": "A", "Navn": "x"}, "T000001", str(uuid.uuid4()))
    assert "unknown-record" == connector.write(SCHEMA, [again])[0].refused.reason


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "+45", "'x", "\tindryk", 'to\nlinjer, "med" tegn'])
def test_text_that_a_spreadsheet_would_run_is_guarded_and_arrives_as_it_was(office, name):
    sandbox, connector = office(CSV)
    assert connector.write(SCHEMA, [put("A", name)])[0].refused is None
    assert name == sandbox.held(SCHEMA)["A"]["Navn"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(name="x" * 31), "too-long"),
        (put(name="€"), "not-in-character-set"),
        (put(name="\x00"), "not-text"),
        (put(name=None), "missing-field"),
        (put(Farve="rød"), "unknown-field"),
    ],
)
@pytest.mark.parametrize("text", [CSV, FIXED], ids=["csv", "fixed"])
def test_a_record_that_does_not_fit_is_refused_and_the_others_go(office, text, change, reason):
    sandbox, connector = office(text)
    refused, taken = connector.write(SCHEMA, [change, put("B")])
    assert reason == refused.refused.reason
    assert taken.refused is None
    wait(sandbox)
    assert {"B"} == set(sandbox.held(SCHEMA))


def test_nothing_is_dropped_when_nothing_fits(office):
    sandbox, connector = office(CSV)
    connector.write(SCHEMA, [put(name=None)])
    assert [] == [call for call in sandbox.calls if call.startswith("WRITE")]


def test_without_receipts_a_dropped_record_is_taken_under_its_own_key(office):
    sandbox, connector = office(FIXED)
    batch = [put("A"), put("B", "Østergård", Ledige="0")]
    assert ["A", "B"] == [receipt.their_id for receipt in connector.write(SCHEMA, batch)]
    wait(sandbox)
    assert ["Bæk & Søn", "Østergård"] == [row["Navn"] for row in sandbox.held(SCHEMA).values()]
    assert 1 == len(list((sandbox.root / "ind").glob("*.ok")))
    connector.write(SCHEMA, batch)  # sent again it is the same file again
    wait(sandbox)
    assert {"A", "B"} == set(sandbox.held(SCHEMA))


def test_a_file_that_cannot_say_so_deletes_nothing(office):
    _, connector = office(FIXED)
    (receipt,) = connector.write(SCHEMA, [Change.of("delete", {"Nr": "A", "Navn": "x"}, "A", str(uuid.uuid4()))])
    assert "cannot-delete" == receipt.refused.reason


def test_the_file_on_the_server_is_lines_with_a_count(office):
    sandbox, connector = office(FIXED)
    sandbox.importing = False
    connector.write(SCHEMA, [put("A"), put("B", Ledige="12")])
    (path,) = (sandbox.root / "ind").glob("*.txt")
    lines = path.read_bytes().decode("latin-1").split("\r\n")
    assert [
        "S",
        "VA           Bæk & Søn                     0003",
        "VB           Bæk & Søn                     0012",
        "E000002",
        "",
    ] == [line.rstrip() for line in lines]
    assert {60, 0} == {len(line) for line in lines}


def wait(sandbox):
    """Until the import job has taken every file."""
    for _ in range(1_000):
        if not [path for path in (sandbox.root / "ind").iterdir() if path.suffix in (".csv", ".txt")]:
            return
        time.sleep(0.01)
    raise AssertionError("the import job does not run")
