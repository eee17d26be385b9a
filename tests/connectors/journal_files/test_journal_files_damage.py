"""Exports that are cut, broken or not what they say: nothing is lost without a word; against a real SFTP server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.journal_files.connector import JournalFiles
from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.errors import Refused, Unavailable

READ = sorted(JournalFiles.reads)


def everything(connector: JournalFiles, schema: str) -> tuple[dict, list[str]]:
    """(key → record or Refused, reasons of what was rejected)."""
    found, rejected = {}, []
    for page in connector.read(schema):
        found |= dict(zip(page.keys, connector.decode(schema, page.raws), strict=True))
        rejected += [item.error.reason for item in page.rejected]
    return found, rejected


def edited(journal: JournalFilesSandbox, file: str, edit: Callable[[bytes], bytes]) -> None:
    """Change an exported file as the vendor's job might have written it."""
    path = max((journal.root / "ud").glob(f"{file}_*.csv"))
    path.write_bytes(edit(path.read_bytes()))


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("Fremmoede", lambda data: data[: data.rindex(b";")], "middle of a line"),
        ("Fremmoede", lambda data: data[: data.rindex(b"\r\nAntal") + 2], "no trailer"),
        ("Fremmoede", lambda data: b"\r\n".join(data.split(b"\r\n")[:5] + data.split(b"\r\n")[6:]), "its trailer says"),
    ],
    ids=["in a line", "between lines", "a line gone"],
)
def test_a_file_that_is_cut_is_never_fewer_records(journal, connector, file, edit, message):
    edited(journal, file, edit)
    with pytest.raises(Unavailable, match=message) as caught:
        everything(connector, "attendance")
    assert "file-incomplete" == caught.value.reason


@pytest.mark.parametrize("schema", READ)
def test_a_truncated_file_is_unavailable(journal, connector, schema):
    journal.faults.add("truncate", path="/ud/")
    with pytest.raises(Unavailable) as caught:
        everything(connector, schema)
    assert "file-incomplete" == caught.value.reason


@pytest.mark.parametrize("schema", READ)
def test_a_garbage_file_is_rejected_whole(journal, connector, schema):
    journal.faults.add("garbage", path="/ud/")
    assert ({}, ["missing-column"]) == everything(connector, schema)


def test_a_garbage_child_file_leaves_no_record_that_looks_whole(journal, connector):
    edited(journal, "Delmaal", lambda _: b"<html>Serveren er nede</html>\n")
    assert ({}, ["missing-column"]) == everything(connector, "action_plan")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b";Timer\r\n", b";Timer;Ny\r\n", "unknown-column"),
        (b";Timer\r\n", b"\r\n", "missing-column"),
        (b";Timer\r\n", b";Timer;Timer\r\n", "duplicate-column"),
    ],
)
def test_a_file_with_other_columns_is_rejected_and_other_parts_are_read(journal, connector, old, new, reason):
    (path,) = (journal.root / "ud").glob("Fremmoede_*.csv")
    second = path.with_name(f"{path.stem}_2.csv")
    second.write_bytes(path.read_bytes())
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    found, rejected = everything(connector, "attendance")
    assert len(journal.world.records("attendance")) == len(found)
    assert [reason] == rejected


def test_a_broken_child_row_refuses_its_record_and_no_other(journal, connector):
    plans, _ = everything(connector, "action_plan")
    edited(journal, "Maal", lambda data: data.replace(b"\r\n", b";ekstra\r\n", 2).replace(b";ekstra", b"", 1))
    found, rejected = everything(connector, "action_plan")
    first = journal.world.records("action_plan")[0]["id"].encode()
    refused = found.pop(first)
    assert isinstance(refused, Refused)
    assert ("field-count", []) == (refused.reason, rejected)
    assert refused.field.endswith(".csv:2")
    assert {key: record for key, record in plans.items() if key != first} == found


def test_a_broken_child_row_of_nobody_stops_the_read_because_a_record_may_lack_it(journal, connector):
    edited(journal, "Maal", lambda data: data.replace(b"\r\nHPL", b"\r\n?\r\nHPL", 1))
    with pytest.raises(Unavailable) as caught:
        everything(connector, "action_plan")
    assert "broken-child-row" == caught.value.reason


def test_a_child_row_without_its_record_is_rejected(journal, connector):
    edited(journal, "Svar", lambda data: data.replace(b"Antal;", b"VUR9;netv\xe6rk;3\r\nAntal;1", 1))
    with pytest.raises(Unavailable) as caught:
        everything(connector, "assessment")
    assert "file-incomplete" == caught.value.reason
    count = sum(len(fact["answers"]) for fact in journal.world.records("assessment"))
    edited(journal, "Svar", lambda data: data[: data.index(b"Antal;")] + b"Antal;%d\r\n" % (count + 1))
    found, rejected = everything(connector, "assessment")
    assert (len(journal.world.records("assessment")), ["orphan-row"]) == (len(found), rejected)


def test_a_torn_note_leaves_no_piece_of_its_text_as_a_key(journal, connector):
    edited(journal, "Notater", lambda data: data.replace(b"\nNOT", b'\nNOT1;"x;y\nMisbrug;z\nNOT', 1))
    found, rejected = everything(connector, "journal_note")
    assert b"Misbrug" not in found
    assert ["field-count"] == rejected


def test_a_byte_that_is_no_text_refuses_its_record_only(journal, connector):
    edited(journal, "Notater", lambda data: data.replace("ø".encode(), b"\xf8", 1))
    found, rejected = everything(connector, "journal_note")
    assert ["not-text"] == [record.reason for record in found.values() if isinstance(record, Refused)]
    assert [] == rejected


def test_an_oversized_record_is_rejected_and_the_others_are_read(journal, connector):
    line = b"PRA9;" + b"x" * 200_000 + b"\r\n"
    count = len(journal.world.records("placement"))
    edited(journal, "Praktik", lambda data: data.replace(b"Antal;%d" % count, line + b"Antal;%d" % (count + 1)))
    found, rejected = everything(connector, "placement")
    assert (count, ["line-too-large"]) == (len(found), rejected)


def test_a_file_of_broken_lines_is_given_up(journal, connector):
    edited(journal, "Praktik", lambda data: data.split(b"\r\n")[0] + b"\r\n" + b"x\r\n" * 3000)
    _, rejected = everything(connector, "placement")
    assert "too-many-broken-lines" == rejected[-1]


@pytest.mark.parametrize("kind", ["status:503", "timeout"])
def test_a_connection_that_breaks_while_reading_is_unavailable_and_the_next_read_is_whole(journal, connector, kind):
    journal.faults.add(kind, path="/ud/", seconds=0.1)
    with pytest.raises(Unavailable):
        everything(connector, "attendance")
    assert len(journal.world.records("attendance")) == len(everything(connector, "attendance")[0])
