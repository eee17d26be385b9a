"""The ``connector.yaml`` of a drop: files that one side leaves on an SFTP server for the other, without Python.

::

    kind: drop
    title: Company list (virksomhedsliste)
    folder: ud                       # below the connection's own; {name} of one of the settings may stand in it
    schemas:
      company:
        record: Virksomhed
        key: Nummer                            # or a list of columns
        list:
          files: Virksomheder_{date}.xlsx      # {date} {number} {part}, see samspil.files.arrival
          format: xlsx                         # csv, xlsx or fixed
          complete: renamed                    # or end (fixed: by its end record), {trailer: Antal}, {beside: .ok}
          oldest: 72                           # hours
          taken: {move: arkiv}                 # or leave; what a newer delivery has replaced is moved, never the newest
          columns: [{name: Nummer, required: true}, …]
        write: {file: "Ordrer_{delivery}.csv", format: csv, receipt: none, columns: […]}
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from samspil.declared import receipt
from samspil.declared.closed import Closed, Key, Word, each
from samspil.declared.settings import Settings
from samspil.files.arrival import Beside
from samspil.files.columns import Column, FileKind
from samspil.files.csvfile import Dialect, Encoding
from samspil.files.layout import FixedEncoding, Layout
from samspil.files.sheet import SheetColumn

Delimiter = Literal[";", ",", "\t", "|"]


class Complete(Closed, frozen=True, kw_only=True):
    """How one knows that a file is whole, if neither the sender's renaming nor its end record says so."""

    trailer: str = ""  # csv, xlsx: the last row is this word and the number of records
    beside: Beside = ""  # a file of the same name with this end


class Moved(Closed, frozen=True, kw_only=True):
    """Into which folder files go once a newer delivery has been read whole."""

    move: str


class Reading(Closed, frozen=True, kw_only=True):
    """What all formats have in common."""

    files: str
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

    def kind(self, key: tuple[str, ...]) -> FileKind:
        """The contract of its files, whose records are named by ``key``."""
        return FileKind(
            file=self.files,
            key=key,
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

    def kind(self, key: tuple[str, ...]) -> FileKind:
        """The contract of its files, whose records are named by ``key``."""
        return FileKind(file=self.files, key=key, columns=self.columns, trailer=self.how.trailer)


class FixedReading(Reading, tag="fixed", tag_field="format", frozen=True, kw_only=True):
    """A fixed-width file; its columns are in ``lines``."""

    lines: Layout

    def kind(self, key: tuple[str, ...]) -> FileKind:
        """The contract of its files, whose records are named by ``key``."""
        return FileKind(file=self.files, key=key, columns=self.lines.every)


class Actions(Closed, frozen=True, kw_only=True):
    """The column that tells a record to be kept from one to be deleted, and the two words in it."""

    column: str
    put: str
    delete: str


class Receipt(receipt.Receipt, frozen=True, kw_only=True):
    """The receipt file: CSV of the same name in another folder, one line per record, found by the column ``key`` of the
    delivery. The others are columns too.

    ``unreadable`` is the status of a file which could not be read at all; every other than that and ``passed`` is a
    refusal, with ``code`` translated by ``reasons``.
    """

    folder: str
    status: Word
    passed: Annotated[tuple[str, ...], Meta(min_length=1)]
    unreadable: str = ""
    trailer: str = ""
    encoding: Encoding = "latin-1"


class Writing(Closed, frozen=True, kw_only=True):
    """What both formats have in common. ``key`` is the column with a change's idempotency key, ``id`` that with what the
    system calls the record.

    Without receipts a record that was dropped counts as taken, and it is called by its key.
    """

    file: str
    receipt: Literal["none"] | Receipt
    folder: str | None = None
    batch: Annotated[int, Meta(ge=1)] = 500
    actions: Actions | None = None
    key: str = ""
    id: str = ""
    beside: Beside = ""

    @property
    def envelope(self) -> frozenset[str]:
        """The columns that belong to the delivery and not to the record."""
        return frozenset((self.key, self.id, self.actions.column if self.actions else "")) - {""}


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

    def kind(self, key: tuple[str, ...]) -> FileKind:
        """The contract of its files, whose records are named by ``key``."""
        return FileKind(
            file=self.file,
            key=self.key or key,  # what child rows hang on
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

    def kind(self, key: tuple[str, ...]) -> FileKind:
        """The contract of its files, whose records are named by ``key``."""
        return FileKind(file=self.file, key=key, columns=_marked(self.lines.every, self.envelope))


class Declared(Closed, frozen=True, kw_only=True):
    """One shared schema: how its files are read, and how they are written."""

    record: Word
    key: Key
    listing: CsvReading | XlsxReading | FixedReading | None = msgspec.field(name="list", default=None)
    write: CsvWriting | FixedWriting | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of its key."""
        return each(self.key)

    @property
    def read_kind(self) -> FileKind:
        """The contract of the files that are read."""
        if self.listing is None:
            raise TypeError("is not read")
        return self.listing.kind(self.keys)

    @property
    def written_kind(self) -> FileKind:
        """The contract of the files that are written."""
        if self.write is None:
            raise TypeError("is not written")
        return self.write.kind(self.keys)


class Declaration(Closed, frozen=True, kw_only=True):
    """A whole ``connector.yaml``."""

    kind: Literal["drop"]
    title: Word
    folder: str = ""
    settings: Settings = msgspec.field(default_factory=dict)
    schemas: Annotated[dict[str, Declared], Meta(min_length=1)]


def _marked(columns: tuple[Column, ...], envelope: frozenset[str]) -> tuple[Column, ...]:
    return tuple(
        msgspec.structs.replace(column, envelope=True) if column.name in envelope else column for column in columns
    )
