"""The parts of a workbook as lxml meets them: each is a parser's target, so no tree is built of any."""

from __future__ import annotations

import re
from array import array
from typing import Any, Literal, NamedTuple

from samspil.files.celldates import DATE_FORMATS, is_date, moment

CELLS = 1_000  # of one row
_TEXT = 1 << 17  # characters of one cell; Excel has room for 32,767

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_COLUMN = re.compile("([A-Z]{1,3})[0-9]{1,7}")

CellKind = Literal["text", "number", "date", "time", "flag", "formula", "error"]


class Cell(NamedTuple):
    """``text`` is what stands there: a number with its digits, a date in ISO form, a flag as ``true`` or ``false``."""

    kind: CellKind
    text: str


class Row(NamedTuple):
    """``number`` counts from 1 as spreadsheets do; ``cells`` are by column, from 0, empty ones left out."""

    number: int
    cells: dict[int, Cell]
    problem: str = ""


class NotAWorkbook(Exception):
    """The file is none that is read here; ``reason`` says why."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


class Target:
    """What all parsers' targets share: no document type, where bombs and outside entities would be declared."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise NotAWorkbook("xml-doctype")

    def start(self, tag: str, attributes: Any) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def data(self, text: str) -> None:
        """Text."""

    def close(self) -> None:
        """The document is over."""


class Relations(Target):
    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def start(self, tag: str, attributes: Any) -> None:
        if _local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            self.found.append((attributes.get("Id", ""), attributes.get("Type", ""), attributes.get("Target", "")))


class Book(Target):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.from_1904 = False

    def start(self, tag: str, attributes: Any) -> None:
        if _local(tag) == "sheet":
            key = next((value for name, value in attributes.items() if name.endswith("}id")), "")
            self.sheets.append((attributes.get("name", ""), key))
        elif _local(tag) == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") in ("1", "true")


class Styles(Target):
    def __init__(self) -> None:
        self._formats: dict[str, str] = {}
        self._used: list[str] = []
        self._within = False

    def start(self, tag: str, attributes: Any) -> None:
        name = _local(tag)
        if name == "numFmt":
            self._formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._within = True
        elif name == "xf" and self._within:
            self._used.append(attributes.get("numFmtId", "0"))

    def end(self, tag: str) -> None:
        if _local(tag) == "cellXfs":
            self._within = False

    def dates(self) -> list[bool]:
        """Whether a cell of each style shows its number as a date."""
        return [is_date(self._formats[key]) if key in self._formats else key in DATE_FORMATS for key in self._used]


class Strings(Target):
    """Shared strings, one after the other in one piece of memory."""

    def __init__(self) -> None:
        self._all, self._ends = bytearray(), array("Q", [0])
        self._takes = self._phonetic = False

    def start(self, tag: str, attributes: Any) -> None:  # noqa: ARG002 - as lxml calls it
        name = _local(tag)
        self._phonetic = self._phonetic or name == "rPh"
        self._takes = name == "t" and not self._phonetic

    def data(self, text: str) -> None:
        if self._takes:
            self._all += text.encode()

    def end(self, tag: str) -> None:
        name = _local(tag)
        self._takes = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            self._ends.append(len(self._all))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise IndexError
        return self._all[self._ends[index] : self._ends[index + 1]].decode()


class Sheet(Target):
    def __init__(self, strings: Strings, dates: list[bool], *, from_1904: bool) -> None:
        self.rows: list[Row] = []
        self._strings, self._dates, self._from_1904 = strings, dates, from_1904
        self._row, self._cells, self._problem = 0, dict[int, Cell](), ""
        self._column, self._type, self._style = -1, "n", 0
        self._parts: list[str] = []
        self._size = 0
        self._takes = self._formula = self._phonetic = False

    def start(self, tag: str, attributes: Any) -> None:
        name = _local(tag)
        if name == "c":
            place = _COLUMN.fullmatch(attributes.get("r", ""))
            self._column = _number(place[1]) if place else self._column + 1
            self._type = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdecimal() else 0
            self._parts, self._size, self._formula = [], 0, False
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) < 9 else self._row + 1
            self._cells, self._problem, self._column = {}, "", -1
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True
        self._takes = name == "v" or (name == "t" and not self._phonetic)

    def data(self, text: str) -> None:
        if self._takes:
            self._size += len(text)
            if self._size > _TEXT:
                self._problem = "line-too-large"
            else:
                self._parts.append(text)

    def end(self, tag: str) -> None:
        name = _local(tag)
        self._takes = False
        if name == "c":
            cell = self._cell("".join(self._parts))
            if cell.text or cell.kind != "text":
                self._cells[self._column] = cell
            if len(self._cells) > CELLS:
                self._problem = "line-too-large"
                self._cells.popitem()
        elif name == "row" and (self._cells or self._problem):
            self.rows.append(Row(self._row, self._cells, self._problem))
        elif name == "rPh":
            self._phonetic = False

    def _cell(self, value: str) -> Cell:
        if self._formula:
            return Cell("formula", "")
        try:
            if self._type == "s":
                return Cell("text", _plain(self._strings[int(value)]))
            if self._type in ("inlineStr", "str"):
                return Cell("text", _plain(value))
            if not value:
                return Cell("text", "")
            if self._type == "b":
                return Cell("flag", {"1": "true", "0": "false"}[value])
            if self._type == "d":
                return Cell("date" if len(value) == 10 else "time", value)
            if self._type == "n":
                dated = self._style < len(self._dates) and self._dates[self._style]
                return Cell(*moment(float(value), from_1904=self._from_1904)) if dated else Cell("number", value)
        except (ValueError, IndexError, KeyError, OverflowError):
            return Cell("error", "")
        return Cell("error", "")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _plain(text: str) -> str:
    """Text without the way XLSX writes what XML cannot: ``_x000D_`` is a carriage return.

    Raises ValueError for half of a character: one beyond 65,535 takes two such escapes.
    """
    if "_x" not in text:
        return text
    written = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
