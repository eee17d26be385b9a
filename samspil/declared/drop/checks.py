"""What a declaration's types cannot say: a key that is no column, a folder of no setting, no way to know a whole file."""

from __future__ import annotations

from collections.abc import Iterator

from samspil.declared.drop.declaration import (
    CsvReading,
    CsvWriting,
    Declaration,
    Declared,
    FixedReading,
    FixedWriting,
    XlsxReading,
)
from samspil.declared.drop.lines import problems
from samspil.declared.values import require_names
from samspil.files.arrival import pattern
from samspil.files.columns import FileKind, fault
from samspil.yamlfile import YamlFile

Problem = tuple[str, str]  # field, message


def require(file: YamlFile[Declaration]) -> None:
    """Raise SettingsError, with line and field, for the first thing that cannot work."""
    for at, folder in _folders(file.value):
        require_names(file, folder, at, ())
        if folder.startswith("/") or ".." in folder.split("/"):
            raise file.error("lies below the connection's own folder: no / in front, no ..", at=at)
    for schema, declared in file.value.schemas.items():
        at = f"schemas.{schema}"
        if declared.listing is None and declared.write is None:
            raise file.error("needs a `list` to be read or a `write` to be written", at=at)
        if declared.listing is not None:
            for field, message in _reading(declared, declared.listing):
                raise file.error(message, at=f"{at}.list.{field}".removesuffix("."))
        if declared.write is not None:
            for field, message in _writing(declared, declared.write):
                raise file.error(message, at=f"{at}.write.{field}".removesuffix("."))
        both = declared.listing is not None and declared.write is not None
        if both and set(declared.read_kind.fields()) != set(declared.written_kind.fields()):
            raise file.error("is read too, and has other columns there; one mapping serves both ways", at=f"{at}.write")


def _folders(declaration: Declaration) -> Iterator[tuple[str, str]]:
    yield "folder", declaration.folder
    for schema, declared in declaration.schemas.items():
        at = f"schemas.{schema}"
        if declared.listing is not None:
            yield f"{at}.list.folder", declared.listing.folder or ""
            if not isinstance(declared.listing.taken, str):
                yield f"{at}.list.taken.move", declared.listing.taken.move
        if declared.write is not None:
            yield f"{at}.write.folder", declared.write.folder or ""
            if not isinstance(declared.write.receipt, str):
                yield f"{at}.write.receipt.folder", declared.write.receipt.folder


def _reading(declared: Declared, reading: CsvReading | XlsxReading | FixedReading) -> Iterator[Problem]:
    kind = declared.read_kind
    yield from _names(kind)
    yield from _whole(reading)
    if isinstance(reading, FixedReading):
        yield from problems(reading.lines, declared.keys)
    elif isinstance(reading, CsvReading):
        yield from _csv(reading, kind)
    else:
        yield from _sheet(reading)
    if problem := fault(kind):
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


def _writing(declared: Declared, writing: CsvWriting | FixedWriting) -> Iterator[Problem]:
    whole = declared.written_kind
    kinds = [whole, *(child for _, child in whole.descendants())]
    if any(kind.file.count("{delivery}") != 1 or "{" in kind.file.replace("{delivery}", "") for kind in kinds):
        yield "file", "needs {delivery} once, which makes the same batch the same file, and no other placeholder"
    if len({kind.file for kind in kinds}) != len(kinds):
        yield "file", "two kinds of file have one name"
    if isinstance(writing, FixedWriting):
        yield from problems(writing.lines, declared.keys)
        if writing.lines.skip:
            yield "lines.skip", "is for reading"
    else:
        yield from _csv(writing, whole)
    if missing := sorted({*writing.envelope, *declared.keys} - set(whole.names)):
        yield "", f"{', '.join(missing)} is not among the columns"
    if not isinstance(writing.receipt, str) and not writing.key:
        yield "receipt", "a receipt is found by the column of the idempotency key: name it in key"
    if isinstance(writing.receipt, str) and writing.id:
        yield "id", "without receipts nobody tells us their id"
    if isinstance(writing.receipt, str) and len(declared.keys) > 1:
        yield "receipt", "without receipts a record is called by its key, which must be one column"
    if problem := fault(whole):
        yield "columns", problem


def _names(kind: FileKind) -> Iterator[Problem]:
    for each in (kind, *(child for _, child in kind.descendants())):
        try:
            pattern(each.pattern)
        except ValueError as error:
            yield "files", str(error)


def _csv(csv: CsvReading | CsvWriting, kind: FileKind) -> Iterator[Problem]:
    for _, child in kind.descendants():
        if not csv.header:
            yield "header", "files with child files need their columns' names"
        if isinstance(csv, CsvReading) and kind.trailer and not child.trailer:
            yield "children", f"{child.file}: needs a trailer as the file above it has"
