"""How a receiver imports dropped files: strictly, record by record, each delivery key once.

Written without ``samspil.files``, so that a fault in writing is not read away here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from samspil.declared.drop.declaration import CsvWriting, Declared, FixedWriting
from samspil.files import Column

_FORMS = {
    "cpr": re.compile(r"[0-9]{6}[0-9A-Z]{3}[0-9]"),
    "date": re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"),
    "timestamp": re.compile(r"[0-9-]{10}T[0-9:.]{8,16}(Z|[+-][0-9]{2}:[0-9]{2})?"),
    "decimal": re.compile(r"-?[0-9]{1,9}([.,][0-9]{1,6})?"),
    "integer": re.compile(r"-?[0-9]{1,9}"),
    "digits": re.compile(r"[0-9]+"),
}
_RUNS = re.compile(r"[=+\-@\t\r\n']")


class Unreadable(Exception):
    """A file whose form is wrong: nothing of it is imported."""


class Answer(NamedTuple):
    """One line of a receipt file; ``code`` is empty for a record that was taken."""

    key: str
    theirs: str = ""
    reference: str = ""
    code: str = ""
    field: str = ""


class Import:
    """One schema's import job; ``kept`` is what the receiver holds, by the sender's id."""

    def __init__(self, declared: Declared, writing: CsvWriting | FixedWriting, kept: dict[str, dict[str, Any]]) -> None:
        self._declared, self._writing, self._kept = declared, writing, kept
        self._answers: dict[str, Answer] = {}

    def take(self, data: bytes, *, half: bool = False) -> list[Answer]:
        """Import a file; ``half`` stops in the middle. Raises Unreadable."""
        rows = list(self._csv(self._writing, data) if isinstance(self._writing, CsvWriting) else self._fixed(data))
        rows = rows[: max(1, len(rows) // 2)] if half else rows
        return [self._one(row) for row in rows]

    def _one(self, row: dict[str, str]) -> Answer:
        key = row[self._writing.key or self._declared.keys[0]]
        if not self._writing.key or key not in self._answers:
            self._answers[key] = self._imported(key, row)
        return self._answers[key]

    def _imported(self, key: str, row: dict[str, str]) -> Answer:
        writing = self._writing
        for column in self._declared.written_kind.columns:
            if code := _wrong(column, row[column.name]):
                return Answer(key, code=code, field=column.name)
        sender, number = row[self._declared.keys[0]], f"{len(self._answers) + 1:06d}"
        held = self._kept.get(sender)
        if writing.id and row[writing.id] and (held is None or held["theirs"] != row[writing.id]):
            return Answer(key, code="UNKNOWN", field=writing.id)
        action = row[writing.actions.column] if writing.actions else ""
        if writing.actions and action == writing.actions.delete:
            if held is None:
                return Answer(key, code="UNKNOWN", field=self._declared.keys[0])
            del self._kept[sender]
            return Answer(key, held["theirs"], f"R{number}")
        if writing.actions and action != writing.actions.put:
            return Answer(key, code="CODE", field=writing.actions.column)
        theirs = held["theirs"] if held else f"T{number}"
        self._kept[sender] = {**row, "theirs": theirs}
        return Answer(key, theirs, f"R{number}")

    def _csv(self, writing: CsvWriting, data: bytes) -> Iterator[dict[str, str]]:
        names = [column.name for column in writing.columns]
        try:
            text = data.decode("utf-8-sig" if writing.encoding == "utf-8" else writing.encoding)
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=writing.delimiter, strict=True))
        except (csv.Error, UnicodeDecodeError):
            raise Unreadable from None
        titles = [column.title or column.name for column in writing.columns]
        if writing.header and (not lines or lines.pop(0) != titles):
            raise Unreadable
        if writing.trailer and (not lines or lines.pop() != [writing.trailer, str(len(lines))]):
            raise Unreadable
        texts = {c.name for c in writing.columns if c.type == "text"} if writing.formulas == "apostrophe" else set()
        for line in lines:
            if len(line) != len(names):
                raise Unreadable
            yield {name: _plain(cell) if name in texts else cell for name, cell in zip(names, line, strict=True)}

    def _fixed(self, data: bytes) -> Iterator[dict[str, str]]:
        if not isinstance(self._writing, FixedWriting):
            raise Unreadable
        form = self._writing.lines
        text = data.decode(form.encoding)
        width = form.width
        lines = text.split("\r\n") if form.breaks else [text[at : at + width] for at in range(0, len(text), width)]
        if form.breaks and lines.pop() != "":
            raise Unreadable
        if any(len(line) != width for line in lines if width):
            raise Unreadable
        codes = [self._code(line) for line in lines]
        if form.start:
            if codes[:1] != [form.start]:
                raise Unreadable
            del lines[0], codes[0]
        if form.end is not None:
            count = form.end.count
            said = lines[-1][count.start - 1 : count.start - 1 + count.length] if lines else ""
            there = len(lines) - 1 if form.end.counts == "data" else len(lines) + bool(form.start)
            if codes[-1:] != [form.end.type] or not said.isdecimal() or int(said) != there:
                raise Unreadable
            del lines[-1], codes[-1]
        yield from self._records(lines, codes)

    def _records(self, lines: list[str], codes: list[str]) -> Iterator[dict[str, str]]:
        form = self._writing.lines if isinstance(self._writing, FixedWriting) else None
        types = form.types if form else {}
        empty = {column.name: "" for columns in types.values() for column in columns}
        row: dict[str, str] = {}
        for line, code in zip(lines, codes, strict=True):
            if code not in types:
                raise Unreadable
            cells = {}
            for column in types[code]:
                cell = line[column.start - 1 : column.start - 1 + column.length]
                blank = not cell.strip()
                cell = cell.strip() if blank or column.fill == " " else cell.lstrip("0") or "0"
                cells[column.name] = cell
            if code == next(iter(types)):
                if row:
                    yield row
                row = {**empty, **cells}
            elif not row or any(row[key] != cells[key] for key in self._declared.keys):
                raise Unreadable
            else:
                row |= cells
        if row:
            yield row

    def _code(self, line: str) -> str:
        place = self._writing.lines.type if isinstance(self._writing, FixedWriting) else None
        return line[place.start - 1 : place.start - 1 + place.length].rstrip() if place else ""


def _plain(text: str) -> str:
    if _RUNS.match(text) and not (text.startswith("'") and _RUNS.match(text, 1)):
        raise Unreadable  # a formula that was not guarded
    return text.removeprefix("'")


def _wrong(column: Column, text: str) -> str:
    """The code of what is wrong with a cell; empty if nothing is."""
    if not text:
        return "MISSING" if column.required else ""
    if len(text) > column.length:
        return "LENGTH"
    if column.values and text not in column.values:
        return "CODE"
    form = _FORMS.get(column.type)
    return "FORMAT" if form is not None and not form.fullmatch(text) else ""


def receipts(answers: list[Answer], names: Mapping[str, str], status: tuple[str, str], trailer: str) -> bytes:
    """A receipt file in Latin-1. ``names`` are the columns of an answer's parts that the receiver gives."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    used = {part: name for part, name in names.items() if name}
    writer.writerow(used.values())
    for answer in answers:
        parts = {**answer._asdict(), "status": status[bool(answer.code)]}
        writer.writerow([parts[part] for part in used])
    if trailer:
        writer.writerow([trailer, len(answers)])
    return stream.getvalue().encode("latin-1")
