"""One CSV file: its header held against the contract, its rows counted against its trailer."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from samspil.connector import Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.columns import FileKind
from samspil.files.lines import SEPARATOR, Line, Unfinished, cells, cut
from samspil.files.rows import ITEM, Rows

BROKEN = 1_000  # lines; a file with more is not what it says it is
_KEYED = ("field-count", "broken-quotes", "broken-line")  # broken lines whose first cells may still be good
_KEY = re.compile(rb"[0-9A-Za-z._-]{1,50}")

Encoding = Literal["latin-1", "cp1252", "utf-8"]


class NotThisKind(Exception):
    """The file is not what the contract describes; ``rejected`` says why."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.error.reason)
        self.rejected = rejected


class CsvFile:
    """A file whose header has been read. Raises NotThisKind if it does not have the columns of the contract."""

    def __init__(self, chunks: Iterable[bytes], name: str, kind: FileKind, encoding: Encoding) -> None:
        self.kind, self.name = kind, name
        self._lines = cut(chunks)
        self._trailer = kind.trailer.encode() + SEPARATOR if kind.trailer else b""
        try:
            first = next(self._lines, None)
        except Unfinished:
            first = None
        header = first.data if first is not None and not first.problem else b""
        if header.startswith(codecs.BOM_UTF8):
            header, encoding = header[len(codecs.BOM_UTF8) :], "utf-8"
        self.prefix = encoding.encode() + ITEM + header + ITEM
        try:
            self.columns = [name.decode(encoding) for name in cells(header) or ()]
        except UnicodeDecodeError:
            self.columns = []
        if problem := _differs(self.columns, kind.names):
            reason, hint = problem
            raise NotThisKind(Rejected(first.data if first else b"", Refused(reason, field=self.name, hint=hint)))

    def rows(self, column: str, system: str) -> Iterator[tuple[bytes, Line]]:
        """Every row with what it has in ``column``. A broken one has its problem, and a key only if that is sure."""
        at = self.columns.index(column)
        count = broken = 0
        announced: int | None = None
        whole = True  # the line before
        try:
            for line in self._lines:
                if announced is not None:
                    raise self._incomplete("goes on after its trailer", system)
                announced = self._announced(line.data)
                if announced is not None:
                    continue
                count += 1
                key, checked = self._checked(line, at)
                if checked.problem:
                    broken += 1
                    if broken > BROKEN:
                        refused = Refused("too-many-broken-lines", field=self.name)
                        raise NotThisKind(Rejected(line.data, refused))
                    # a piece of a torn text may stand in for a key, and it must not be kept as one
                    key = key if whole and checked.problem in _KEYED and _KEY.fullmatch(key) else b""
                whole = not checked.problem
                yield key, checked
        except Unfinished:
            raise self._incomplete("ends in the middle of a line", system) from None
        if self.kind.trailer and announced is None:
            raise self._incomplete("has no trailer", system)
        if announced is not None and (count < announced or (count != announced and not broken)):
            raise self._incomplete(f"has {count} records, its trailer says {announced}", system)

    def _announced(self, data: bytes) -> int | None:
        """How many records the trailer promises; None if this is not the trailer."""
        if not self._trailer or not data.startswith(self._trailer):
            return None
        number = data[len(self._trailer) :]
        return int(number) if number.isdigit() else None

    def _checked(self, line: Line, at: int) -> tuple[bytes, Line]:
        _, data, problem = line
        if problem or b'"' not in data:
            fields = data.split(SEPARATOR, at + 1)
            found = data.count(SEPARATOR) + 1
        else:
            fields = cells(data) or []
            found = len(fields)
        if not problem and found != len(self.columns):
            problem = "field-count"
        key = fields[at] if at < len(fields) else b""
        if problem:
            return key.strip(b'"'), line._replace(problem=problem)
        return key, line if key else line._replace(problem="no-key")

    def _incomplete(self, message: str, system: str) -> Unavailable:
        return Unavailable(f"{self.name} {message}", system=system, reason="file-incomplete")


def table(kind: FileKind, name: str, data: bytes, *, system: str, encoding: Encoding) -> list[dict[str, Any]]:
    """A small file without child files, whole and decoded. Raises Unavailable if anything in it is not in order."""
    rows = Rows(kind)
    found: list[dict[str, Any]] = []
    try:
        file = CsvFile([data], name, kind, encoding)
        for _, line in file.rows(kind.key, system):
            record = line.refusal(name) if line.problem else rows.decode(file.prefix + line.data)
            if isinstance(record, Refused):
                raise Unavailable(f"{name}:{line.number} is broken", system=system, reason=record.reason)
            found.append(record)
    except NotThisKind as error:
        reason = error.rejected.error.reason
        raise Unavailable(f"{name} is not a file of this kind ({reason})", system=system, reason=reason) from None
    return found


def _differs(found: Sequence[str], wanted: Sequence[str]) -> tuple[str, str] | None:
    """Reason and hint. What stands in the file is not shown: without a header line it is a person's data."""
    if missing := [name for name in wanted if name not in found]:
        return "missing-column", ", ".join(missing)
    if len(set(found)) != len(found):
        return "duplicate-column", ""
    unknown = [str(number) for number, name in enumerate(found, 1) if name not in wanted]
    return ("unknown-column", f"column {', '.join(unknown)}") if unknown else None
