"""One sheet of a workbook as rows: its header held against the contract, each cell against its column's type.

A formula is refused, not taken for the value it had when somebody last saved: that value may be of another day, and a
program that writes workbooks does not compute it. A number in a column of text is refused too: whether it was
``0123`` or ``123`` nobody can tell any more, unless the column is declared ``padded`` to its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from samspil.connector import Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.columns import Column, FileKind
from samspil.files.csvfile import BROKEN, NotThisKind, differs, joined_key
from samspil.files.lines import Line, joined
from samspil.files.rows import ITEM
from samspil.files.workbook import Torn, Workbook
from samspil.files.workbookparts import Cell, NotAWorkbook, Row

LARGEST = 64 << 20  # bytes of a packed workbook: 100,000 rows of ten columns have about five million

_FRAME = frozenset("\x18\x1d\x1e")  # as in samspil.files.lines


class SheetColumn(Column, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of a sheet. ``padded``: a number in it is text that lost its zeros; they are put back to ``length``."""

    padded: bool = False


class SheetFile:
    """A sheet whose header row has been read. Dates are in ISO form, numbers have a point, flags are true and false.

    Without ``sheet`` the workbook must have one sheet only. Raises NotThisKind if the file is no workbook, or does not
    have the sheet or the columns of the contract; Unavailable if it is part of a workbook.
    """

    def __init__(
        self, chunks: Iterable[bytes], name: str, kind: FileKind, *, system: str, sheet: str = "", header: int = 1
    ) -> None:
        self.kind, self.name, self._system, self._header = kind, name, system, header
        try:
            workbook = Workbook(_whole(chunks))
            self._rows = workbook.rows(_sheet(workbook, sheet))
            first = next((row for row in self._rows if row.number >= header), None)
        except NotAWorkbook as error:
            raise self._not_this(error) from None
        except Torn:
            raise self._incomplete("is only part of a workbook") from None
        cells = first.cells if first is not None and first.number == header else {}
        shown = [cell.text for cell in cells.values()]
        if problem := differs(shown, list(kind.titles)):
            raise self._not_this(NotAWorkbook(*problem))
        self._places = {at: kind.titles[cell.text] for at, cell in cells.items()}
        names = list(self._places.values())
        self._columns = {column.name: column for column in kind.columns}
        self.prefix = b"utf-8" + ITEM + joined([name.encode() for name in names]) + ITEM

    def rows(self, key: Sequence[str], system: str) -> Iterator[tuple[bytes, Line]]:
        """Every row below the header with what it has in the columns of ``key``; a row without any cell is none."""
        count = broken = 0
        announced: int | None = None
        try:
            for row in self._rows:
                if announced is not None:
                    raise self._incomplete("goes on after its trailer")
                announced = self._announced(row)
                if announced is not None:
                    continue
                count += 1
                found, line = self._line(row, key)
                broken += bool(line.problem)
                if broken > BROKEN:
                    raise self._not_this(NotAWorkbook("too-many-broken-lines"))
                yield joined_key(found), line
        except NotAWorkbook as error:
            raise self._not_this(error) from None
        except Torn:
            raise Unavailable(
                f"{self.name} is only part of a workbook", system=system, reason="file-incomplete"
            ) from None
        if self.kind.trailer and announced != count:
            said = "has no trailer" if announced is None else f"has {count} records, its trailer says {announced}"
            raise self._incomplete(said)

    def _announced(self, row: Row) -> int | None:
        """How many records the trailer promises; None if this is not the trailer."""
        cells = list(row.cells.values())
        if not self.kind.trailer or len(cells) != 2 or cells[0].text != self.kind.trailer:
            return None
        return int(cells[1].text) if cells[1].text.isdecimal() else None

    def _line(self, row: Row, key: Sequence[str]) -> tuple[list[bytes], Line]:
        problem, where = row.problem, ""
        if not problem and not row.cells.keys() <= self._places.keys():
            problem = "field-count"
        texts: dict[str, str] = {}
        for at, name in self._places.items():
            try:
                texts[name] = _text(self._columns[name], row.cells.get(at))
            except Refused as refused:
                texts[name] = ""
                problem, where = problem or refused.reason, where or name
        found = [texts[name].encode() for name in key]
        data = joined([text.encode() for text in texts.values()])
        if not problem and not all(found):
            problem, where = "no-key", ""
        return found, Line(row.number, data, problem, where if problem else "")

    def _incomplete(self, message: str) -> Unavailable:
        return Unavailable(f"{self.name} {message}", system=self._system, reason="file-incomplete")

    def _not_this(self, error: NotAWorkbook) -> NotThisKind:
        refused = Refused(error.reason, field=self.name, hint=error.hint)
        return NotThisKind(Rejected(self.name.encode(), refused))


def _whole(chunks: Iterable[bytes]) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > LARGEST:
            raise NotAWorkbook("too-large", f"more than {LARGEST} bytes")
    return bytes(data)


def _sheet(workbook: Workbook, name: str) -> str:
    names = list(workbook.sheets)
    if name in names:
        return name
    if name or len(names) != 1:
        raise NotAWorkbook("missing-sheet", name or "the workbook has several; name one in the declaration")
    return names[0]


def _text(column: Column, cell: Cell | None) -> str:
    """A cell as the text its column has. Raises Refused."""
    if cell is None:
        return ""
    kind, text = cell
    if kind in ("formula", "error"):
        raise Refused(kind if kind == "formula" else "cell-error")
    if kind == "text":
        if _FRAME & set(text):
            raise Refused("not-text")
        return text
    if column.type in ("decimal", "integer"):
        return _number(text, whole=column.type == "integer") if kind == "number" else _wrong(kind, column)
    if column.type == "date":
        return text if kind == "date" else _wrong(kind, column)
    if column.type == "timestamp":
        return f"{text}T00:00:00" if kind == "date" else text if kind == "time" else _wrong(kind, column)
    if column.type == "boolean":
        return text if kind == "flag" else _wrong(kind, column)
    return _padded(column, _number(text, whole=True)) if kind == "number" else _wrong(kind, column)


def _wrong(kind: str, column: Column) -> str:
    raise Refused(f"{kind}-for-{column.type}")


def _padded(column: Column, digits: str) -> str:
    """A number that stands in a column of text."""
    length = 10 if column.type == "cpr" else column.length
    if isinstance(column, SheetColumn) and column.padded and len(digits) <= length and digits.isdecimal():
        return digits.zfill(length)
    if column.type in ("cpr", "digits"):
        if len(digits) == length:
            return digits  # all are there
        raise Refused("lost-zero")
    raise Refused("number-for-text")


def _number(text: str, *, whole: bool) -> str:
    """The digits of a number; a spreadsheet keeps fifteen, what stands behind them is its arithmetic."""
    try:
        number = Decimal(f"{float(text):.15g}")
    except (ValueError, InvalidOperation):
        raise Refused("bad-number") from None
    if not number.is_finite() or abs(number) >= Decimal("1e15") or (whole and number != number.to_integral_value()):
        raise Refused("bad-number")
    return f"{number.normalize():f}"
