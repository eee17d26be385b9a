"""Declared CSV, XLSX and fixed-width drops read over real SFTP, as their declarations say."""

from __future__ import annotations

import hashlib
import os
import textwrap
import time
from pathlib import Path

import pytest

from samspil.declared import declared
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.testing.drop import DropSandbox
from samspil.testing.world import World

SCHEMA = "company"

CSV = """
    kind: drop
    title: A list
    folder: "{kommune}/ud"
    settings: {kommune: {about: the municipality's folder}}
    schemas:
      company:
        record: Virksomhed
        key: Nr
        list:
          files: Liste_{date}{part}.csv
          format: csv
          encoding: latin-1
          delimiter: ","
          complete: {trailer: Antal}
          columns:
            - {name: Nr, required: true}
            - {name: Navn, required: true}
            - {name: Ledige, type: integer, required: true}
"""


def row(fact):
    return {"Nr": fact["id"], "Navn": fact["name"], "Ledige": fact["free_places"]}


def sandbox_of(folder: Path, text: str):
    """(sandbox, connector's class) of a declaration."""
    path = folder / "listing" / "connector.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text), "utf-8")

    class Listing(DropSandbox):
        folder = path.parent
        renders = {SCHEMA: row}  # noqa: RUF012 - never changed
        settings = {"kommune": "skjern"} if "settings:" in text else {}

    return Listing(World("760", citizens=120)), declared(path)


@pytest.fixture
def listing(tmp_path):
    """Starts the sandbox of a declaration and makes a connector to it."""
    made = []

    def start(text):
        sandbox, kind = sandbox_of(tmp_path, text)
        sandbox.to_night(4)  # everything is mended
        connector = kind(sandbox.start())
        made.append((sandbox, connector))
        return sandbox, connector

    yield start
    for sandbox, connector in made:
        connector.close()
        sandbox.stop()


def everything(connector):
    """(key → record or reason, reasons of what was rejected)."""
    found, rejected = {}, []
    for page in connector.read(SCHEMA):
        records = connector.decode(SCHEMA, page.raws)
        found |= {
            key.decode(): record.reason if isinstance(record, Refused) else record
            for key, record in zip(page.keys, records, strict=True)
        }
        rejected += [item.error.reason for item in page.rejected]
    return found, rejected


def expected(sandbox):
    return {
        fact["id"]: {"Nr": fact["id"], "Navn": fact["name"], "Ledige": str(fact["free_places"])}
        for fact in sandbox.world.records(SCHEMA, 4)
    }


