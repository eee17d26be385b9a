"""What a drop's connector.yaml may say, and that what cannot work names its file, line and field."""

from __future__ import annotations

import textwrap

import pytest

from samspil.connector import Reads, Writes
from samspil.declared import declared
from samspil.errors import SettingsError

CSV = """\
kind: drop
title: A list (liste)
folder: "{kommune}/ud"
settings: {kommune: the municipality's folder}
reads:
  company:
    record: Virksomhed
    files: Liste_{date}.csv
    format: csv
    delimiter: ","
    key: [Skole, Nr]
    complete: {trailer: Antal}
    taken: {move: arkiv}
    columns:
      - {name: Skole, required: true}
      - {name: Nr, required: true}
      - {name: Navn}
writes:
  company:
    record: Virksomhed
    file: Ind_{delivery}.csv
    format: csv
    key: Nr
    receipts: none
    columns:
      - {name: Skole, required: true}
      - {name: Nr, required: true}
      - {name: Navn}
"""
FIXED = """\
kind: drop
title: A register
reads:
  person:
    record: Person
    files: U.txt
    format: fixed
    key: Id
    complete: end
    lines:
      width: 20
      type: {start: 1, length: 2}
      end: {type: "99", count: {start: 3, length: 5}}
      records:
        "10":
          - {name: Id, start: 3, length: 4}
          - {name: Navn, start: 7, length: 10}
        "20":
          - {name: Id, start: 3, length: 4}
          - {name: Vej, start: 7, length: 10}
"""
XLSX = """\
kind: drop
title: A sheet
reads:
  company:
    record: Virksomhed
    files: Liste.xlsx
    format: xlsx
    key: Nr
    complete: renamed
    columns:
      - {name: Nr, required: true}
      - {name: Postnr, type: digits, length: 4, padded: true}
"""


def made(folder, text):
    path = folder / "a_list" / "connector.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text), "utf-8")
    return declared(path)


def test_a_declaration_is_a_connector_s_class(tmp_path):
    kind = made(tmp_path, CSV)
    assert ("AList", "A list (liste)") == (kind.__name__, kind.title)
    assert {"company": Reads("Virksomhed")} == kind.reads
    assert {"company": Writes("Virksomhed", batch=500, deletes=False, idempotency="id")} == kind.writes
    assert ["Skole", "Nr", "Navn"] == list(kind.fields("company"))
    assert "kommune" in kind.Settings.__struct_fields__


