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
settings: {kommune: {about: the municipality's folder}}
schemas:
  company:
    record: Virksomhed
    key: Nr
    list:
      files: Liste_{date}.csv
      format: csv
      delimiter: ","
      complete: {trailer: Antal}
      taken: {move: arkiv}
      columns:
        - {name: Skole, required: true}
        - {name: Nr, required: true}
        - {name: Navn}
    write:
      file: Ind_{delivery}.csv
      format: csv
      receipt: none
      columns:
        - {name: Skole, required: true}
        - {name: Nr, required: true}
        - {name: Navn}
"""
FIXED = """\
kind: drop
title: A register
schemas:
  person:
    record: Person
    key: Id
    list:
      files: U.txt
      format: fixed
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
schemas:
  company:
    record: Virksomhed
    key: Nr
    list:
      files: Liste.xlsx
      format: xlsx
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
        (CSV, "format: csv\n      delimiter", "format: cvs\n      delimiter", 11, "schemas.company.list.format", "cvs"),
        (CSV, 'delimiter: ","', 'delimiter: "x"', 12, "schemas.company.list.delimiter", "enum"),
        (CSV, "key: Nr\n", "key: [Skole, Nummer]\n", 15, "schemas.company.list.columns", "Nummer is not among"),
        (CSV, "files: Liste_{date}.csv", "files: Liste_{dato}.csv", 10, "schemas.company.list.files", "{dato}"),
        (CSV, "complete: {trailer: Antal}", "complete: {}", 13, "schemas.company.list.complete", "whole file"),
        (CSV, "complete: {trailer: Antal}", "complete: end", 13, "schemas.company.list.complete", "end record"),
        (
            CSV,
            "complete: {trailer: Antal}",
            "complete: {beside: .zip}",
            13,
            "schemas.company.list.complete.beside",
            ".zip",
        ),
        (CSV, "      complete: {trailer: Antal}\n", "", 9, "schemas.company.list", "complete"),
        (
            CSV,
            "{move: arkiv}",
            "{move: '{skole}'}",
            14,
            "schemas.company.list.taken.move",
            "{skole} is no setting; there are: kommune",
        ),
        (CSV, 'folder: "{kommune}/ud"', 'folder: "{by}/ud"', 3, "folder", "{by} is no setting"),
        (CSV, "{kommune: {", "{password: secret, kommune: {", 4, "settings.password", "is a setting already"),
        (CSV, "      taken: {move: arkiv}", "      sheet: Ark1", 9, "schemas.company.list", "sheet"),
        (CSV, "file: Ind_{delivery}.csv", "file: Ind.csv", 20, "schemas.company.write.file", "{delivery}"),
        (
            CSV,
            "      receipt: none",
            "      receipt: none\n      key: Nummer",
            19,
            "schemas.company.write",
            "Nummer is not among",
        ),
        (
            CSV,
            "receipt: none",
            "receipt: {folder: k, status: S, passed: [OK]}",
            22,
            "schemas.company.write.receipt",
            "name it in key",
        ),
        (
            CSV,
            "receipt: none",
            "receipt: {folder: k, status: S, passed: []}",
            22,
            "schemas.company.write.receipt.passed",
            "length",
        ),
        (
            CSV,
            "receipt: none\n      columns:",
            "receipt: none\n      columns:\n        - {name: Ny}",
            19,
            "schemas.company.write",
            "is read too",
        ),
        (
            CSV,
            "      receipt: none",
            "      receipt: none\n      id: Navn",
            23,
            "schemas.company.write.id",
            "without receipts",
        ),
        (CSV, "      receipt: none", "      receipt: none\n      batch: 0", 23, "schemas.company.write.batch", ">= 1"),
        (FIXED, "complete: end", "complete: renamed", 10, "schemas.person.list.complete", "end record"),
        (FIXED, "complete: end", "complete: {trailer: A}", 10, "schemas.person.list.complete", "end"),
        (
            FIXED,
            'start: 7, length: 10}\n          "20"',
            'start: 6, length: 10}\n          "20"',
            16,
            "schemas.person.list.lines.records.10",
            "overlap",
        ),
        (
            FIXED,
            "{name: Vej, start: 7, length: 10}",
            "{name: Vej, start: 7, length: 20}",
            21,
            "schemas.person.list.lines.records.20[1]",
            "width of 20",
        ),
        (
            FIXED,
            "{name: Vej, start: 7",
            "{name: Vej, start: 0",
            21,
            "schemas.person.list.lines.records.20[1]",
            "count from 1",
        ),
        (FIXED, "name: Vej", "name: Navn", 11, "schemas.person.list.lines", "Navn is there twice"),
        (FIXED, "        type: {start: 1, length: 2}\n", "", 11, "schemas.person.list.lines", "needs type"),
        (FIXED, 'end: {type: "99"', 'end: {type: "999"', 13, "schemas.person.list.lines.type", "does not fit"),
        (FIXED, 'end: {type: "99"', 'end: {type: "10"', 11, "schemas.person.list.lines", "two kinds of line"),
        (
            FIXED,
            "        width: 20\n",
            "        breaks: false\n",
            12,
            "schemas.person.list.lines.breaks",
            "need a width",
        ),
        (
            FIXED,
            "        records:",
            "        columns: [{name: Id, start: 3, length: 4}]\n        records:",
            11,
            "schemas.person.list.lines",
            "not both",
        ),
        (
            FIXED,
            "{name: Vej, start: 7, length: 10}",
            "{name: Vej, start: 7}",
            21,
            "schemas.person.list.lines.records.20[1]",
            "length",
        ),
        (XLSX, "length: 4, padded", "length: 40, padded", 13, "schemas.company.list.columns[1].length", "at most 15"),
        (XLSX, "type: digits, length: 4", "type: date", 13, "schemas.company.list.columns[1].padded", "only text"),
        (
            XLSX,
            "complete: renamed",
            "complete: renamed\n      header: 0",
            11,
            "schemas.company.list.header",
            "count from 1",
        ),
        (XLSX, "name: Postnr", "name: Post nr.", 11, "schemas.company.list.columns", "no name for a field"),
        (
            FIXED,
            "name: Vej, start",
            "name: Vej, title: Vej, start",
            21,
            "schemas.person.list.lines.records.20[1].title",
            "no header",
        ),
        (XLSX, "schemas:\n", "shemas:\n", 1, "", "shemas"),
        (XLSX, "required: true", "required: yes please", 12, "schemas.company.list.columns[0].required", "bool"),
    ],
)
def test_what_cannot_work_names_file_line_and_field(tmp_path, text, old, new, line, field, message):
    assert 1 == text.count(old), old
    with pytest.raises(SettingsError, match=r"connector\.yaml") as caught:
        made(tmp_path, text.replace(old, new))
    assert message in str(caught.value)
    assert (field, line) == (caught.value.field, caught.value.line)


def test_a_declaration_that_does_nothing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="needs a `list` to be read or a `write` to be written"):
        made(tmp_path, "kind: drop\ntitle: Nothing\nschemas: {company: {record: R, key: K}}\n")


def test_a_key_may_be_several_columns_where_nothing_is_called_by_it(tmp_path):
    several = CSV.replace("key: Nr", "key: [Skole, Nr]")
    with pytest.raises(SettingsError, match="a record is called by its key, which must be one column"):
        made(tmp_path, several)
    assert made(tmp_path, several[: several.index("    write:")]).reads
