"""What every declared drop does; the class made of a declaration adds only what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from samspil.account import Account
from samspil.connector import Change, Connector, Field, Page, Receipt
from samspil.declared.drop.declaration import (
    CsvReading,
    Declaration,
    Declared,
    FixedReading,
    XlsxReading,
)
from samspil.declared.drop.delivery import Delivery
from samspil.declared.values import filled
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
        declared = cls.declaration.schemas[schema]
        return (declared.read_kind if declared.listing else declared.written_kind).fields()

    def check(self) -> None:
        """Log in and look into every folder that is used. A folder that is missing is an Unavailable."""
        for folder in sorted({*self._folders()}):
            self._sftp.files(folder)

    def close(self) -> None:
        self._sftp.close()

    def _folder(self, folder: str | None) -> str:
        """A declared folder, or that of all, with the account's own settings in it."""
        return str(filled(self.declaration.folder if folder is None else folder, self.settings))

    def _folders(self) -> Iterator[str]:
        for declared in self.declaration.schemas.values():
            if declared.listing is not None:
                yield self._folder(declared.listing.folder)
                if not isinstance(declared.listing.taken, str):
                    yield self._folder(declared.listing.taken.move)
            if declared.write is not None:
                yield self._folder(declared.write.folder)
                if not isinstance(declared.write.receipt, str):
                    yield self._folder(declared.write.receipt.folder)


class ReadingDrop(Drop):
    """A drop that reads."""

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """The newest delivery, always whole. See ``samspil.files.Export`` for what is rejected and what raises."""
        declared = self.declaration.schemas.get(schema)
        if since is not None or declared is None or declared.listing is None:
            return super().read(schema, since)
        return self._export(declared, declared.listing).pages(self._sftp, self._folder(declared.listing.folder))

    def settled(self, schema: str) -> None:
        """Moves what a newer delivery has replaced, where the declaration says so."""
        listing = self.declaration.schemas[schema].listing
        if listing is not None and not isinstance(listing.taken, str):
            export = self._export(self.declaration.schemas[schema], listing)
            export.move_replaced(self._sftp, self._folder(listing.folder), self._folder(listing.taken.move))

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        rows = Rows(self.declaration.schemas[schema].read_kind)
        return [rows.decode(raw) for raw in raws]

    def _export(self, declared: Declared, reading: CsvReading | XlsxReading | FixedReading) -> Export:
        return Export(
            declared.read_kind,
            system=self.account.id,
            oldest=self.settings.oldest or reading.oldest,
            beside=reading.how.beside,
            opened=lambda chunks, name, kind: self._opened(reading, chunks, name, kind),
        )

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
        declared = self.declaration.schemas.get(schema)
        if declared is None or declared.write is None:
            return super().write(schema, batch)
        writing, receipt = declared.write, declared.write.receipt
        delivery = Delivery(
            declared,
            writing,
            sftp=self._sftp,
            system=self.account.id,
            folder=self._folder(writing.folder),
            receipts="" if isinstance(receipt, str) else self._folder(receipt.folder),
            timeout=self.settings.receipt_timeout,
            poll=self.settings.receipt_poll,
        )
        return delivery.write(batch)
