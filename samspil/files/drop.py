"""Records written as files: one for the records, one for each list in them, under a name that the content decides.

The name comes from the idempotency keys, so a batch sent twice is the same file twice and cannot count double.
Cells are quoted where CSV asks for it. Quotes do not keep a spreadsheet from running a text that begins with ``=``;
whether such text is guarded by an apostrophe or left alone is said per file in the contract (``FileKind.formulas``).
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from samspil.errors import Refused
from samspil.files.columns import Column, FileKind
from samspil.files.csvfile import OURS, Dialect, Encoding
from samspil.files.rows import guard, runs

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Record = Mapping[str, Any]


def delivery(keys: Iterable[str]) -> str:
    """The name of a batch: 32 hexadecimal digits of the idempotency keys in their order."""
    return hashlib.blake2b("\n".join(keys).encode(), digest_size=16).hexdigest()


def check(kind: FileKind, record: Record, encoding: Encoding, *, at: str = "") -> None:
    """Raise Refused if the record does not fit the file: a field, a character or a length it has no room for."""
    columns = {column.name: column for column in kind.columns if column.name not in kind.links}
    lists = {child.list: child for child in kind.children}
    for name in record:
        if name not in columns and name not in lists:
            raise Refused("unknown-field", field=f"{at}{name}")
    for name, column in columns.items():
        _check_cell(column, record.get(name), encoding, f"{at}{name}")
        if kind.formulas == "apostrophe" and column.type != "text" and runs(str(record.get(name) or "")):
            raise Refused("formula", field=f"{at}{name}", hint=f"no {column.type} begins like that")
    for name, child in lists.items():
        for row in record.get(name) or ():
            check(child, row, encoding, at=f"{at}{name}[].")


def render(
    kind: FileKind, records: Sequence[Record], encoding: Encoding, dialect: Dialect = OURS
) -> list[tuple[str, bytes]]:
    """(kind of file, content) of each file, children first: the main file comes last, so it vouches for the others.

    The records have passed :func:`check`. UTF-8 is written with a byte order mark; cells are always quoted where CSV asks.
    """
    rows: dict[str, list[Record]] = {kind.file: []}
    kinds = {kind.file: kind, **{child.file: child for _, child in kind.descendants()}}
    for record in records:
        _spread(kind, record, rows, {})
    return [(name, _text(kinds[name], rows.get(name, []), encoding, dialect)) for name in reversed(kinds)]


def _check_cell(column: Column, value: object, encoding: Encoding, field: str) -> None:
    if value is None or value == "":
        if column.required:
            raise Refused("missing-field", field=field)
        return
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Refused("not-a-cell", field=field, hint="a cell is text or a whole number")
    text = str(value)
    if len(text) > column.length:
        raise Refused("too-long", field=field, hint=f"at most {column.length} characters")
    if _NOT_TEXT.search(text):
        raise Refused("not-text", field=field, hint="a control character")
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        raise Refused("not-in-character-set", field=field, hint=encoding) from None


def _spread(kind: FileKind, record: Record, rows: dict[str, list[Record]], links: dict[str, Any]) -> None:
    """Put a record in its file and the rows of its lists in theirs, with the keys that tie them together."""
    row = {**record, **links}
    rows.setdefault(kind.file, []).append(row)
    for child in kind.children:
        below = {name: row[name] for name in child.links if name in row}
        for item in record.get(child.list) or ():
            _spread(child, item, rows, below)


def _text(kind: FileKind, rows: Sequence[Record], encoding: Encoding, dialect: Dialect) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=dialect.separator.decode(), lineterminator="\r\n")
    if dialect.header:
        writer.writerow(kind.titles)
    guarded = {c.name for c in kind.columns if c.type == "text"} if kind.formulas == "apostrophe" else set()
    for row in rows:
        cells = ((name, "" if row.get(name) is None else str(row[name])) for name in kind.names)
        writer.writerow([guard(text) if name in guarded else text for name, text in cells])
    if kind.trailer:
        writer.writerow([kind.trailer, len(rows)])
    return (codecs.BOM_UTF8 if encoding == "utf-8" else b"") + stream.getvalue().encode(encoding)
