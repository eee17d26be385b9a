"""Fixed-width lines: cut, put together by their key, counted, and written so that they read back the same."""

from __future__ import annotations

from itertools import chain

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.errors import Refused, Unavailable
from samspil.files import FileKind, Rows, check
from samspil.files.csvfile import NotThisKind
from samspil.files.fixed import FixedFile
from samspil.files.layout import FixedColumn, Layout, kept
from samspil.testing.traced import traced

LAYOUT = msgspec.convert(
    {
        "width": 24,
        "type": {"start": 1, "length": 2},
        "start": "00",
        "end": {"type": "99", "count": {"start": 3, "length": 6}},
        "records": {
            "10": [
                {"name": "Id", "start": 3, "length": 4, "required": True},
                {"name": "Navn", "start": 7, "length": 8},
                {"name": "Tal", "start": 15, "length": 5, "align": "right", "fill": "0"},
            ],
            "20": [
                {"name": "Id", "start": 3, "length": 4, "required": True},
                {"name": "Vej", "start": 7, "length": 10, "align": "right"},
            ],
        },
    },
    Layout,
)
KIND = FileKind(file="U.txt", key="Id", columns=LAYOUT.every)
TEXT = st.text("aæøÅ;\"' 0", max_size=8)


def records(data: bytes, layout=LAYOUT, kind=KIND, chunk=7):
    """Each record by its key, or its reason; the file comes in small pieces."""
    file = FixedFile((data[at : at + chunk] for at in range(0, len(data), chunk)), "U.txt", kind, layout)
    rows, found = Rows(kind), []
    for key, line in file.rows(kind.keys, "register"):
        record = line.refusal("U.txt") if line.problem else rows.decode(file.prefix + line.data)
        found.append((key.decode(), record.reason if isinstance(record, Refused) else record))
    return found


def lines(*texts: str, end: int | None = None) -> bytes:
    count = len(texts) if end is None else end
    return "".join(f"{text:24}\r\n" for text in ["00", *texts, f"99{count:06}"]).encode("latin-1")


def test_lines_with_one_key_are_one_record():
    found = records(lines("10A   Åse     00042", "20A      Vej 1 B", "10B   Bo      00000"))
    assert [
        ("A", {"Id": "A", "Navn": "Åse", "Tal": "42", "Vej": "Vej 1 B"}),
        ("B", {"Id": "B", "Navn": "Bo", "Tal": "0", "Vej": None}),
    ] == found


def test_blanks_are_nothing_also_where_zeros_fill():
    assert [("A", {"Id": "A", "Navn": None, "Tal": None, "Vej": None})] == records(lines("10A"))


def test_the_last_line_needs_no_line_break():
    assert 1 == len(records(lines("10A").rstrip(b"\r\n")))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["10A", "20B        Vej 1"], [("A", ""), ("", "orphan-row")]),
        (["10A", "20A    Vej 1", "20A    Vej 2"], [("A", "repeated-line")]),
        (["10A", "30A"], [("A", "unknown-record-type")]),
        (["10A", "?", "10B"], [("", "unknown-record-type"), ("A", "unknown-record-type"), ("B", "")]),
        (["10    Navn"], [("", "no-key")]),
        (["10A", "10A"], [("A", ""), ("A", "")]),  # a key that comes twice is for the flow to judge
        (["10A   \x1d"], [("A", "not-text")]),
    ],
)
def test_what_is_wrong_stays_with_its_record(texts, expected):
    found = [(key, record if isinstance(record, str) else "") for key, record in records(lines(*texts))]
    assert sorted(expected) == sorted(found)


def test_a_line_of_another_length_is_refused_and_may_still_have_its_key():
    data = (
        lines("10A", "10B", "10C")
        .replace(b"10B" + b" " * 21, b"10B" + b" " * 9)
        .replace(b"10C" + b" " * 21, b"10C   " + b"x" * 30)
    )
    assert [("A", ""), ("B", "line-length"), ("C", "line-length")] == [
        (key, record if isinstance(record, str) else "") for key, record in records(data)
    ]