@pytest.mark.parametrize("text", [FIXED, XLSX])
def test_the_other_formats_are_connectors_too(tmp_path, text):
    assert made(tmp_path, text).reads


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "field", "message"),
    [
        (CSV, "format: csv\n    delimiter", "format: cvs\n    delimiter", 9, "reads.company.format", "cvs"),
        (CSV, 'delimiter: ","', 'delimiter: "x"', 10, "reads.company.delimiter", "enum"),
        (CSV, "key: [Skole, Nr]", "key: [Skole, Nummer]", 14, "reads.company.columns", "Nummer is not among"),
        (CSV, "files: Liste_{date}.csv", "files: Liste_{dato}.csv", 8, "reads.company.files", "{dato}"),
        (CSV, "complete: {trailer: Antal}", "complete: {}", 12, "reads.company.complete", "whole file"),
        (CSV, "complete: {trailer: Antal}", "complete: end", 12, "reads.company.complete", "end record"),
        (CSV, "complete: {trailer: Antal}", "complete: {beside: .zip}", 12, "reads.company.complete.beside", ".zip"),
        (CSV, "    complete: {trailer: Antal}\n", "", 6, "reads.company", "complete"),
        (CSV, "{move: arkiv}", "{move: '{skole}'}", 13, "reads.company.taken.move", "no setting skole"),
        (CSV, 'folder: "{kommune}/ud"', 'folder: "{by}/ud"', 3, "folder", "no setting by"),
        (CSV, "{kommune: the", "{password: the", 4, "settings.password", "no name for a setting"),
        (CSV, "    taken: {move: arkiv}", "    sheet: Ark1", 6, "reads.company", "sheet"),
        (CSV, "file: Ind_{delivery}.csv", "file: Ind.csv", 21, "writes.company.file", "{delivery}"),
        (CSV, "    key: Nr\n", "    key: Nummer\n", 19, "writes.company", "Nummer is not among"),
        (CSV, "receipts: none", "receipts: {folder: k, status: S, ok: OK}", 24, "writes.company.receipts", "delivery"),
        (
            CSV,
            "receipts: none\n    columns:",
            "receipts: none\n    columns:\n      - {name: Ny}",
            19,
            "writes.company",
            "is read too",
        ),
        (
            CSV,
            "    receipts: none",
            "    receipts: none\n    theirs: Navn",
            25,
            "writes.company.theirs",
            "without receipts",
        ),
        (CSV, "    receipts: none", "    receipts: none\n    batch: 0", 25, "writes.company.batch", "at least 1"),
        (FIXED, "complete: end", "complete: renamed", 9, "reads.person.complete", "end record"),
        (FIXED, "complete: end", "complete: {trailer: A}", 9, "reads.person.complete", "end"),
        (
            FIXED,
            'start: 7, length: 10}\n        "20"',
            'start: 6, length: 10}\n        "20"',
            15,
            "reads.person.lines.records.10",
            "overlap",
        ),
        (
            FIXED,
            "{name: Vej, start: 7, length: 10}",
            "{name: Vej, start: 7, length: 20}",
            20,
            "reads.person.lines.records.20[1]",
            "width of 20",
        ),
        (FIXED, "{name: Vej, start: 7", "{name: Vej, start: 0", 20, "reads.person.lines.records.20[1]", "count from 1"),
        (FIXED, "name: Vej", "name: Navn", 10, "reads.person.lines", "Navn is there twice"),
        (FIXED, "      type: {start: 1, length: 2}\n", "", 10, "reads.person.lines", "needs type"),
        (FIXED, 'end: {type: "99"', 'end: {type: "999"', 12, "reads.person.lines.type", "does not fit"),
        (FIXED, 'end: {type: "99"', 'end: {type: "10"', 10, "reads.person.lines", "two kinds of line"),
        (FIXED, "      width: 20\n", "      breaks: false\n", 11, "reads.person.lines.breaks", "need a width"),
        (
            FIXED,
            "      records:",
            "      columns: [{name: Id, start: 3, length: 4}]\n      records:",
            10,
            "reads.person.lines",
            "not both",
        ),
        (
            FIXED,
            "{name: Vej, start: 7, length: 10}",
            "{name: Vej, start: 7}",
            20,
            "reads.person.lines.records.20[1]",
            "length",
        ),
        (XLSX, "length: 4, padded", "length: 40, padded", 12, "reads.company.columns[1].length", "at most 15"),
        (XLSX, "type: digits, length: 4", "type: date", 12, "reads.company.columns[1].padded", "only text"),
        (XLSX, "complete: renamed", "complete: renamed\n    header: 0", 10, "reads.company.header", "count from 1"),
        (XLSX, "name: Postnr", "name: Post nr.", 10, "reads.company.columns", "no name for a field"),
        (
            FIXED,
            "name: Vej, start",
            "name: Vej, title: Vej, start",
            20,
            "reads.person.lines.records.20[1].title",
            "no header",
        ),
        (XLSX, "reads:\n", "recieves:\n", 1, "", "recieves"),
        (XLSX, "required: true", "required: yes please", 11, "reads.company.columns[0].required", "bool"),
    ],
)
def test_what_cannot_work_names_file_line_and_field(tmp_path, text, old, new, line, field, message):
    assert 1 == text.count(old)
    with pytest.raises(SettingsError, match=r"connector\.yaml") as caught:
        made(tmp_path, text.replace(old, new))
    assert message in str(caught.value)
    assert (field, line) == (caught.value.field, caught.value.line)


def test_a_declaration_that_does_nothing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="neither reads nor writes"):
        made(tmp_path, "kind: drop\ntitle: Nothing\n")
