"""Workbooks: written by another implementation (openpyxl) or by hand, read as rows; what is hidden in them is refused."""

# ruff: noqa: DTZ001 - a spreadsheet's times are those of a clock on the wall

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.errors import Refused, Unavailable
from samspil.files import FileKind, Rows
from samspil.files.celldates import is_date, moment
from samspil.files.csvfile import NotThisKind
from samspil.files.sheet import SheetColumn, SheetFile

COLUMNS = (
    SheetColumn(name="Id", required=True),
    SheetColumn(name="CPR", type="cpr"),
    SheetColumn(name="Postnr", type="digits", length=4, padded=True),
    SheetColumn(name="Dato", type="date"),
    SheetColumn(name="Tid", type="timestamp"),
    SheetColumn(name="Timer", type="decimal"),
    SheetColumn(name="Antal", type="integer"),
    SheetColumn(name="Ja", type="boolean"),
)
KIND = FileKind(file="Liste.xlsx", key="Id", columns=COLUMNS)
NAMES = list(KIND.names)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def book(*rows, title="Ark1", others=()) -> bytes:
    """A workbook of these rows, by openpyxl."""
    made = openpyxl.Workbook(write_only=True)
    for name in (*others, title):
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    made.close()
    return stream.getvalue()


def by_hand(sheet: str, *, strings: str = "", workbook: str = "", compression=zipfile.ZIP_DEFLATED) -> bytes:
    """A workbook of XML written out."""
    office = f"<Relationships><Relationship Id='a' Type='{RELATED}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
    parts = (
        f"<Relationships><Relationship Id='s' Type='{RELATED}/worksheet' Target='/xl/sheet.xml'/>"
        f"<Relationship Id='t' Type='{RELATED}/sharedStrings' Target='strings.xml'/></Relationships>"
    )
    workbook = workbook or "<workbookPr/>"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("_rels/.rels", office)
        archive.writestr("xl/_rels/workbook.xml.rels", parts)
        archive.writestr(
            "xl/workbook.xml",
            f"<workbook xmlns='{MAIN}' xmlns:r='{RELATED}'>{workbook}<sheets><sheet name='Ark1' r:id='s'/></sheets></workbook>",
        )
        archive.writestr("xl/strings.xml", strings or f"<sst xmlns='{MAIN}'/>")
        archive.writestr(
            "xl/sheet.xml", sheet if sheet.startswith("<!") else f"<worksheet xmlns='{MAIN}'>{sheet}</worksheet>"
        )
    return stream.getvalue()


def opened(data: bytes, kind=KIND, **options) -> SheetFile:
    return SheetFile([data], "Liste.xlsx", kind, system="list", **options)


def records(data: bytes, kind=KIND, **options):
    """Each row's record, or its reason and column."""
    file, rows, found = opened(data, kind, **options), Rows(kind), []
    for _, line in file.rows(kind.keys, "list"):
        record = line.refusal("Liste.xlsx") if line.problem else rows.decode(file.prefix + line.data)
        found.append((record.reason, record.field) if isinstance(record, Refused) else record)
    return found


def why(data: bytes, **options) -> str:
    with pytest.raises(NotThisKind) as caught:
        list(opened(data, **options).rows(("Id",), "list"))
    return caught.value.rejected.error.reason


FULL = ["Æ 1", "0102030405", "0800", date(2026, 10, 30), datetime(2026, 10, 30, 8, 15), 37.5, 12, True]


def test_typed_cells_become_texts_of_one_form():
    (record,) = records(book(NAMES, FULL))
    assert ["Æ 1", "0102030405", "0800", "2026-10-30", "2026-10-30T08:15:00", "37.5", "12", "true"] == list(
        record.values()
    )