@pytest.mark.parametrize("end", [0, 1, 3])
def test_another_count_is_unavailable(end):
    with pytest.raises(Unavailable) as caught:
        records(lines("10A", "20A", end=end))
    assert "file-incomplete" == caught.value.reason


@given(st.integers(min_value=1))
def test_no_cut_reads_as_a_whole_file(at):
    data = lines("10A   Åse     00042", "20A      Vej 1 B", "10B   Bo      00000")
    cut = at % (len(data) - 18)  # the last line's blanks say nothing
    with pytest.raises((Unavailable, NotThisKind)):
        records(data[:cut])


def test_all_lines_may_be_counted():
    layout = msgspec.structs.replace(LAYOUT, end=msgspec.structs.replace(LAYOUT.end, counts="all"))
    assert 2 == len(records(lines("10A", "10B", end=4), layout))


def test_lines_without_line_breaks():
    layout = msgspec.structs.replace(LAYOUT, breaks=False)
    data = lines("10A   Åse", "10B").replace(b"\r\n", b"")
    assert ["A", "B"] == [key for key, _ in records(data, layout)]
    with pytest.raises(Unavailable):
        records(data[:-30], layout)


def test_a_file_of_one_type_of_line_needs_no_type():
    layout = Layout(columns=(FixedColumn(name="Id", start=1, length=3), FixedColumn(name="Navn", start=4, length=10)))
    kind = FileKind(file="U.txt", key="Id", columns=layout.every)
    assert [("001", {"Id": "001", "Navn": 'Bo; "B"'})] == records(b'001Bo; "B"\n', layout, kind)


def test_too_many_broken_lines_are_another_file(monkeypatch):
    monkeypatch.setattr("samspil.files.fixed.BROKEN", 3)
    with pytest.raises(NotThisKind):
        records(lines(*["77"] * 4))


@given(
    st.lists(st.fixed_dictionaries({"Navn": TEXT, "Tal": st.integers(0, 99_999).map(str), "Vej": TEXT}), max_size=5),
    st.booleans(),
)
def test_what_is_written_is_read_back_or_refused(rows, breaks):
    layout = msgspec.structs.replace(LAYOUT, breaks=breaks)
    written = []
    for number, row in enumerate(rows):
        record = {"Id": f"{number}", **row}
        try:
            check(KIND, record, "latin-1")
            kept(LAYOUT.every, record)
        except Refused:
            continue
        written.append(record)
    found = records(layout.rendered(("Id",), written), layout)
    assert [{name: text or None for name, text in record.items()} for record in written] == [
        {name: record[name] for name in ("Id", "Navn", "Tal", "Vej")} for _, record in found
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"Id": "A", "Navn": "for lang til den"}, "too-long"),
        ({"Id": "A", "Navn": "€"}, "not-in-character-set"),
        ({"Id": "A", "Navn": "to\nlin"}, "not-text"),
        ({"Id": "A", "Navn": "slut "}, "not-kept"),
        ({"Id": "A", "Tal": "007"}, "not-kept"),
        ({"Navn": "Bo"}, "missing-field"),
    ],
)
def test_a_cell_that_would_read_back_as_another_is_refused(record, reason):
    def judge():
        check(KIND, record, "latin-1")
        kept(LAYOUT.every, record)

    with pytest.raises(Refused) as caught:
        judge()
    assert reason == caught.value.reason


def test_twenty_thousand_lines_are_never_held():
    data = (f"10{number % 10_000:04}Navn    00001".encode().ljust(24) + b"\r\n" for number in range(20_000))
    framed = chain([b"00".ljust(24) + b"\r\n"], data, [b"99020000".ljust(24)])
    layout = msgspec.structs.replace(LAYOUT, width=0)
    file = FixedFile(framed, "U.txt", KIND, layout)
    with traced() as memory:
        count = sum(1 for _ in file.rows(("Id",), "register"))
        peak = memory.peak
    assert 20_000 == count
    assert peak < 1 << 18  # half of the file
