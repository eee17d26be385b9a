"""Code lists (kodelister): which codes a field may have, and from when until when.

A list is a CSV file in UTF-8 with the columns code, valid_from, valid_to, da, en. The start is inclusive and the
end exclusive, as in STAR's own lists; an empty end means still valid. An expired code stays in the file, because
old records keep it. One code may have several periods that do not overlap.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from samspil.errors import SettingsError

FOLDER = Path(__file__).resolve().parent.parent / "schemas" / "codes"
COLUMNS = ["code", "valid_from", "valid_to", "da", "en"]
LIMIT = 5_000_000  # bytes; the largest public list (KLE) is well below one megabyte


class Code(NamedTuple):
    """One code in one period. ``valid_to`` is the first day on which it is no longer valid."""

    code: str
    valid_from: date
    valid_to: date | None
    da: str
    en: str

    def valid(self, on: date) -> bool:
        """Whether the code may be used on that day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class CodeList:
    """A code list by name. ``digest`` (16 bytes) changes with any code, period or label, not with the file's layout."""

    def __init__(self, name: str, codes: list[Code]) -> None:
        self.name = name
        self.codes = tuple(sorted(codes))
        self._by_code: dict[str, list[Code]] = {}
        for code in self.codes:
            self._by_code.setdefault(code.code, []).append(code)
        self.digest = blake2b(repr((name, self.codes)).encode(), digest_size=16).digest()

    def __contains__(self, code: object) -> bool:
        """Whether the list has, or once had, the code."""
        return code in self._by_code

    def valid(self, code: str, on: date) -> bool:
        """Whether the code may be used on that day; False too for a code the list never had."""
        return any(period.valid(on) for period in self._by_code.get(code, ()))

    def on(self, day: date) -> list[Code]:
        """The codes valid on that day, sorted by code."""
        return [code for code in self.codes if code.valid(day)]


def load(name: str, folder: Path = FOLDER) -> CodeList:
    """The list ``<folder>/<name>.csv``. Raises SettingsError with file and line."""
    path = folder / f"{name}.csv"
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"the code list cannot be read ({error.strerror})", file=str(path), reason="no-code-list"
        ) from None
    except UnicodeDecodeError:
        raise _wrong(path, 0, "is not UTF-8") from None
    if len(data) > LIMIT:
        raise _wrong(path, 0, f"is larger than {LIMIT} bytes")
    numbered = list(_rows(path, text))
    _check_periods(path, numbered)
    return CodeList(name, [code for _, code in numbered])


def load_all(folder: Path = FOLDER) -> dict[str, CodeList]:
    """Every list in the folder, by name. Raises SettingsError for the first that is wrong."""
    return {path.stem: load(path.stem, folder) for path in sorted(folder.glob("*.csv"))}


def _rows(path: Path, text: str) -> Iterator[tuple[int, Code]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != COLUMNS:
            raise _wrong(path, 1, f"the first line must be {','.join(COLUMNS)}")
        for row in reader:
            if row:
                yield reader.line_num, _code(path, reader.line_num, row)
    except csv.Error as error:
        raise _wrong(path, reader.line_num, f"is not CSV ({error})") from None


def _code(path: Path, line: int, row: list[str]) -> Code:
    if len(row) != len(COLUMNS):
        raise _wrong(path, line, f"has {len(row)} columns, not {len(COLUMNS)}; quote a label that has a comma")
    code, start, end, da, en = row
    if not code or code != code.strip():
        raise _wrong(path, line, "the code is empty or has spaces around it", field="code")
    if not (da.strip() and en.strip()):
        raise _wrong(path, line, "a label is missing", field="en" if da.strip() else "da")
    valid_from = _day(path, line, "valid_from", start)
    valid_to = _day(path, line, "valid_to", end) if end else None
    if valid_to is not None and valid_to <= valid_from:
        raise _wrong(path, line, "must be after valid_from; the end is exclusive", field="valid_to")
    return Code(code, valid_from, valid_to, da, en)


def _day(path: Path, line: int, field: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # fromisoformat also takes 20240101 and 2024-W01-1
        raise _wrong(path, line, "is not a date such as 2024-01-31", field=field)
    return day


def _check_periods(path: Path, numbered: list[tuple[int, Code]]) -> None:
    in_order = sorted(numbered, key=lambda item: (item[1].code, item[1].valid_from, item[0]))
    for (first_line, first), (line, second) in pairwise(in_order):
        if first.code != second.code:
            continue
        if first.valid_from == second.valid_from:
            raise _wrong(path, line, f"the code is already in line {first_line}", field="code")
        if first.valid_to is None or second.valid_from < first.valid_to:
            raise _wrong(path, max(line, first_line), f"the period overlaps that of line {min(line, first_line)}")


def _wrong(path: Path, line: int, message: str, *, field: str = "") -> SettingsError:
    return SettingsError(message, file=str(path), line=line, field=field, reason="bad-code-list")