FIXED = """
    kind: drop
    title: A list
    folder: ud
    schemas:
      company:
        record: Virksomhed
        key: Nr
        list:
          files: Liste.txt
          format: fixed
          complete: {beside: .sha256}
          lines:
            breaks: false
            width: 80
            columns:
              - {name: Nr, start: 1, length: 15, required: true}
              - {name: Navn, start: 16, length: 50, required: true}
              - {name: Ledige, start: 66, length: 5, align: right, fill: "0", required: true}
"""
XLSX = """
    kind: drop
    title: A list
    folder: ud
    schemas:
      company:
        record: Virksomhed
        key: Nr
        list:
          files: Liste_{number}.xlsx
          format: xlsx
          complete: {trailer: Antal}
          columns:
            - {name: Nr, required: true}
            - {name: Navn, required: true}
            - {name: Ledige, type: integer, required: true}
"""
WAYS = {
    "comma, trailer, a folder by setting": CSV,
    "titles that are no names": CSV.replace("{name: Ledige,", "{name: Ledige, title: 'Ledige pl.',"),
    "utf-8, tab": CSV.replace("latin-1", "utf-8").replace('","', '"\\t"'),
    "no header": CSV.replace("complete:", "header: false\n          complete:"),
    "no quotes": CSV.replace("complete:", "quotes: false\n          complete:").replace('","', '"|"'),
    "an ok file": CSV.replace("{trailer: Antal}", "{beside: .ok}"),
    "an md5 file": CSV.replace("{trailer: Antal}", "{beside: .md5}"),
    "renamed": CSV.replace("{trailer: Antal}", "renamed"),
    "fixed, no line breaks, sha256": FIXED,
    "xlsx, trailer": XLSX,
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_what_the_sandbox_shows_is_read(listing, text):
    sandbox, connector = listing(text)
    connector.check()
    assert (expected(sandbox), []) == everything(connector)


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_an_empty_file_is_a_list_of_nobody(listing, monkeypatch, text):
    monkeypatch.setattr(World, "records", lambda *_: [])
    _, connector = listing(text)
    assert ({}, []) == everything(connector)


@pytest.mark.parametrize("text", [way for name, way in WAYS.items() if name not in ("renamed", "an ok file")])
def test_half_a_file_is_unavailable(listing, text):
    sandbox, connector = listing(text)
    sandbox.faults.add("truncate", path=f"/{sandbox.folders[-1]}/Liste")
    if ".md5" in text or ".sha256" in text:  # the companion is the first to be opened
        sandbox.faults.clear()
        sandbox.faults.add("truncate", path=f"/{sandbox.folders[-1]}/Liste", after=1)
    with pytest.raises(Unavailable) as caught:
        everything(connector)
    assert "file-incomplete" == caught.value.reason


@pytest.mark.parametrize("ending", [".md5", ".sha256"])
def test_a_file_that_its_companion_does_not_vouch_for_is_unavailable(listing, ending):
    sandbox, connector = listing(CSV.replace("{trailer: Antal}", f"{{beside: {ending}}}"))
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    path.write_bytes(path.read_bytes().replace(b"VIR", b"VIS", 1))
    with pytest.raises(Unavailable, match=f"what its {ending} file says"):
        everything(connector)
    digest = hashlib.new(ending[1:], path.read_bytes()).hexdigest().upper()
    path.with_name(path.name + ending).write_text(f"{digest} *{path.name}")
    assert len(expected(sandbox)) == len(everything(connector)[0])


def test_a_file_without_its_companion_is_not_there_yet(listing):
    sandbox, connector = listing(CSV.replace("{trailer: Antal}", "{beside: .ok}"))
    for path in (sandbox.root / "skjern/ud").glob("*.ok"):
        path.unlink()
    with pytest.raises(Unavailable) as caught:
        everything(connector)
    assert "file-missing" == caught.value.reason


def test_an_old_file_is_not_taken_for_a_new_one(listing):
    sandbox, connector = listing(CSV.replace("complete:", "oldest: 5\n          complete:"))
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    then = time.time() - 6 * 3600
    os.utime(path, (then, then))
    with pytest.raises(Unavailable, match="older than 5 hours"):
        everything(connector)


def test_only_what_a_newer_file_replaced_is_moved_and_only_when_its_records_are_settled(listing):
    sandbox, connector = listing(CSV.replace("complete:", "taken: {move: '{kommune}/arkiv'}\n          complete:"))
    folder, archive = sandbox.root / "skjern/ud", sandbox.root / "skjern/arkiv"
    (first,) = (path.name for path in folder.iterdir())
    sandbox.to_night(5)
    (second,) = (path.name for path in folder.iterdir() if path.name != first)
    before = everything(connector)
    assert [] == list(archive.iterdir())
    connector.settled(SCHEMA)
    connector.settled(SCHEMA)
    assert [first] == [path.name for path in archive.iterdir()]
    assert before == everything(connector)
    assert [second] == [path.name for path in folder.iterdir()]


def test_a_key_of_two_columns_is_one_that_no_other_two_give(listing):
    sandbox, connector = listing(CSV.replace("key: Nr", "key: [Nr, Navn]"))
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    path.write_bytes(b"Nr,Navn,Ledige\r\na;b,c,1\r\na,b;c,2\r\na,,3\r\nAntal,3\r\n")
    keys = [key for page in connector.read(SCHEMA) for key in page.keys]
    assert 2 == len(set(keys))
    assert ["no-key"] == everything(connector)[1]


def test_broken_rows_of_another_dialect_stay_alone(listing):
    sandbox, connector = listing(CSV)
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    rows = [b'A,"Skov, Eng og ""Co""",1', b"B,for,mange,2", b'C,"aldrig lukket,3', b"D,;semikolon;,4", b"E,,5"]
    path.write_bytes(b"\r\n".join([b"Nr,Navn,Ledige", *rows, b"Antal,5", b""]))
    found, rejected = everything(connector)
    assert ['Skov, Eng og "Co"', ";semikolon;"] == [found[key]["Navn"] for key in ("A", "D")]
    assert ("field-count", "broken-quotes", "missing-field") == (
        found["B"],
        found.get("C", "broken-quotes"),
        found["E"],
    )
    assert set(rejected) <= {"broken-quotes"}


@pytest.mark.parametrize("declared_as", ["latin-1", "cp1252"])
def test_utf_8_under_another_name_is_refused_row_by_row(listing, declared_as):
    sandbox, connector = listing(CSV.replace("latin-1", declared_as))
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    path.write_bytes("Nr,Navn,Ledige\r\nA,Blåbær,1\r\nB,Pærer,2\r\nC,Bo,3\r\nAntal,3\r\n".encode())
    found, _ = everything(connector)
    assert ["wrong-encoding", "wrong-encoding", "Bo"] == [found["A"], found["B"], found["C"]["Navn"]]


def test_latin_1_under_the_name_of_utf_8_is_refused_row_by_row(listing):
    sandbox, connector = listing(CSV.replace("latin-1", "utf-8"))
    (path,) = (sandbox.root / "skjern/ud").glob("*.csv")
    path.write_bytes("Nr,Navn,Ledige\r\nA,Blåbær,1\r\nC,Bo,3\r\nAntal,2\r\n".encode("latin-1"))
    found, _ = everything(connector)
    assert ["not-text", "Bo"] == [found["A"], found["C"]["Navn"]]


def test_a_setting_of_the_declaration_is_wanted(tmp_path):
    sandbox, kind = sandbox_of(tmp_path, CSV)
    account = sandbox.account
    del account.extra["kommune"]
    with pytest.raises(SettingsError, match="kommune"):
        kind(account)
