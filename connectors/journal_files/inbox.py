"""How the journal imports dropped orders: strictly, record by record, each delivery key once.

Written without ``samspil.files``, so that a fault in writing is not read away here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from samspil.files import Column, FileKind

_FORMS = {
    "cpr": re.compile(r"[0-9]{6}[0-9A-Z]{3}[0-9]"),
    "date": re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4}"),
    "timestamp": re.compile(r"[0-9-]{10}T[0-9:.]{8,16}(Z|[+-][0-9]{2}:[0-9]{2})"),
    "decimal": re.compile(r"-?[0-9]{1,9},[0-9]{2}"),
    "integer": re.compile(r"-?[0-9]{1,9}"),
    "digits": re.compile(r"[0-9]+"),
    "boolean": re.compile(r"[JN]"),
}
_RUNS = re.compile(r"[=+\-@\t\r\n']")


class Answer(NamedTuple):
    """One line of a receipt file."""

    key: str
    status: str
    course: str = ""
    reference: str = ""
    code: str = ""
    field: str = ""


class UnreadableFile(Exception):
    """A file whose form is wrong: nothing of it is imported."""


class _Invalid(Exception):
    def __init__(self, code: str, field: str) -> None:
        super().__init__(code, field)
        self.code, self.field = code, field


class Inbox:
    """Orders the journal holds, by the sender's id, and what it answered to each delivery key."""

    def __init__(self, kind: FileKind, kept: dict[str, dict[str, Any]]) -> None:
        self._kind, self._kept = kind, kept
        self._answers: dict[str, Answer] = {}

    def take(self, files: Mapping[str, bytes], *, half: bool = False) -> list[Answer]:
        """Import a delivery (kind of file → content); ``half`` stops in the middle. Raises UnreadableFile."""
        rows = _read(self._kind, files[self._kind.file])
        orders = {row["Leverance"]: row for row in rows}
        if len(orders) != len(rows):
            raise UnreadableFile
        for order in orders.values():
            order["Maal"] = []
        self._add_goals(files, orders)
        keys = list(orders)[: max(1, len(orders) // 2)] if half else list(orders)
        return [self._one(key, orders[key]) for key in keys]

    def _add_goals(self, files: Mapping[str, bytes], orders: Mapping[str, dict[str, Any]]) -> None:
        (goal_kind,) = self._kind.children
        (sub_kind,) = goal_kind.children
        try:
            for row in _read(goal_kind, files[goal_kind.file]):
                orders[row.pop("Leverance")]["Maal"].append({**row, "Delmaal": []})
            for row in _read(sub_kind, files[sub_kind.file]):
                goals = orders[row.pop("Leverance")]["Maal"]
                goal = row.pop("MaalId")
                next(item for item in goals if item["MaalId"] == goal)["Delmaal"].append(row)
        except (KeyError, StopIteration):
            raise UnreadableFile from None

    def _one(self, key: str, order: dict[str, Any]) -> Answer:
        if key not in self._answers:
            try:
                self._answers[key] = self._import(key, order)
            except _Invalid as invalid:
                self._answers[key] = Answer(key, "AFVIST", code=invalid.code, field=invalid.field)
        return self._answers[key]

    def _import(self, key: str, order: dict[str, Any]) -> Answer:
        _check(self._kind, order, "")
        sender = order["BestillingId"]
        held = self._kept.get(sender)
        if order["ForloebId"] and (held is None or held["ForloebId"] != order["ForloebId"]):
            raise _Invalid("UKENDT", "ForloebId")
        reference = f"KV{len(self._answers) + 1:08d}"
        if order["Handling"] == "SLET":
            if held is None:
                raise _Invalid("UKENDT", "BestillingId")
            del self._kept[sender]
            return Answer(key, "OK", held["ForloebId"], reference)
        course = held["ForloebId"] if held else f"F{len(self._answers) + 1:06d}"
        self._kept[sender] = {**order, "ForloebId": course}
        return Answer(key, "OK", course, reference)


def _read(kind: FileKind, data: bytes) -> list[dict[str, Any]]:
    """The rows of a file with the guarding apostrophes taken away."""
    try:
        text = data.decode("utf-8-sig") if data.startswith(b"\xef\xbb\xbf") else data.decode("latin-1")
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    except (csv.Error, UnicodeDecodeError):
        raise UnreadableFile from None
    if len(lines) < 2 or tuple(lines[0]) != kind.names or lines[-1] != [kind.trailer, str(len(lines) - 2)]:
        raise UnreadableFile
    if any(len(line) != len(kind.names) for line in lines[1:-1]):
        raise UnreadableFile
    texts = {column.name for column in kind.columns if column.type == "text"}
    return [
        {name: _plain(value) if name in texts else value for name, value in zip(kind.names, line, strict=True)}
        for line in lines[1:-1]
    ]


def _plain(text: str) -> str:
    if _RUNS.match(text) and not (text.startswith("'") and _RUNS.match(text, 1)):
        raise UnreadableFile  # a formula that was not guarded
    return text.removeprefix("'")


def _check(kind: FileKind, row: Mapping[str, Any], at: str) -> None:
    for column in kind.columns:
        if column.name in row:
            _check_cell(column, row[column.name], f"{at}{column.name}")
    for child in kind.children:
        for item in row[child.list]:
            _check(child, item, f"{at}{child.list}[].")


def _check_cell(column: Column, text: str, field: str) -> None:
    if not text:
        if column.required:
            raise _Invalid("MANGLER", field)
        return
    if len(text) > column.length:
        raise _Invalid("LAENGDE", field)
    if column.values and text not in column.values:
        raise _Invalid("KODE", field)
    form = _FORMS.get(column.type)
    if form is not None and not form.fullmatch(text):
        raise _Invalid("CPR" if column.type == "cpr" else "FORMAT", field)
    try:
        if column.type == "date":
            datetime.strptime(text, "%d-%m-%Y")  # noqa: DTZ007 - a date has no zone
        elif column.type == "timestamp":
            datetime.fromisoformat(text)
    except ValueError:
        raise _Invalid("FORMAT", field) from None
