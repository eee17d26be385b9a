"""Cutting a stream of bytes into CSV lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.files.lines import LIMIT, Line, Unfinished, cells, cut

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\x18\x1d\x1e"), max_size=12) | st.text(
    'a;"\n\r =', max_size=8
)
ROWS = st.lists(st.lists(TEXT, min_size=2, max_size=4), max_size=6)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.integers(1, 50))
def test_cutting_and_splitting_give_the_rows_that_were_written(rows, line_end, quoting, size):
    stream = io.StringIO(newline="")
    # the module's writer leaves a lone line break of the other kind unquoted, so those fields are quoted by hand
    quoted = quoting if not any("\r" in text or "\n" in text for row in rows for text in row) else csv.QUOTE_ALL
    csv.writer(stream, delimiter=";", lineterminator=line_end, quoting=quoted).writerows(rows)
    found = [cells(line.data) for line in cut(pieces(stream.getvalue().encode(), size))]
    assert [[text.encode() for text in row] for row in rows] == found


@given(st.text('ab;"\n', max_size=60))
def test_cutting_agrees_with_the_csv_module_on_any_text_that_module_accepts(text):
    text += "\n"
    try:
        expected = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True) if row]
    except csv.Error:
        return
    lines = list(cut([text.encode()]))
    assert [""] * len(lines) == [line.problem for line in lines]
    assert expected == [[cell.decode() for cell in cells(line.data) or ()] for line in lines]


@given(st.binary(max_size=200), st.integers(1, 30))
def test_cutting_gives_the_same_lines_however_the_stream_is_chopped(data, size):
    data += b"\n"
    assert list(cut([data])) == list(cut(pieces(data, size)))


def test_lines_are_numbered_as_an_editor_does():
    data = b'a;b\n1;"x\ny"\n\n2;z\n'
    assert [Line(1, b"a;b"), Line(2, b'1;"x\ny"'), Line(5, b"2;z")] == list(cut([data]))


def test_a_quote_that_is_never_closed_costs_its_own_line_only():
    data = b'1;"never closed\n2;x\n3;"y"\n'
    assert [
        Line(1, b'1;"never closed', "broken-quotes"),
        Line(2, b"2;x"),
        Line(3, b'3;"y"'),
    ] == list(cut([data]))


def test_a_line_larger_than_the_limit_is_refused_and_not_kept_whole():
    lines = list(cut([b"x" * LIMIT, b"y" * LIMIT, b"\n1;2\n"]))
    assert ["line-too-large", ""] == [line.problem for line in lines]
    assert LIMIT + 1 == len(lines[0].data)


def test_an_oversized_quoted_field_is_refused():
    data = b'1;"' + b"a\n" * LIMIT + b'"\n'
    first = next(cut([data]))
    assert Line(1, b'1;"a', "broken-quotes") == first


@pytest.mark.parametrize("data", [b"a\x1d;b\n", b'"a\x1e";b\n', b"a\x18;b\n"])
def test_bytes_that_frame_raw_records_cannot_come_in_through_a_row(data):
    assert ["not-text"] == [line.problem for line in cut([data])]


def test_a_lone_carriage_return_is_no_line_end():
    assert ["broken-line"] == [line.problem for line in cut([b"a;b\rc;d\n"])]


def test_a_stream_that_stops_in_a_line_is_unfinished():
    with pytest.raises(Unfinished):
        list(cut([b"a;b\n1;", b"2"]))
