"""What every declared drop does; the class made of a declaration adds only what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from samspil.account import Account
from samspil.connector import Change, Connector, Field, Page, Receipt
from samspil.declared.drop.declaration import (
    CsvReading,
    CsvWriting,
    Declaration,
    FixedReading,
    FixedWriting,
    XlsxReading,
)
from samspil.declared.drop.delivery import Delivery
from samspil.errors import Refused
from samspil.files import Export, Rows
from samspil.files.columns import FileKind
from samspil.files.csvfile import CsvFile, RowFile
from samspil.files.fixed import FixedFile
from samspil.files.sheet import SheetFile
from samspil.sftp import Sftp, SftpSettings


class DropSettings(SftpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection to any drop may say beside the way to the server."""

    oldest: int = 0  # hours after which an export counts as forgotten; 0: as declared
    receipt_timeout: float = 600.0  # seconds to wait for a receipt file
    receipt_poll: float = 2.0  # seconds between two looks


class Drop(Connector):
    """One account's folders on an SFTP server."""

    declaration: ClassVar[Declaration]

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sftp = Sftp(self.settings, system=account.id)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        declared = cls.declaration.reads.get(schema) or cls.declaration.writes[schema]
        return declared.kind.fields()

    def check(self) -> None:
        """Log in and look into every folder that is used. A folder that is missing is an Unavailable."""
        for folder in sorted({*self._folders()}):
            self._sftp.files(folder)

    def close(self) -> None:
        self._sftp.close()

    def _folder(self, folder: str | None) -> str:
        """A declared folder, or that of all, with the account's own settings in it."""
        name = self.declaration.folder if folder is None else folder
        for setting in self.declaration.settings:
            name = name.replace(f"{{{setting}}}", getattr(self.settings, setting))
        return name

    def _folders(self) -> Iterator[str]:
        for reading in self.declaration.reads.values():
            yield self._folder(reading.folder)
            if not isinstance(reading.taken, str):
                yield self._folder(reading.taken.move)
        for writing in self.declaration.writes.values():
            yield self._folder(writing.folder)
            if not isinstance(writing.receipts, str):
                yield self._folder(writing.receipts.folder)


class ReadingDrop(Drop):
    """A drop that reads."""

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """The newest delivery, always whole. See ``samspil.files.Export`` for what is rejected and what raises."""
        if since is not None or schema not in self.declaration.reads:
            return super().read(schema, since)
        reading = self.declaration.reads[schema]
        export = Export(
            reading.kind,
            system=self.account.id,
            oldest=self.settings.oldest or reading.oldest,
            beside=reading.how.beside,
            replaced="" if isinstance(reading.taken, str) else self._folder(reading.taken.move),
            opened=lambda chunks, name, kind: self._opened(reading, chunks, name, kind),
        )
        return export.pages(self._sftp, self._folder(reading.folder))

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        rows = Rows(self.declaration.reads[schema].kind)
        return [rows.decode(raw) for raw in raws]

    def _opened(
        self,
        reading: CsvReading | XlsxReading | FixedReading,
        chunks: Iterator[bytes],
        name: str,
        kind: FileKind,
    ) -> RowFile:
        if isinstance(reading, CsvReading):
            return CsvFile(chunks, name, kind, reading.encoding, reading.dialect)
        if isinstance(reading, XlsxReading):
            return SheetFile(chunks, name, kind, system=self.account.id, sheet=reading.sheet, header=reading.header)
        return FixedFile(chunks, name, kind, reading.lines)


class WritingDrop(Drop):
    """A drop that writes."""

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        """Drop the batch as a file, and wait for its receipts if there are any.

        Raises Unavailable if they do not come in time or do not answer every record. Sent again, the same batch has
        the same name: a receipt that is there by then is simply read.
        """
        if schema not in self.declaration.writes:
            return super().write(schema, batch)
        writing: CsvWriting | FixedWriting = self.declaration.writes[schema]
        receipts = writing.receipts
        delivery = Delivery(
            writing,
            sftp=self._sftp,
            system=self.account.id,
            folder=self._folder(writing.folder),
            receipts="" if isinstance(receipts, str) else self._folder(receipts.folder),
            timeout=self.settings.receipt_timeout,
            poll=self.settings.receipt_poll,
        )
        return delivery.write(batch)
