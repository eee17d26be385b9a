"""Files as a sender's job writes them, from a declaration but without ``samspil.files``: a fault there is not repeated.

A row is a dict of column → value: text, or (in a workbook) a number, a date, a flag. ``broken`` tells for each row the
damage that lies in the file's form (``unknown-field``, ``broken-syntax``); empty if none.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

from samspil.declared.drop.declaration import CsvReading, FixedReading, XlsxReading

Row = dict[str, Any]


def written(
    reading: CsvReading | XlsxReading | FixedReading, keys: Sequence[str], rows: Sequence[Row], broken: Sequence[str]
) -> bytes:
    """A file of these rows, named by the columns ``keys``, with what makes it complete."""
    if isinstance(reading, CsvReading):
        return _csv(reading, rows, broken)
    if isinstance(reading, XlsxReading):
        return _workbook(reading, rows, broken)
    return _fixed(reading, keys, rows, broken)


def vouching(beside: str, data: bytes) -> bytes:
    """What stands in the file beside another."""
    digests = {".md5": lambda: hashlib.md5(data, usedforsecurity=False), ".sha256": lambda: hashlib.sha256(data)}
    return f"{digests[beside]().hexdigest()}  file\n".encode() if beside in digests else b""


def _csv(reading: CsvReading, rows: Sequence[Row], broken: Sequence[str]) -> bytes:
    names = [column.name for column in reading.columns]
    lines = [_line(reading, [column.title or column.name for column in reading.columns])] if reading.header else []
    for row, damage in zip(rows, broken, strict=True):
        line = _line(reading, ["" if row[name] is None else str(row[name]) for name in names])
        if damage == "unknown-field":
            line = line.removesuffix("\r\n") + f"{reading.delimiter}ekstra\r\n"
        elif damage == "broken-syntax":
            line = line.replace(reading.delimiter, f'{reading.delimiter}"', 1)  # a quote that nobody closes
        lines.append(line)
    if reading.how.trailer:
        lines.append(_line(reading, [reading.how.trailer, str(len(rows))]))
    mark = codecs.BOM_UTF8 if reading.encoding == "utf-8" else b""
    return mark + "".join(lines).encode(reading.encoding)


def _line(reading: CsvReading, cells: Sequence[str]) -> str:
    if not reading.quotes:
        return reading.delimiter.join(cells) + "\r\n"
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=reading.delimiter, lineterminator="\r\n").writerow(cells)
    return stream.getvalue()


def _workbook(reading: XlsxReading, rows: Sequence[Row], broken: Sequence[str]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(reading.sheet or "Ark1")
    names = [column.name for column in reading.columns]
    for _ in range(1, reading.header):
        sheet.append(["Udtræk"])
    sheet.append([column.title or column.name for column in reading.columns])
    for row, damage in zip(rows, broken, strict=True):
        cells = [row[name] for name in names]
        if damage == "unknown-field":
            cells.append("ekstra")
        elif damage == "broken-syntax":
            cells[-1] = "=1/0"
        sheet.append(cells)
    if reading.how.trailer:
        sheet.append([reading.how.trailer, len(rows)])
    stream = io.BytesIO()
    book.save(stream)
    book.close()
    return stream.getvalue()


def _fixed(reading: FixedReading, keys: Sequence[str], rows: Sequence[Row], broken: Sequence[str]) -> bytes:
    form = reading.lines
    longest = form.width or max(c.start - 1 + c.length for columns in form.types.values() for c in columns)
    lines: list[str] = []
    for row, damage in zip(rows, broken, strict=True):
        for number, (code, columns) in enumerate(form.types.items()):
            cells = {column.name: "" if row[column.name] is None else str(row[column.name]) for column in columns}
            if number and not any(text for name, text in cells.items() if name not in keys):
                continue
            line = [" "] * longest
            if form.type is not None:
                line[form.type.start - 1 : form.type.start - 1 + form.type.length] = code.ljust(form.type.length)
            for column in columns:
                text, at = cells[column.name], column.start - 1
                fill = column.fill if text else " "
                padded = text.ljust(column.length, fill) if column.align == "left" else text.rjust(column.length, fill)
                line[at : at + column.length] = padded
            ending = {"unknown-field": "ekstra", "broken-syntax": "" if form.width else "\x1a"}
            text = "".join(line)
            if damage in ending and number == 0:
                text = (text[:-3] if damage == "broken-syntax" and form.width else text) + ending[damage]
            lines.append(text)
    return _framed(reading, lines, longest)


def _framed(reading: FixedReading, lines: list[str], width: int) -> bytes:
    form = reading.lines
    if form.start and form.type is not None:
        lines.insert(0, (" " * (form.type.start - 1) + form.start).ljust(width))
    if form.end is not None and form.type is not None:
        place = form.end.count
        count = len(lines) + 1 if form.end.counts == "all" else len(lines) - bool(form.start)
        last = (" " * (form.type.start - 1) + form.end.type).ljust(place.start - 1)[: place.start - 1]
        lines.append((last + str(count).rjust(place.length, "0")).ljust(width))
    return "".join(f"{line}\r\n" if form.breaks else line for line in lines).encode(form.encoding)
