"""A batch of changes dropped as a file, and the receipts that come back for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from samspil.connector import Change, Receipt
from samspil.declared.drop.declaration import CsvWriting, FixedWriting, Receipts
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.files import check, delivery, render, table
from samspil.files.columns import Column, FileKind
from samspil.files.layout import kept
from samspil.sftp import Sftp

_DIGESTS = {".md5": lambda data: hashlib.md5(data, usedforsecurity=False), ".sha256": hashlib.sha256}


class Delivery:
    """How batches of one schema go out. ``receipts`` is their folder; empty if none come."""

    def __init__(
        self,
        writing: CsvWriting | FixedWriting,
        *,
        sftp: Sftp,
        system: str,
        folder: str,
        receipts: str,
        timeout: float,
        poll: float,
    ) -> None:
        self._writing, self._sftp, self._system = writing, sftp, system
        self._folder, self._receipts, self._timeout, self._poll = folder, receipts, timeout, poll
        self._kind = writing.kind

    def write(self, batch: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in their order. A record that does not fit the file is refused, the others go."""
        found: dict[str, Receipt] = {}
        records: dict[str, dict[str, Any]] = {}
        for change in batch:
            try:
                records[change.idempotency_key] = self._record(change)
            except Refused as refused:
                found[change.idempotency_key] = Receipt(refused=refused)
        if records:
            found |= self._delivered(records)
        return [found[change.idempotency_key] for change in batch]

    def _record(self, change: Change) -> dict[str, Any]:
        """The record as the file has it, with its envelope. Raises Refused."""
        writing = self._writing
        record = change.record
        if writing.actions is not None:
            record[writing.actions.column] = getattr(writing.actions, change.action)
        elif change.action == "delete":
            raise Refused("cannot-delete", hint="the file has no column that says so")
        if writing.delivery:
            record[writing.delivery] = change.idempotency_key
        if writing.theirs:
            record[writing.theirs] = change.their_id
        check(self._kind, record, writing.encoding)
        if isinstance(writing, FixedWriting):
            kept(writing.lines.every, record)
        return record

    def _delivered(self, records: Mapping[str, dict[str, Any]]) -> dict[str, Receipt]:
        """A receipt for each record, by idempotency key."""
        number = delivery(records)
        name = self._writing.file.replace("{delivery}", number)
        receipts = self._writing.receipts
        if isinstance(receipts, str):
            self._drop(number, records)
            return {key: Receipt(their_id=str(record[self._writing.key])) for key, record in records.items()}
        answers = self._answers(receipts, name, records)
        if answers is not None:
            return answers
        if not self._sftp.exists(self._folder, name):
            self._drop(number, records)
        until = time.monotonic() + self._timeout
        while (answers := self._answers(receipts, name, records)) is None:
            if time.monotonic() >= until:
                message = f"no receipt for {name} within {self._timeout:g} s"
                raise Unavailable(message, system=self._system, reason="receipt-missing")
            time.sleep(self._poll)
        return answers

    def _drop(self, number: str, records: Mapping[str, dict[str, Any]]) -> None:
        """Put the files in place, the main one last, and what vouches for a file before it is complete with it."""
        writing = self._writing
        if isinstance(writing, FixedWriting):
            data = writing.lines.rendered(self._kind.keys, list(records.values()))
            files = [(writing.file, data)]
        else:
            files = render(self._kind, list(records.values()), writing.encoding, writing.dialect)
        for file, data in files:
            name = file.replace("{delivery}", number)
            self._sftp.put(self._folder, name, data)
            if writing.beside:
                make = _DIGESTS.get(writing.beside)
                said = make(data).hexdigest().encode() + b"\n" if make else b""
                self._sftp.put(self._folder, name + writing.beside, said)

    def _answers(self, receipts: Receipts, name: str, keys: Mapping[str, object]) -> dict[str, Receipt] | None:
        """The receipts in a receipt file; None if there is none yet that answers every key."""
        data = self._sftp.get(self._receipts, name)
        if data is None:
            return None
        lines = table(receipt_kind(self._writing), name, data, system=self._system, encoding=receipts.encoding)
        if receipts.unreadable and any(line[receipts.status] == receipts.unreadable for line in lines):
            raise SettingsError(
                f"{self._system}: the receiver could not read {name}; compare connector.yaml with their layout",
                reason="file-refused",
            )
        found = {line[self._writing.delivery]: self._receipt(receipts, line) for line in lines}
        return {key: found[key] for key in keys} if found.keys() >= keys.keys() else None

    def _receipt(self, receipts: Receipts, line: Mapping[str, Any]) -> Receipt:
        reference = line.get(receipts.reference) or ""
        if line[receipts.status] == receipts.ok:
            return Receipt(their_id=line.get(receipts.theirs), reference=reference)
        reason = receipts.reasons.get(line.get(receipts.code) or "", "refused-by-system")
        field = line.get(receipts.field) or ""  # their text goes no further than our own names
        return Receipt(
            reference=reference, refused=Refused(reason, field=field if field in self._kind.fields() else "")
        )


def receipt_kind(writing: CsvWriting | FixedWriting) -> FileKind:
    """The contract of the receipt file. A file that was refused as a whole has one line without a delivery key."""
    receipts = writing.receipts
    if isinstance(receipts, str):
        raise TypeError("a drop without receipts has no receipt file")
    names = (
        writing.delivery,
        receipts.status,
        receipts.theirs,
        receipts.reference,
        receipts.code,
        receipts.field,
    )
    columns = tuple(Column(name=name, required=name == receipts.status) for name in names if name)
    return FileKind(file=writing.file, key=receipts.status, columns=columns, trailer=receipts.trailer)