def test_columns_may_come_in_any_order_and_rows_may_be_empty():
    first, second = records(book(NAMES[::-1], FULL[::-1], [], [None] * 8, ["", "", "", "", "", "", "", "b"]))
    assert ("Æ 1", "b", None) == (first["Id"], second["Id"], second["Dato"])


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("Postnr", 800, "0800"),
        ("Postnr", 8000, "8000"),
        ("Timer", 0.1 + 0.2, "0.3"),
        ("Timer", Decimal("1234567.25"), "1234567.25"),
        ("Timer", -0.5, "-0.5"),
        ("Antal", 3.0, "3"),
        ("CPR", 1102030405, "1102030405"),
        ("Tid", date(2026, 3, 29), "2026-03-29T00:00:00"),
        ("Id", 'to\nlinjer; og "tegn"', 'to\nlinjer; og "tegn"'),
        ("Id", " mellemrum ", " mellemrum "),
    ],
)
def test_a_cell_is_read_as_it_was_meant(column, value, text):
    (record,) = records(book(["Id", *NAMES[1:]], [value if name == column else "x" * (name == "Id") for name in NAMES]))
    assert text == record[column]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("CPR", 102030405, "lost-zero"),
        ("Id", 17, "number-for-text"),
        ("Postnr", 12345, "lost-zero"),
        ("Id", date(2026, 1, 1), "date-for-text"),
        ("Dato", 46000, "number-for-date"),
        ("Dato", datetime(2026, 1, 1, 8), "time-for-date"),
        ("Antal", 2.5, "bad-number"),
        ("Antal", date(2026, 1, 1), "date-for-integer"),
        ("Ja", 1, "number-for-boolean"),
        ("Timer", "=1+1", "formula"),
        ("Timer", "#DIV/0!", "cell-error"),
    ],
)
def test_a_cell_that_may_be_something_else_is_reported_with_row_and_column(column, value, reason):
    bad = [value if name == column else "a" if name == "Id" else None for name in NAMES]
    assert [(reason, f"Liste.xlsx:2:{column}"), "b"] == [
        found if isinstance(found, tuple) else found["Id"] for found in records(book(NAMES, bad, ["b"]))
    ]


def test_a_cell_beside_the_columns_refuses_its_row():
    assert [("field-count", "Liste.xlsx:2")] == records(book(NAMES, [*FULL, "ekstra"]))


def test_a_row_without_its_key_has_none():
    assert [("no-key", "Liste.xlsx:2")] == records(book(NAMES, [None, *FULL[1:]]))


def test_a_header_further_down_and_a_named_sheet():
    data = book(["Udtræk"], [], NAMES, FULL, title="Liste", others=("Forside",))
    assert "Æ 1" == records(data, header=3, sheet="Liste")[0]["Id"]
    assert "missing-sheet" == why(data, header=3)
    assert "missing-sheet" == why(data, header=3, sheet="Andet")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (NAMES[1:], "missing-column"),
        ([*NAMES, "Ny"], "unknown-column"),
        ([*NAMES, "Id"], "duplicate-column"),
        ([], "missing-column"),
    ],
)
def test_a_sheet_with_other_columns_is_rejected(header, reason):
    assert reason == why(book(header, FULL))


def test_a_trailer_vouches_for_the_number_of_rows():
    kind = FileKind(file="Liste.xlsx", key="Id", columns=COLUMNS, trailer="Antal i alt")
    assert 1 == len(records(book(NAMES, FULL, ["Antal i alt", 1]), kind))
    for rows in ([FULL], [FULL, ["Antal i alt", 2]], [["Antal i alt", 0], FULL]):
        with pytest.raises(Unavailable) as caught:
            records(book(NAMES, *rows), kind)
        assert "file-incomplete" == caught.value.reason


@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_part_of_a_workbook_is_unavailable(part):
    data = book(NAMES, FULL)
    with pytest.raises(Unavailable) as caught:
        records(data[: int(len(data) * part)])
    assert "file-incomplete" == caught.value.reason


def test_a_damaged_byte_is_noticed():
    data = bytearray(
        by_hand(f"<sheetData>{'<row><c><v>1</v></c></row>' * 3}</sheetData>", compression=zipfile.ZIP_STORED)
    )
    data[data.index(b"<v>1") + 3] = ord("2")
    with pytest.raises((Unavailable, NotThisKind)):
        records(bytes(data))


