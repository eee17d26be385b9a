"""A stream of bytes cut into CSV lines without decoding them.

A line ends at LF or CRLF, except inside a quoted field: the rule of RFC 4180, and of Python's csv module for whatever
both accept. Bytes stay bytes, so this works alike for UTF-8 and Latin-1: in both a separator, a quote and a line
break are one byte that is never part of another character.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from samspil.errors import Refused

LIMIT = 128 * 1024  # bytes of one line; the longest note is 8,000 characters
SEPARATOR = b";"
_FRAME = re.compile(rb"[\x18\x1d\x1e]")  # control bytes that raw records are framed with; no text has them


class Line(NamedTuple):
    """``data`` is without its line end; ``number`` counts the file's physical lines from 1; ``problem`` is a reason.

    ``column`` names the cell that has the problem, where that is known.
    """

    number: int
    data: bytes
    problem: str = ""
    column: str = ""

    def refusal(self, file: str) -> Refused:
        """Why this line cannot be a record, pointing at its place in the file."""
        return Refused(self.problem, field=":".join((file, str(self.number), *filter(None, [self.column]))))


class Unfinished(Exception):
    """The stream stopped in the middle of a line."""


def cut(chunks: Iterable[bytes], separator: bytes = SEPARATOR, *, quotes: bool = True) -> Iterator[Line]:
    """Lines of a CSV stream, blank ones left out; a broken one has a ``problem`` and does not take others with it.

    Without ``quotes`` a quotation mark is a character like any other.

    An opened quote that is never closed properly would swallow every line after it. Only the physical line it stands
    in is given up, and cutting goes on after that one. Raises Unfinished if the last line has no line break.
    """
    physical = _physical(chunks)
    again: deque[bytes] = deque()  # physical lines behind a broken one, to be looked at once more
    number = 0
    while (first := again.popleft() if again else next(physical, None)) is not None:
        number += 1
        if not quotes or b'"' not in first or len(first) > LIMIT:
            data = _without_cr(first)
            if data:
                yield Line(number, data, _problem(data) or ("broken-line" if b"\r" in data else ""))
            continue
        parts, size = [first], len(first)
        is_open = _is_open(first, separator, within=False)
        while is_open and size <= LIMIT:
            more = again.popleft() if again else next(physical, None)
            if more is None:
                break
            parts.append(more)
            size += len(more) + 1
            is_open = _is_open(more, separator, within=True)
        data = _without_cr(b"\n".join(parts))
        if is_open or size > LIMIT or cells(data, separator) is None:
            again.extendleft(reversed(parts[1:]))
            yield Line(number, _without_cr(first), "broken-quotes")
        else:
            yield Line(number, data, _problem(data))
            number += len(parts) - 1


def cells(data: bytes, separator: bytes = SEPARATOR, *, quotes: bool = True) -> list[bytes] | None:
    """The fields of one line; None if its quotes are not in order."""
    if not quotes or b'"' not in data:
        return data.split(separator)
    try:
        (fields,) = csv.reader([data.decode("latin-1")], delimiter=separator.decode(), strict=True)
    except (csv.Error, ValueError):
        return None
    return [field.encode("latin-1") for field in fields]


def joined(fields: Sequence[bytes]) -> bytes:
    """Fields as one line: the form in which raw records of every kind of file are kept, see ``samspil.files.rows``."""
    line = SEPARATOR.join(fields)
    if b'"' not in line and b"\n" not in line and b"\r" not in line and line.count(SEPARATOR) == len(fields) - 1:
        return line
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";", lineterminator="\r\n").writerow([field.decode("latin-1") for field in fields])
    return stream.getvalue().encode("latin-1").removesuffix(b"\r\n")


def _problem(data: bytes) -> str:
    if len(data) > LIMIT:
        return "line-too-large"
    return "not-text" if _FRAME.search(data) else ""


def _without_cr(line: bytes) -> bytes:
    return line[:-1] if line.endswith(b"\r") else line


@cache
def _opens(separator: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?:\A|" + re.escape(separator) + rb')"')


def _is_open(line: bytes, separator: bytes, *, within: bool) -> bool:
    """Whether a quoted field is open at the end of ``line``, given whether one was open before it."""
    at = 0
    while True:
        if not within:
            opening = _opens(separator).search(line, at)
            if opening is None:
                return False
            at = opening.end()
        closing = line.find(b'"', at)
        if closing < 0:
            return True
        within = line[closing + 1 : closing + 2] == b'"'  # two quotes stand for one: still inside
        at = closing + 2 if within else closing + 1


def _physical(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What stands between line feeds. Of an endless line little more than ``LIMIT`` bytes are kept."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line[: LIMIT + 1]
        rest = rest[: LIMIT + 1]
    if rest:
        raise Unfinished
