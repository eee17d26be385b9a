"""Reading the exports: all of them, whole or not at all; against a real SFTP server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import msgspec
import pytest

from connectors.journal_files.connector import JournalFiles
from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.errors import Refused, Unavailable
from samspil.mapping import load
from samspil.testing.world import World
from schemas import SCHEMAS

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


@pytest.mark.parametrize("night", [1, 2, 3])
@pytest.mark.parametrize("schema", READ)
def test_the_facts_arrive_and_what_is_damaged_is_refused_by_its_key(schema, night):
    world = World("813", citizens=60)
    mapping = load("journal_files", schema, fields=JournalFiles.fields(schema), struct=SCHEMAS[schema])
    with JournalFilesSandbox(world, night=night) as sandbox:
        connector = JournalFiles(sandbox.account)
        found, rejected = everything(connector, schema)
        connector.close()
    ours, refused = {}, {}
    for key, record in found.items():
        try:
            if isinstance(record, Refused):
                raise record
            ours[key.decode()] = mapping.to_ours(record)
        except Refused as error:
            refused[key.decode()] = error.reason
    numbers = {fact["id"]: fact["cpr"] for fact in world.records(schema, night)}
    reasons = {"unknown-field": "field-count", "broken-syntax": "broken-quotes"}
    expected = {key: reasons.get(kind, kind) for key, kind in world.broken(schema, night).items()}
    for key, reason in expected.items():
        if reason == "bad-cpr" and numbers[key].isdigit():  # nine digits; one with letters no spreadsheet touches
            expected[key] = "cpr-lost-zero"
    assert [] == rejected
    assert expected == refused
    assert {
        fact["id"]: msgspec.convert(fact, SCHEMAS[schema])
        for fact in world.records(schema, night)
        if fact["id"] not in refused
    } == ours


def test_the_two_encodings_bring_the_same_danish_letters(journal, connector):
    notes, _ = everything(connector, "journal_note")
    status, _ = everything(connector, "status_note")
    files = {path.name.split("_")[0]: path.read_bytes() for path in (journal.root / "ud").iterdir()}
    assert files["Notater"].startswith(b"\xef\xbb\xbf")
    assert "ø".encode() in files["Notater"]
    assert b"\xf8" in files["Statusnotater"]
    for schema, found, ours, theirs in (
        ("journal_note", notes, "text", "Tekst"),
        ("status_note", status, "summary", "Sammenfatning"),
    ):
        expected = {fact["id"].encode(): fact[ours] for fact in journal.world.records(schema)}
        assert expected == {key: record[theirs] for key, record in found.items()}


def test_a_note_with_line_breaks_separators_and_quotes_stays_one_record(journal, connector):
    found, _ = everything(connector, "journal_note")
    texts = [record["Tekst"] for record in found.values()]
    assert any("\n" in text and ";" in text for text in texts)
    assert any('"' in text for text in texts)


def test_a_changed_child_row_or_header_changes_the_raw_record_and_nothing_else_does(journal, connector):
    def raws():
        return {
            key: raw for page in connector.read("action_plan") for key, raw in zip(page.keys, page.raws, strict=True)
        }

    before = raws()
    assert before == raws()
    journal.to_night(2)
    plan = journal.world.records("action_plan", 2)
    changed = {
        fact["id"].encode()
        for fact in plan
        if fact not in journal.world.records("action_plan", 1) and fact["id"].encode() in before
    }
    after = raws()
    assert changed == {key for key in before.keys() & after.keys() if before[key] != after[key]}
    edited(journal, "Maal", lambda data: data.replace(b"Frist;Bemaerkning", b"Bemaerkning;Frist", 1))
    assert all(raw != after[key] for key, raw in raws().items())


def test_columns_may_come_in_any_order(journal, connector):
    before, _ = everything(connector, "placement")

    def turned(data: bytes) -> bytes:
        *lines, trailer = data.decode("latin-1").splitlines()
        return "\r\n".join([*(";".join(reversed(line.split(";"))) for line in lines), trailer, ""]).encode("latin-1")

    edited(journal, "Praktik", turned)
    after, rejected = everything(connector, "placement")
    assert (before, []) == (after, rejected)


def test_only_the_newest_finished_export_is_read(journal, connector):
    (path,) = (journal.root / "ud").glob("Praktik_*.csv")
    path.with_name("Praktik_20200101.csv").write_bytes(b"old")
    path.with_name("Praktik_20990101.csv.tmp").write_bytes(b"half")
    assert [] == everything(connector, "placement")[1]
    journal.to_night(2)
    found, _ = everything(connector, "placement")
    assert {fact["id"].encode() for fact in journal.world.records("placement", 2)} == set(found)
    journal.to_night(1)
    found, _ = everything(connector, "placement")
    assert {fact["id"].encode() for fact in journal.world.records("placement")} == set(found)


def test_no_export_is_not_an_empty_one(journal, connector):
    (path,) = (journal.root / "ud").glob("Svar_*.csv")
    path.rename(path.with_name("Svar_20200101.csv"))
    with pytest.raises(Unavailable) as caught:
        everything(connector, "assessment")
    assert "file-missing" == caught.value.reason


def test_an_export_the_vendor_forgot_is_noticed(journal, connector):
    (path,) = (journal.root / "ud").glob("Praktik_*.csv")
    days_ago = time.time() - 4 * 24 * 3600
    os.utime(path, (days_ago, days_ago))
    with pytest.raises(Unavailable) as caught:
        everything(connector, "placement")
    assert "export-too-old" == caught.value.reason


def test_a_large_export_comes_in_pages(journal, connector):
    many = 12_000

    def grown(data: bytes) -> bytes:
        header, row, *_ = data.split(b"\r\n")
        tail = row.split(b";", 1)[1]
        rows = [b"FM%06d;%s" % (number, tail) for number in range(many)]
        return b"\r\n".join([header, *rows, b"Antal;%d" % many, b""])

    edited(journal, "Fremmoede", grown)
    pages = list(connector.read("attendance"))
    assert [1000] * 12 == [len(page.raws) for page in pages]
    assert many == len({key for page in pages for key in page.keys})


def test_a_cursor_or_another_schema_is_not_read(connector):
    with pytest.raises(NotImplementedError):
        connector.read("attendance", "2026-01-01")
    with pytest.raises(NotImplementedError):
        connector.read("person")


@pytest.mark.parametrize("how", ["replaced", "same size", "one more part"])
def test_a_delivery_that_changes_while_it_is_read_is_not_mixed(journal, connector, monkeypatch, how):
    (path,) = (journal.root / "ud").glob("Handleplaner_*.csv")
    reading = connector.read("action_plan")
    next(reading)
    data = path.read_bytes()
    if how == "replaced":
        path.with_name("new.tmp").write_bytes(data + data)
        path.with_name("new.tmp").replace(path)
    elif how == "same size":
        path.write_bytes(data[::-1])
        os.utime(path, (time.time() + 5, time.time() + 5))
    else:
        path.with_name(f"{path.stem}_2.csv").write_bytes(data)
    with pytest.raises(Unavailable) as caught:
        list(reading)
    assert "file-changed" == caught.value.reason
