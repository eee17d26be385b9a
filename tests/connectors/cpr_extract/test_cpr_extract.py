"""The CPR extract: fixed-width lines over real SFTP, read, mapped and delivered."""

from __future__ import annotations

import msgspec
import pytest

from connectors.cpr_extract.sandbox import CprExtractSandbox
from samspil import mapping, registry
from samspil.errors import Refused, Unavailable
from samspil.testing.world import World

SCHEMA = "person"
CprExtract = registry.connector("cpr_extract")

OFFICE = """
    kind: drop
    title: An office that takes persons as fixed-width lines
    folder: ind
    schemas:
      person:
        record: Person
        key: Noegle
        write:
          file: P{delivery}.txt
          format: fixed
          receipt: none
          lines:
            width: 200
            breaks: false
            type: {start: 1, length: 2}
            start: "00"
            end: {type: "99", count: {start: 5, length: 6}, counts: all}
            records:
              "10":
                - {name: Noegle, start: 3, length: 15, required: true}
                - {name: Personnummer, start: 18, length: 10, type: cpr, required: true}
                - {name: TidligerePersonnummer, start: 28, length: 10, type: cpr}
                - {name: Status, start: 38, length: 2, type: code, required: true}
                - {name: Kommunekode, start: 40, length: 4, align: right, fill: "0", required: true}
                - {name: Adressebeskyttelse, start: 44, length: 1, required: true}
                - {name: Fornavne, start: 45, length: 60, required: true}
                - {name: Efternavn, start: 105, length: 60, required: true}
              "20":
                - {name: Noegle, start: 3, length: 15, required: true}
                - {name: Vejadresse, start: 18, length: 60}
                - {name: Postnummer, start: 78, length: 4, type: digits}
                - {name: Postdistrikt, start: 82, length: 30}
"""


@pytest.fixture
def register():
    with CprExtractSandbox(World("760", citizens=60)) as sandbox:
        yield sandbox


@pytest.fixture
def connector(register):
    made = CprExtract(register.account)
    yield made
    made.close()


def everything(connector):
    """(key → record or Refused, reasons of what was rejected)."""
    found, rejected = {}, []
    for page in connector.read(SCHEMA):
        records = connector.decode(SCHEMA, page.raws)
        found |= {key.decode(): record for key, record in zip(page.keys, records, strict=True)}
        rejected += [item.error.reason for item in page.rejected]
    return found, rejected


def refused(found):
    """The keys of records that are refused."""
    return {key for key, record in found.items() if isinstance(record, Refused)}


def edited(register, edit):
    (path,) = (register.root / "cpr").glob("*.txt")
    path.write_bytes(b"\r\n".join(edit(path.read_bytes().split(b"\r\n"))))


def test_the_lines_of_a_person_are_one_record_with_every_field(register, connector):
    to_ours = mapping.load(
        "cpr_extract",
        SCHEMA,
        fields=CprExtract.fields(SCHEMA),
        struct=registry.schema(SCHEMA),
        directions=["to_ours"],
    ).to_ours
    register.to_night(4)  # by then everything is mended
    found, rejected = everything(connector)
    assert [] == rejected
    expected = {fact["id"]: {**fact, "phone": None, "email": None} for fact in register.world.records(SCHEMA, 4)}
    assert expected == {key: msgspec.to_builtins(to_ours(record)) for key, record in found.items()}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[:-2], "has no end record"),
        (lambda lines: [*lines[:20], lines[20][:30]], "has no end record"),
        (lambda lines: [*lines[:20], *lines[21:]], "its end record says"),
        (lambda lines: [*lines[:20], *lines[19:]], "its end record says"),
        (lambda lines: [*lines[:-1], lines[5], b""], "goes on after its end record"),
        (lambda lines: [*lines[:-2], b"999", b""], "has no count"),
    ],
    ids=["no end", "cut in a line", "a line gone", "a line twice", "lines after the end", "no count"],
)
def test_a_file_that_is_not_whole_is_never_fewer_persons(register, connector, edit, message):
    edited(register, edit)
    with pytest.raises(Unavailable, match=message) as caught:
        everything(connector)
    assert "file-incomplete" == caught.value.reason


def test_a_file_without_its_start_record_is_another_file(register, connector):
    edited(register, lambda lines: lines[1:])
    assert ({}, ["missing-start"]) == everything(connector)


def test_a_line_of_a_type_nobody_declared_refuses_its_person_only(register, connector):
    before, _ = everything(connector)
    key = register.world.records(SCHEMA)[0]["id"]
    edited(
        register, lambda lines: [b"777" + line[3:] if line[:14] == b"003" + key.encode() else line for line in lines]
    )
    found, rejected = everything(connector)
    assert ("unknown-record-type", []) == (found[key].reason, rejected)
    assert refused(before) | {key} == refused(found)


def test_a_line_whose_person_is_not_in_the_file_is_rejected(register, connector):
    edited(register, lambda lines: [line.replace(b"003C7600000002", b"003C7609999999") for line in lines])
    found, rejected = everything(connector)
    assert ["orphan-row"] == rejected
    assert 60 == len(found)


def test_a_torn_line_leaves_no_person_that_looks_whole(register, connector):
    edited(register, lambda lines: [line if line[:14] != b"008C7600000001" else b"#" * 9 for line in lines])
    found, rejected = everything(connector)
    assert ["unknown-record-type"] == rejected
    assert "unknown-record-type" == found["C7600000001"].reason


def test_former_names_are_counted_and_not_taken(register, connector):
    before, _ = everything(connector)
    edited(
        register,
        lambda lines: [*lines[:2], b"005C7600000001 whatever", *lines[2:-2], b"999%08d" % (len(lines) - 2), b""],
    )
    found, rejected = everything(connector)
    assert [] == rejected
    assert before.keys() == found.keys()
    assert refused(before) == refused(found)


def test_letters_in_another_encoding_are_refused_and_not_read_as_others(register, connector):
    (path,) = (register.root / "cpr").glob("*.txt")
    path.write_bytes(path.read_bytes().decode("latin-1").encode())
    found, _ = everything(connector)
    danish = {f["id"] for f in register.world.records(SCHEMA) if not (f["given_names"] + f["family_name"]).isascii()}
    broken = register.world.broken(SCHEMA)
    reasons = {found[key].reason for key in danish - set(broken)}
    assert {"wrong-encoding"} == reasons


def test_nights_reach_an_office_that_takes_lines_without_line_breaks(drop_flow):
    flow = drop_flow(CprExtractSandbox(World("760", citizens=60)), SCHEMA, OFFICE)
    first = flow.night(1)
    assert first.delivered == first.read - len(flow.source.world.broken(SCHEMA, 1))
    assert flow.expected(1) == flow.held
    flow.night(2)
    flow.night(4)
    assert flow.expected(4) == flow.held
    held = flow.target.held(SCHEMA)
    for fact in flow.source.world.records(SCHEMA, 4):
        assert (fact["given_names"], fact["cpr"]) == (held[fact["id"]]["Fornavne"], held[fact["id"]]["Personnummer"])
        assert (fact["address"] or {}).get("street", "") == held[fact["id"]]["Vejadresse"]


def test_a_truncated_extract_deletes_nobody(drop_flow):
    flow = drop_flow(CprExtractSandbox(World("760", citizens=60)), SCHEMA, OFFICE)
    flow.night(1)
    held = flow.held
    flow.source.faults.add("truncate", path="/cpr/")
    with pytest.raises(Unavailable, match="no end record"):
        flow.night(2)
    assert held == flow.held
