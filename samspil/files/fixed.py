"""Fixed-width files (faste feltlængder): records of several types, told apart by a code at a fixed place.

A record of ours is one line of the first type and the lines of the other types that follow it with the same key, as
registers write them (basic facts, address, name). Bytes are characters here, so only single-byte encodings will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from samspil.connector import Rejected
from samspil.errors import Refused, Unavailable
from samspil.files.columns import FileKind
from samspil.files.csvfile import BROKEN, NotThisKind, joined_key
from samspil.files.layout import Layout
from samspil.files.lines import Line, cut, joined
from samspil.files.rows import ITEM

_KEY = re.compile(rb"[0-9A-Za-z._-]{1,50}")
_FRAME = re.compile(rb"[\x18\x1d\x1e]")  # as in samspil.files.lines


class _Open(NamedTuple):
    """A record whose lines are still coming."""

    key: list[bytes]
    number: int
    cells: dict[str, bytes]
    seen: set[bytes]
    problems: list[tuple[int, str]]  # line and reason
    lines: list[bytes]


class FixedFile:
    """A file as records. Raises NotThisKind if it does not begin with its start record."""

    def __init__(self, chunks: Iterable[bytes], name: str, kind: FileKind, layout: Layout) -> None:
        self.kind, self.name, self._layout = kind, name, layout
        self._types = {code.encode(): columns for code, columns in layout.types.items()}
        self._ends = {
            code: max(column.start - 1 + column.length for column in columns) for code, columns in self._types.items()
        }
        self._head = next(iter(self._types))
        self._lines = cut(chain(chunks, [b"\n"]), quotes=False) if layout.breaks else self._blocks(chunks)
        self._started = 0
        if layout.start:
            first = next(self._lines, Line(0, b""))
            if self._type(first.data) != layout.start.encode():
                raise NotThisKind(Rejected(first.data, Refused("missing-start", field=self.name)))
            self._started = 1
        self.prefix = (
            layout.encoding.encode() + ITEM + joined([name.encode(layout.encoding) for name in kind.names]) + ITEM
        )

    def rows(self, key: Sequence[str], system: str) -> Iterator[tuple[bytes, Line]]:
        """Every record with its key; the lines that can be part of none come by themselves, with their problem."""
        broken = 0
        for found, line in self._records(key, system):
            broken += bool(line.problem)
            if broken > BROKEN:
                raise NotThisKind(Rejected(line.data, Refused("too-many-broken-lines", field=self.name)))
            yield found, line

    def _records(self, key: Sequence[str], system: str) -> Iterator[tuple[bytes, Line]]:
        current: _Open | None = None
        for line in self._data(system):
            code = self._type(line.data)
            if code.decode("latin-1") in self._layout.skip and not line.problem:
                continue
            problem = line.problem or self._problem(code, line.data)
            found = self._key(code, key, line.data)
            if problem and not all(map(_KEY.fullmatch, found)):
                found = []  # a torn line may have another's bytes where its key should be
            if code == self._head and found:
                if current is not None:
                    yield self._closed(current)
                current = _Open(found, line.number, {}, set(), [], [])
            if current is not None and found and found == current.key:
                self._add(current, code, line, problem)
                continue
            if current is not None and problem and len(self._types) > 1:
                current.problems.append((line.number, problem))  # it may have been this record's
            yield b"", line._replace(problem=problem or ("orphan-row" if code != self._head else "no-key"))
        if current is not None:
            yield self._closed(current)

    def _add(self, record: _Open, code: bytes, line: Line, problem: str) -> None:
        record.lines.append(line.data)
        if code in record.seen:
            problem = problem or "repeated-line"
        record.seen.add(code)
        if problem:
            record.problems.append((line.number, problem))
        record.cells.update({column.name: column.cell(line.data) for column in self._types.get(code, ())})

    def _closed(self, record: _Open) -> tuple[bytes, Line]:
        found = joined_key(record.key)
        if record.problems:
            number, problem = record.problems[0]
            return found, Line(number, _FRAME.sub(b"?", b"\n".join(record.lines)), problem)
        data = joined([record.cells.get(name, b"") for name in self.kind.names])
        return found, Line(record.number, data, "" if found else "no-key")

    def _problem(self, code: bytes, data: bytes) -> str:
        if code not in self._types:
            return "unknown-record-type"
        width = self._layout.width
        beyond = data[width or self._ends[code] :].strip(b" ")  # lines are often filled up to the longest type's
        return "line-length" if beyond or len(data) < width else ""

    def _type(self, data: bytes) -> bytes:
        return self._layout.type.of(data).rstrip(b" ") if self._layout.type is not None else b""

    def _key(self, code: bytes, key: Sequence[str], data: bytes) -> list[bytes]:
        columns = {column.name: column for column in self._types.get(code) or self._types[self._head]}
        return [columns[name].cell(data) for name in key]

    def _data(self, system: str) -> Iterator[Line]:
        """The lines between start and end. Raises Unavailable if there are more or fewer than the end says."""
        end, count = self._layout.end, 0
        announced: int | None = None
        for line in self._lines:
            if announced is not None:
                raise self._incomplete("goes on after its end record", system)
            if end is not None and self._type(line.data) == end.type.encode():
                digits = end.count.of(line.data).strip()
                if not digits.isdigit():
                    raise self._incomplete("has no count in its end record", system)
                announced = int(digits)
                continue
            count += 1
            yield line
        if end is None:
            return
        if announced is None:
            raise self._incomplete("has no end record", system)
        count += 1 + self._started if end.counts == "all" else 0
        if count != announced:
            raise self._incomplete(f"has {count} lines, its end record says {announced}", system)

    def _blocks(self, chunks: Iterable[bytes]) -> Iterator[Line]:
        """Lines without line breaks between them; the rest of a cut one is a line that is too short."""
        width, rest, number = self._layout.width, b"", 0
        for chunk in chunks:
            rest += chunk
            for at in range(0, len(rest) - width + 1, width):
                number += 1
                yield Line(number, rest[at : at + width])
            rest = rest[len(rest) - len(rest) % width :]
        if rest.strip(b"\r\n\x1a"):
            yield Line(number + 1, rest)

    def _incomplete(self, message: str, system: str) -> Unavailable:
        return Unavailable(f"{self.name} {message}", system=system, reason="file-incomplete")
