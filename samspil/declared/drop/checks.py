"""What a declaration's types cannot say: a key that is no column, a folder of no setting, no way to know a whole file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from samspil.declared.drop.declaration import (
    CsvReading,
    CsvWriting,
    Declaration,
    FixedReading,
    FixedWriting,
    XlsxReading,
)
from samspil.declared.drop.lines import problems
from samspil.files.arrival import pattern
from samspil.files.columns import FileKind, fault
from samspil.yamlfile import YamlFile

Problem = tuple[str, str]  # field, message

_SETTING = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile("[a-z][a-z0-9_]*")
TAKEN = (
    "url",
    "username",
    "password",
    "host_key",
    "private_key",
    "timeout",
    "oldest",
    "receipt_timeout",
    "receipt_poll",
)


def require(file: YamlFile[Declaration]) -> None:
    """Raise SettingsError, with line and field, for the first thing that cannot work."""
    declaration = file.value
    if not declaration.reads and not declaration.writes:
        raise file.error("neither reads nor writes anything")
    for field, message in _settings(declaration):
        raise file.error(message, at=field)
    for schema, reading in declaration.reads.items():
        for field, message in _reading(reading):
            raise file.error(message, at=f"reads.{schema}.{field}")
    for schema, writing in declaration.writes.items():
        for field, message in _writing(writing):
            raise file.error(message, at=f"writes.{schema}.{field}".removesuffix("."))
        both = declaration.reads.get(schema)
        if both is not None and set(both.kind.fields()) != set(writing.kind.fields()):
            message = "is read too, and has other columns there; one mapping serves both ways"
            raise file.error(message, at=f"writes.{schema}")


def _settings(declaration: Declaration) -> Iterator[Problem]:
    for name in declaration.settings:
        if not _NAME.fullmatch(name) or name in TAKEN:
            yield f"settings.{name}", "is no name for a setting, or one that every drop has"
    for at, folder in _folders(declaration):
        for used in _SETTING.findall(folder):
            if used not in declaration.settings:
                yield at, f"there is no setting {used}"


def _folders(declaration: Declaration) -> Iterator[tuple[str, str]]:
    yield "folder", declaration.folder
    for schema, reading in declaration.reads.items():
        yield f"reads.{schema}.folder", reading.folder or ""
        if not isinstance(reading.taken, str):
            yield f"reads.{schema}.taken.move", reading.taken.move
    for schema, writing in declaration.writes.items():
        yield f"writes.{schema}.folder", writing.folder or ""
        if not isinstance(writing.receipts, str):
            yield f"writes.{schema}.receipts.folder", writing.receipts.folder


def _reading(reading: CsvReading | XlsxReading | FixedReading) -> Iterator[Problem]:
    yield from _names(reading.kind)
    yield from _whole(reading)
    if isinstance(reading, FixedReading):
        yield from problems(reading.lines, reading.key)
    elif isinstance(reading, CsvReading):
        yield from _csv(reading)
    else:
        yield from _sheet(reading)
    if problem := fault(reading.kind):
        yield "columns", problem


def _whole(reading: CsvReading | XlsxReading | FixedReading) -> Iterator[Problem]:
    """How a whole file is known must be said, and in a way that the format has."""
    end = reading.lines.end if isinstance(reading, FixedReading) else None
    if (reading.complete == "end") != (end is not None):
        yield "complete", "end goes with an end record in lines: end: {type: …, count: …}"
    if isinstance(reading.complete, str):
        return
    if not (reading.complete.trailer or reading.complete.beside):
        yield "complete", "say how a whole file is known: renamed, end, or {trailer: …} or {beside: …}"
    if isinstance(reading, FixedReading) and reading.complete.trailer:
        yield "complete.trailer", "a fixed-width file has an end record instead"


def _sheet(reading: XlsxReading) -> Iterator[Problem]:
    if reading.header < 1:
        yield "header", "rows count from 1"
    for number, column in enumerate(reading.columns):
        if column.padded and column.type not in ("text", "code", "cpr", "digits"):
            yield f"columns[{number}].padded", "only text is padded"
        if column.padded and column.type != "cpr" and column.length > 15:
            yield f"columns[{number}].length", "say to which length numbers are padded, at most 15"


def _writing(writing: CsvWriting | FixedWriting) -> Iterator[Problem]:
    kinds = [writing.kind, *(child for _, child in writing.kind.descendants())]
    if any(kind.file.count("{delivery}") != 1 or "{" in kind.file.replace("{delivery}", "") for kind in kinds):
        yield "file", "needs {delivery} once, which makes the same batch the same file, and no other placeholder"
    if len({kind.file for kind in kinds}) != len(kinds):
        yield "file", "two kinds of file have one name"
    if isinstance(writing, FixedWriting):
        yield from problems(writing.lines, writing.key)
        if writing.lines.skip:
            yield "lines.skip", "is for reading"
    else:
        yield from _csv(writing)
    if missing := sorted({*writing.envelope, writing.key} - set(writing.kind.names)):
        yield "", f"{', '.join(missing)} is not among the columns"
    if writing.batch < 1:
        yield "batch", "is at least 1"
    if not isinstance(writing.receipts, str) and not writing.delivery:
        yield "receipts", "a receipt is found by the column of the delivery key: name it in delivery"
    if isinstance(writing.receipts, str) and writing.theirs:
        yield "theirs", "without receipts nobody tells us their id"
    if problem := fault(writing.kind):
        yield "columns", problem


def _names(kind: FileKind) -> Iterator[Problem]:
    for each in (kind, *(child for _, child in kind.descendants())):
        try:
            pattern(each.pattern)
        except ValueError as error:
            yield "files", str(error)


def _csv(csv: CsvReading | CsvWriting) -> Iterator[Problem]:
    for _, child in csv.kind.descendants():
        if not csv.header:
            yield "header", "files with child files need their columns' names"
        if isinstance(csv, CsvReading) and csv.kind.trailer and not child.trailer:
            yield "children", f"{child.file}: needs a trailer as the file above it has"