def test_what_is_no_workbook_is_rejected():
    assert "not-xlsx" == why(b"Id;CPR\r\n")
    assert "not-xlsx" == why(b"")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "not-xlsx" == why(stream.getvalue())


def inline(*texts: str) -> str:
    """A row with its texts in it."""
    return "<row>" + "".join(f"<c t='inlineStr'><is><t>{text}</t></is></c>" for text in texts) + "</row>"


HEADER = inline(*NAMES)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    bomb = by_hand(f"<sheetData>{HEADER}</sheetData>" + " " * 50_000_000)
    assert len(bomb) < 100_000
    script = textwrap.dedent("""
        import resource, sys
        from samspil.files.workbook import Workbook
        from samspil.files.workbookparts import NotAWorkbook
        data = sys.stdin.buffer.read()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            Workbook(data)
        except NotAWorkbook as error:
            print(error.reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000)
    """)
    done = subprocess.run([sys.executable, "-c", script], input=bomb, capture_output=True, check=True)
    assert b"zip-bomb True\n" == done.stdout


def test_many_members_that_together_are_too_large_are_a_bomb(monkeypatch):
    monkeypatch.setattr("samspil.files.workbook.UNPACKED", 1_000)
    assert "zip-bomb" == why(book(NAMES, FULL))
    monkeypatch.setattr("samspil.files.workbook.UNPACKED", 1 << 30)
    monkeypatch.setattr("samspil.files.workbook.MEMBERS", 3)
    assert "zip-bomb" == why(book(NAMES, FULL))


def test_a_member_that_is_there_twice_is_refused():
    stream = io.BytesIO(book(NAMES, FULL))
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "zip-bomb" == why(stream.getvalue())


def test_a_workbook_larger_than_the_limit_is_not_held(monkeypatch):
    monkeypatch.setattr("samspil.files.sheet.LARGEST", 1_000)
    assert "too-large" == why(book(NAMES, FULL))


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><worksheet><sheetData><row><c><v>&e;</v></c></row></sheetData></worksheet>",
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><worksheet>&b;</worksheet>",
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><worksheet/>",
    ],
    ids=["outside entity", "growing entity", "outside document type"],
)
def test_a_document_type_is_refused_in_every_part(document):
    assert "xml-doctype" == why(by_hand(document))
    assert "xml-doctype" == why(by_hand("<sheetData/>", strings=document.replace("worksheet", "sst")))


def test_broken_xml_is_rejected():
    assert "xml-malformed" == why(by_hand(f"<sheetData>{HEADER}<row></sheetData>"))
    many = inline("a") * 5_000
    assert "xml-malformed" == why(by_hand(f"<sheetData>{HEADER}{many}<row></sheetData>"))


def test_texts_in_all_the_ways_xlsx_has():
    strings = (
        f"<sst xmlns='{MAIN}'><si><t>hel</t></si><si><r><t>de</t></r><r><t>lt</t></r></si>"
        "<si><t>navn</t><rPh sb='0' eb='1'><t>udtale</t></rPh></si><si><t>a_x000D_b_x005F_c</t></si></sst>"
    )
    cells = "".join(
        f"<row r='{number + 2}'><c r='A{number + 2}' t='s'><v>{number}</v></c></row>" for number in range(4)
    )
    found = records(by_hand(f"<sheetData>{HEADER}{cells}</sheetData>", strings=strings))
    assert ["hel", "delt", "navn", "a\rb_c"] == [record["Id"] for record in found]


def test_a_shared_string_that_is_not_there_is_a_broken_cell():
    cell = "<row r='2'><c r='A2' t='s'><v>7</v></c></row>"
    assert [("cell-error", "Liste.xlsx:2:Id")] == records(by_hand(f"<sheetData>{HEADER}{cell}</sheetData>"))


def test_a_character_may_be_written_as_two_halves_and_not_as_one():
    halves = ["_xD83E__xDDEA_", "_xD83E_", "_xDDEA__xD83E_"]
    rows = "".join(inline(half, "x") for half in halves)
    kind = FileKind(file="Liste", key="B", columns=(SheetColumn(name="A"), SheetColumn(name="B")))
    data = by_hand(f"<sheetData>{inline('A', 'B')}{rows}</sheetData>")
    found = records(data, kind)
    assert "\U0001f9ea" == found[0]["A"]
    assert ["cell-error", "cell-error"] == [reason for reason, _ in found[1:]]


