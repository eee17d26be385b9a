"""The ``connector.yaml`` of a drop: files that one side leaves on an SFTP server for the other, without Python.

::

    kind: drop
    title: Company list (virksomhedsliste)
    folder: ud                       # below the connection's own; {name} of one of the settings may stand in it
    reads:
      company:
        record: Virksomhed
        files: Virksomheder_{date}.xlsx      # {date} {number} {part}, see samspil.files.arrival
        format: xlsx                         # csv, xlsx or fixed
        key: Nummer                          # or a list of columns
        complete: renamed                    # or end (fixed: by its end record), {trailer: Antal}, {beside: .ok}
        oldest: 72                           # hours
        taken: {move: arkiv}                 # or leave; what a newer delivery has replaced is moved, never the newest
        columns: [{name: Nummer, required: true}, …]
    writes:
      …: {record: …, file: "Ordrer_{delivery}.csv", format: csv, key: …, receipts: none, columns: […]}
"""

from __future__ import annotations

from typing import Literal

import msgspec

from samspil.files.arrival import Beside
from samspil.files.columns import Column, FileKind
from samspil.files.csvfile import Dialect, Encoding
from samspil.files.layout import FixedEncoding, Layout
from samspil.files.sheet import SheetColumn

Delimiter = Literal[";", ",", "\t", "|"]


class _Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing in a declaration is ignored."""


class Complete(_Closed, frozen=True, kw_only=True):
    """How one knows that a file is whole, if neither the sender's renaming nor its end record says so."""

    trailer: str = ""  # csv, xlsx: the last row is this word and the number of records
    beside: Beside = ""  # a file of the same name with this end


class Moved(_Closed, frozen=True, kw_only=True):
    """Into which folder files go once a newer delivery has been read whole."""

    move: str


class Reading(_Closed, frozen=True, kw_only=True):
    """What all formats have in common."""

    record: str
    files: str
    key: str | tuple[str, ...]
    complete: Literal["renamed", "end"] | Complete
    folder: str | None = None
    oldest: int = 72
    taken: Literal["leave"] | Moved = "leave"

    @property
    def how(self) -> Complete:
        return Complete() if isinstance(self.complete, str) else self.complete


class CsvReading(Reading, tag="csv", tag_field="format", frozen=True, kw_only=True):
    """A CSV file. A byte order mark says UTF-8, whatever ``encoding`` says."""

    columns: tuple[Column, ...]
    encoding: Encoding = "utf-8"
    delimiter: Delimiter = ";"
    quotes: bool = True
    header: bool = True
    formulas: Literal["as-is", "apostrophe"] = "as-is"
    children: tuple[FileKind, ...] = ()

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.delimiter.encode(), self.quotes, self.header)

    @property
    def kind(self) -> FileKind:
        return FileKind(
            file=self.files,
            key=self.key,
            columns=self.columns,
            trailer=self.how.trailer,
            formulas=self.formulas,
            children=self.children,
        )


class XlsxReading(Reading, tag="xlsx", tag_field="format", frozen=True, kw_only=True):
    """One sheet of a workbook (the only one, if none is named); ``header`` is the row with the columns' names."""

    columns: tuple[SheetColumn, ...]
    sheet: str = ""
    header: int = 1

    @property
    def kind(self) -> FileKind:
        return FileKind(file=self.files, key=self.key, columns=self.columns, trailer=self.how.trailer)


class FixedReading(Reading, tag="fixed", tag_field="format", frozen=True, kw_only=True):
    """A fixed-width file; its columns are in ``lines``."""

    lines: Layout

    @property
    def kind(self) -> FileKind:
        return FileKind(file=self.files, key=self.key, columns=self.lines.every)


class Actions(_Closed, frozen=True, kw_only=True):
    """The column that tells a record to be kept from one to be deleted, and the two words in it."""

    column: str
    put: str
    delete: str


class Receipts(_Closed, frozen=True, kw_only=True):
    """The receipt file: CSV of the same name in another folder, one line per record, found by the delivery key.

    ``ok`` is the status of a record taken, ``unreadable`` that of a file which could not be read at all; every other
    status is a refusal, with ``code`` translated by ``reasons``.
    """

    folder: str
    status: str
    ok: str
    unreadable: str = ""
    theirs: str = ""
    reference: str = ""
    code: str = ""
    field: str = ""
    reasons: dict[str, str] = {}
    trailer: str = ""
    encoding: Encoding = "latin-1"


class Writing(_Closed, frozen=True, kw_only=True):
    """What both formats have in common. ``delivery`` is the column with a change's own key, ``theirs`` that of their id.

    Without receipts a record that was dropped counts as taken, and it is called by its ``key``.
    """

    record: str
    file: str
    key: str
    receipts: Literal["none"] | Receipts
    folder: str | None = None
    batch: int = 500
    actions: Actions | None = None
    delivery: str = ""
    theirs: str = ""
    beside: Beside = ""

    @property
    def envelope(self) -> frozenset[str]:
        """The columns that belong to the delivery and not to the record."""
        return frozenset((self.delivery, self.theirs, self.actions.column if self.actions else "")) - {""}


class CsvWriting(Writing, tag="csv", tag_field="format", frozen=True, kw_only=True):
    """A CSV file. ``formulas: apostrophe`` (the default) keeps a spreadsheet from running text as a formula."""

    columns: tuple[Column, ...]
    encoding: Encoding = "utf-8"
    delimiter: Delimiter = ";"
    header: bool = True
    trailer: str = ""
    formulas: Literal["as-is", "apostrophe"] = "apostrophe"
    children: tuple[FileKind, ...] = ()

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.delimiter.encode(), header=self.header)

    @property
    def kind(self) -> FileKind:
        return FileKind(
            file=self.file,
            key=self.delivery or self.key,  # what child rows hang on
            columns=_marked(self.columns, self.envelope),
            trailer=self.trailer,
            formulas=self.formulas,
            children=self.children,
        )


class FixedWriting(Writing, tag="fixed", tag_field="format", frozen=True, kw_only=True):
    """A fixed-width file; its columns are in ``lines``."""

    lines: Layout

    @property
    def encoding(self) -> FixedEncoding:
        return self.lines.encoding

    @property
    def kind(self) -> FileKind:
        return FileKind(file=self.file, key=self.key, columns=_marked(self.lines.every, self.envelope))


class Declaration(_Closed, frozen=True, kw_only=True):
    """A whole ``connector.yaml``. ``settings`` are a connection's own, name → what it is; each is a required text."""

    kind: Literal["drop"]
    title: str
    folder: str = ""
    settings: dict[str, str] = {}
    reads: dict[str, CsvReading | XlsxReading | FixedReading] = {}
    writes: dict[str, CsvWriting | FixedWriting] = {}


def _marked(columns: tuple[Column, ...], envelope: frozenset[str]) -> tuple[Column, ...]:
    return tuple(
        msgspec.structs.replace(column, envelope=True) if column.name in envelope else column for column in columns
    )
