"""One CSV file: its header held against the contract, its rows counted against its trailer."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from samspil.connector import Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.columns import FileKind
from samspil.files.lines import SEPARATOR, Line, Unfinished, cells, cut, joined
from samspil.files.rows import ITEM, Rows

BROKEN = 1_000  # lines; a file with more is not what it says it is
_KEYED = ("field-count", "broken-quotes", "broken-line")  # broken lines whose first cells may still be good
_KEY = re.compile(rb"[0-9A-Za-z._-]{1,50}")

Encoding = Literal["latin-1", "cp1252", "utf-8"]


class Dialect(NamedTuple):
    """How a CSV file is written, where that is not our way: its separator, whether it quotes, whether it has a header."""

    separator: bytes = SEPARATOR
    quotes: bool = True
    header: bool = True


OURS = Dialect()


class RowFile(Protocol):
    """A file of any format as rows: ``prefix`` before a row's ``data`` makes a raw record, see ``samspil.files.rows``."""

    kind: FileKind
    name: str
    prefix: bytes

    def rows(self, key: Sequence[str], system: str) -> Iterator[tuple[bytes, Line]]:
        """Every row with its key. Raises Unavailable if the file ends early, NotThisKind if it is another one."""


class NotThisKind(Exception):
    """The file is not what the contract describes; ``rejected`` says why."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.error.reason)
        self.rejected = rejected


class CsvFile:
    """A file whose header has been read. Raises NotThisKind if it does not have the columns of the contract."""

    def __init__(
        self, chunks: Iterable[bytes], name: str, kind: FileKind, encoding: Encoding, dialect: Dialect = OURS
    ) -> None:
        self.kind, self.name, self._dialect = kind, name, dialect
        self._lines = cut(chunks, dialect.separator, quotes=dialect.quotes)
        self._trailer = kind.trailer.encode() + dialect.separator if kind.trailer else b""
        if not dialect.header:
            self.columns = list(kind.names)
            self.prefix = encoding.encode() + ITEM + joined([name.encode(encoding) for name in kind.names]) + ITEM
            return
        try:
            first = next(self._lines, None)
        except Unfinished:
            first = None
        header = first.data if first is not None and not first.problem else b""
        if header.startswith(codecs.BOM_UTF8):
            header, encoding = header[len(codecs.BOM_UTF8) :], "utf-8"
        names = cells(header, dialect.separator, quotes=dialect.quotes) or []
        titles = kind.titles
        try:
            shown = [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            shown = []
        self.columns = [titles.get(title, title) for title in shown]
        if self._rewritten or self.columns != shown:
            header = joined([name.encode(encoding) for name in self.columns])
        self.prefix = encoding.encode() + ITEM + header + ITEM
        if problem := differs(shown, list(titles)):
            reason, hint = problem
            raise NotThisKind(Rejected(first.data if first else b"", Refused(reason, field=self.name, hint=hint)))

    def rows(self, key: Sequence[str], system: str) -> Iterator[tuple[bytes, Line]]:
        """Every row with what it has in the columns of ``key``. A broken one has its problem, and a key only if that is sure."""
        places = [self.columns.index(column) for column in key]
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
                found, checked = self._checked(line, places)
                if checked.problem:
                    broken += 1
                    if broken > BROKEN:
                        refused = Refused("too-many-broken-lines", field=self.name)
                        raise NotThisKind(Rejected(line.data, refused))
                    # a piece of a torn text may stand in for a key, and it must not be kept as one
                    sure = whole and checked.problem in _KEYED and all(map(_KEY.fullmatch, found))
                    found = found if sure else []
                whole = not checked.problem
                yield joined_key(found), checked
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

    def _checked(self, line: Line, places: Sequence[int]) -> tuple[list[bytes], Line]:
        data, problem, (separator, quotes, _) = line.data, line.problem, self._dialect
        if problem or not quotes or b'"' not in data:
            fields = data.split(separator, -1 if self._rewritten else max(places) + 1)
            found = data.count(separator) + 1
        else:
            fields = cells(data, separator) or []
            found = len(fields)
        if not problem and found != len(self.columns):
            problem = "field-count"
        key = [fields[at] if at < len(fields) else b"" for at in places]
        if problem:
            return [cell.strip(b'"') for cell in key], line._replace(problem=problem)
        if self._rewritten:
            line = line._replace(data=joined(fields))
        return key, line if all(key) else line._replace(problem="no-key")

    @property
    def _rewritten(self) -> bool:
        """Whether rows are kept otherwise than they were written, because raw records are written our way."""
        return self._dialect[:2] != OURS[:2]

    def _incomplete(self, message: str, system: str) -> Unavailable:
        return Unavailable(f"{self.name} {message}", system=system, reason="file-incomplete")


def table(kind: FileKind, name: str, data: bytes, *, system: str, encoding: Encoding) -> list[dict[str, Any]]:
    """A small file without child files, whole and decoded. Raises Unavailable if anything in it is not in order."""
    rows = Rows(kind)
    found: list[dict[str, Any]] = []
    try:
        file = CsvFile([data], name, kind, encoding)
        for _, line in file.rows(kind.keys, system):
            record = line.refusal(name) if line.problem else rows.decode(file.prefix + line.data)
            if isinstance(record, Refused):
                raise Unavailable(f"{name}:{line.number} is broken", system=system, reason=record.reason)
            found.append(record)
    except NotThisKind as error:
        reason = error.rejected.error.reason
        raise Unavailable(f"{name} is not a file of this kind ({reason})", system=system, reason=reason) from None
    return found


def joined_key(parts: Sequence[bytes]) -> bytes:
    """The key of a row; of several columns it is one text that no other columns give. Empty if a part is."""
    return (parts[0] if len(parts) == 1 else joined(parts)) if parts and all(parts) else b""


def differs(found: Sequence[str], wanted: Sequence[str]) -> tuple[str, str] | None:
    """Reason and hint. What stands in the file is not shown: without a header line it is a person's data."""
    if missing := [name for name in wanted if name not in found]:
        return "missing-column", ", ".join(missing)
    if len(set(found)) != len(found):
        return "duplicate-column", ""
    unknown = [str(number) for number, name in enumerate(found, 1) if name not in wanted]
    return ("unknown-column", f"column {', '.join(unknown)}") if unknown else None
