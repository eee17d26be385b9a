"""What can be wrong with the lines of a fixed-width file as they are declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from samspil.files.layout import FixedColumn, Layout, Place

Problem = tuple[str, str]  # field, message


def problems(lines: Layout, key: str | Sequence[str]) -> Iterator[Problem]:
    """Everything that keeps such a file from being cut, as (field from ``lines`` on, message)."""
    if bool(lines.columns) == bool(lines.records):
        yield "lines", "needs columns (one type of line) or records (several), and not both"
        return
    if lines.type is None and (lines.records or lines.start or lines.end or lines.skip):
        yield "lines", "needs type, the place where a line's type stands: {start: 1, length: 3}"
        return
    if not lines.breaks and not lines.width:
        yield "lines.breaks", "lines without line breaks need a width"
    yield from _codes(lines)
    if lines.end is not None:
        yield from _inside(lines.end.count, lines, "lines.end.count")
    keys = (key,) if isinstance(key, str) else tuple(key)
    for code, columns in lines.types.items():
        at = f"lines.records.{code}" if lines.records else "lines.columns"
        yield from _columns(lines, columns, at)
        if missing := [name for name in keys if name not in {column.name for column in columns}]:
            yield at, f"every type of line has the key; this one has no {', '.join(missing)}"
    names = [column.name for columns in lines.types.values() for column in columns if column.name not in keys]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield "lines", f"{', '.join(twice)} is there twice"


def _codes(lines: Layout) -> Iterator[Problem]:
    codes = [*lines.records, *lines.skip, *filter(None, [lines.start, lines.end.type if lines.end else ""])]
    for code in codes:
        if lines.type is not None and not 0 < len(code) <= lines.type.length:
            yield "lines.type", f"the type {code} does not fit in {lines.type.length} places"
    if len(set(codes)) != len(codes):
        yield "lines", "two kinds of line have one type"


def _columns(lines: Layout, columns: Sequence[FixedColumn], at: str) -> Iterator[Problem]:
    for number, column in enumerate(columns):
        if column.title:
            yield f"{at}[{number}].title", "a fixed-width file has no header"
        yield from _inside(Place(start=column.start, length=column.length), lines, f"{at}[{number}]")
    places = [(column.start, column.length, column.name) for column in columns]
    if lines.type is not None:
        places.append((lines.type.start, lines.type.length, "the type"))
    for (start, length, name), (second, _, other) in pairwise(sorted(places)):
        if second < start + length:
            yield at, f"{name} and {other} overlap"


def _inside(place: Place, lines: Layout, at: str) -> Iterator[Problem]:
    if place.start < 1 or place.length < 1:
        yield at, "start and length count from 1"
    elif lines.width and place.start - 1 + place.length > lines.width:
        yield at, f"ends behind the width of {lines.width}"
