"""How the lines of a fixed-width file are built (faste feltlængder), and records written as such lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec

from samspil.errors import Refused
from samspil.files.columns import Column

FixedEncoding = Literal["latin-1", "cp1252"]


class FixedColumn(Column, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column at bytes ``start`` (from 1) to ``start + length - 1``, filled up on the side away from ``align``."""

    start: int
    length: int
    align: Literal["left", "right"] = "left"
    fill: Literal[" ", "0"] = " "

    def cell(self, line: bytes) -> bytes:
        """What stands in the column, without its filling; a number's last zero is kept."""
        blank = line[self.start - 1 : self.start - 1 + self.length]
        if self.align == "left":
            return blank.rstrip(self.fill.encode()) if blank.strip() else b""
        text = blank.lstrip(b" ")
        return (text.lstrip(b"0") or b"0") if self.fill == "0" and text else text

    def filled(self, text: str) -> str:
        """A text as it stands in the column. Nothing at all is blanks, also where zeros fill."""
        if not text or self.fill == " ":
            return text.ljust(self.length) if self.align == "left" else text.rjust(self.length)
        return text.ljust(self.length, "0") if self.align == "left" else text.rjust(self.length, "0")


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes ``start`` (from 1) to ``start + length - 1`` of a line."""

    start: int
    length: int

    def of(self, line: bytes) -> bytes:
        return line[self.start - 1 : self.start - 1 + self.length]


class End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last line: its type, where its count stands, and whether that counts the ``data`` lines or ``all`` of them."""

    type: str
    count: Place
    counts: Literal["data", "all"] = "data"


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file's lines are built: all of one type (``columns``), or of several by the code at ``type`` (``records``).

    The first of several begins a record, and each has the key's columns. ``width`` 0: lines may be shorter than their
    last column, not longer. Without ``breaks`` lines follow each other. Lines of the types in ``skip`` are counted,
    and not taken.
    """

    encoding: FixedEncoding = "latin-1"
    width: int = 0
    breaks: bool = True
    type: Place | None = None
    start: str = ""
    end: End | None = None
    skip: tuple[str, ...] = ()
    columns: tuple[FixedColumn, ...] = ()
    records: dict[str, tuple[FixedColumn, ...]] = {}

    @property
    def types(self) -> dict[str, tuple[FixedColumn, ...]]:
        """Columns by type of line; the only type is called ``""``."""
        return self.records or {"": self.columns}

    @property
    def every(self) -> tuple[FixedColumn, ...]:
        """The columns of all types; the key's, which stand in each, once."""
        every: dict[str, FixedColumn] = {}
        for column in chain.from_iterable(self.types.values()):
            every.setdefault(column.name, column)
        return tuple(every.values())

    def rendered(self, key: Sequence[str], records: Sequence[Mapping[str, Any]]) -> bytes:
        """A file of records that passed ``samspil.files.check`` and :func:`kept`.

        A type that would hold nothing but the key is left out, the first one never.
        """
        head = next(iter(self.types))
        lines = [
            self._line(code, [(column, record.get(column.name)) for column in columns])
            for record in records
            for code, columns in self.types.items()
            if code == head or any(record.get(c.name) not in (None, "") for c in columns if c.name not in key)
        ]
        if self.start:
            lines.insert(0, self._line(self.start, []))
        if self.end is not None:
            count = len(lines) + (1 if self.end.counts == "all" else -bool(self.start))
            start, length = self.end.count.start, self.end.count.length
            place = FixedColumn(name="", start=start, length=length, align="right", fill="0")
            lines.append(self._line(self.end.type, [(place, count)]))
        return "".join(f"{line}\r\n" if self.breaks else line for line in lines).encode(self.encoding)

    def _line(self, code: str, cells: Sequence[tuple[FixedColumn, Any]]) -> str:
        texts = [(column.start, column.filled("" if value is None else str(value))) for column, value in cells]
        if self.type is not None:
            texts.append((self.type.start, code.ljust(self.type.length)))
        line = ""
        for start, text in sorted(texts):
            line = line.ljust(start - 1) + text
        return line.ljust(self.width)


def kept(columns: Iterable[FixedColumn], record: Mapping[str, Any]) -> None:
    """Raise Refused for a cell that would read back as another: a line break, or the filling at its edge."""
    for column in columns:
        text = str(record.get(column.name) or "")
        if any(sign in text for sign in "\r\n\t"):
            raise Refused("not-text", field=column.name, hint="a line break or a tab")
        if column.cell(b" " * (column.start - 1) + column.filled(text).encode("latin-1", "replace")) != text.encode(
            "latin-1", "replace"
        ):
            raise Refused("not-kept", field=column.name, hint="begins or ends with what the column is filled with")