def test_a_list_of_members_that_points_before_the_file_is_part_of_a_workbook():
    data = book(NAMES, FULL)
    at = data.rindex(b"PK\x05\x06") + 16  # where the list begins
    offset = int.from_bytes(data[at : at + 4], "little") + 5_000
    with pytest.raises((Unavailable, NotThisKind)):
        records(data[:at] + offset.to_bytes(4, "little") + data[at + 4 :])


@pytest.mark.parametrize(("flag", "reason"), [(0x20, "file-incomplete"), (0x40, "file-incomplete")])
def test_a_member_packed_in_a_way_that_xlsx_has_not_is_no_crash(flag, reason):
    data = bytearray(book(NAMES, FULL))
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= flag
    with pytest.raises(Unavailable) as caught:
        records(bytes(data))
    assert reason == caught.value.reason


def test_a_row_of_countless_cells_is_cut_off():
    cells = "<c t='inlineStr'><is><t>a</t></is></c>" * 5_000
    assert [("line-too-large", "Liste.xlsx:2")] == records(
        by_hand(f"<sheetData>{HEADER}<row>{cells}</row></sheetData>")
    )


@given(
    st.datetimes(min_value=datetime(1900, 3, 1), max_value=datetime(9999, 12, 31)).map(
        lambda d: d.replace(microsecond=0)
    )
)
def test_dates_agree_with_openpyxl(when):
    days = openpyxl.utils.datetime.to_excel(when)
    kind, text = moment(days, from_1904=False)
    assert (when.date().isoformat() if kind == "date" else when.isoformat()) == text


@pytest.mark.parametrize(
    ("days", "from_1904", "text"),
    [(1, False, "1900-01-01"), (59, False, "1900-02-28"), (61, False, "1900-03-01"), (0, True, "1904-01-01")],
)
def test_the_first_days_of_both_calendars(days, from_1904, text):
    assert ("date", text) == moment(days, from_1904=from_1904)


@pytest.mark.parametrize("days", [60, 60.5, -1, 0.5, 3_000_000, float("nan"), float("inf")])
def test_a_number_that_is_no_day_is_no_date(days):
    with pytest.raises(ValueError, match="no date"):
        moment(days, from_1904=False)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("dd-mm-yyyy", True),
        ("[$-406]d. mmmm yyyy;@", True),
        ("[hh]:mm", True),
        ("0.00", False),
        ('0 "dage"', False),
        ("[Red]0", False),
        ("General", False),
        ("#,##0\\d", False),
    ],
)
def test_a_number_format_tells_a_date(form, expected):
    assert expected == is_date(form)


def test_a_hundred_thousand_rows_take_no_more_memory_than_ten_thousand():
    """Peak memory of a process that reads the rows, above what it has once the packed file is there."""
    script = textwrap.dedent("""
        import io, resource, sys, zipfile
        from samspil.files import FileKind
        from samspil.files.sheet import SheetColumn, SheetFile
        names = ["Id", "Navn", "Adresse", "By", "Pladser"]
        kind = FileKind(file="L.xlsx", key="Id", columns=tuple(SheetColumn(name=name) for name in names))
        data = sys.stdin.buffer.read()
        file = SheetFile([data], "L.xlsx", kind, system="list")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        count = sum(1 for _ in file.rows(("Id",), "list"))
        print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)
    used = []
    for count in (10_000, 100_000):
        head = inline("Id", "Navn", "Adresse", "By", "Pladser")
        body = "".join(inline(f"V{n}", f"Navn {n}", f"Vej {n}", f"By {n}", f"{n}") for n in range(count))
        data = by_hand(f"<sheetData>{head}{body}</sheetData>")
        done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)
        rows, kilobytes = map(int, done.stdout.split())
        assert count == rows
        used.append(kilobytes)
    assert used[1] < used[0] + 4_096
