"""A batch of changes dropped as a file, and the receipts that come back for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from samspil.connector import Change, Receipt
from samspil.declared.drop.declaration import CsvWriting, Declared, FixedWriting
from samspil.declared.drop.declaration import Receipt as Told
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
        declared: Declared,
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
        self._declared, self._kind = declared, declared.written_kind

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
        if writing.key:
            record[writing.key] = change.idempotency_key
        if writing.id:
            record[writing.id] = change.their_id
        check(self._kind, record, writing.encoding)
        if isinstance(writing, FixedWriting):
            kept(writing.lines.every, record)
        return record

    def _delivered(self, records: Mapping[str, dict[str, Any]]) -> dict[str, Receipt]:
        """A receipt for each record, by idempotency key."""
        number = delivery(records)
        name = self._writing.file.replace("{delivery}", number)
        receipt = self._writing.receipt
        if isinstance(receipt, str):
            self._drop(number, records)
            return {key: Receipt(their_id=str(record[self._declared.keys[0]])) for key, record in records.items()}
        answers = self._answers(receipt, name, records)
        if answers is not None:
            return answers
        if not self._sftp.exists(self._folder, name):
            self._drop(number, records)
        until = time.monotonic() + self._timeout
        while (answers := self._answers(receipt, name, records)) is None:
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

    def _answers(self, told: Told, name: str, keys: Mapping[str, object]) -> dict[str, Receipt] | None:
        """The receipts in a receipt file; None if there is none yet that answers every key."""
        data = self._sftp.get(self._receipts, name)
        if data is None:
            return None
        lines = table(receipt_kind(self._writing), name, data, system=self._system, encoding=told.encoding)
        if told.unreadable and any(line[told.status] == told.unreadable for line in lines):
            raise SettingsError(
                f"{self._system}: the receiver could not read {name}; compare connector.yaml with their layout",
                reason="file-refused",
            )
        found = {line[self._writing.key]: self._receipt(told, line) for line in lines}
        return {key: found[key] for key in keys} if found.keys() >= keys.keys() else None

    def _receipt(self, told: Told, line: Mapping[str, Any]) -> Receipt:
        reference = line.get(told.reference) or ""
        if line[told.status] in told.passed:
            return Receipt(their_id=line.get(told.id), reference=reference)
        reason = told.reasons.get(line.get(told.code) or "", "refused-by-system")
        field = line.get(told.field) or ""  # their text goes no further than our own names
        return Receipt(
            reference=reference, refused=Refused(reason, field=field if field in self._kind.fields() else "")
        )


def receipt_kind(writing: CsvWriting | FixedWriting) -> FileKind:
    """The contract of the receipt file. A file that was refused as a whole has one line without an idempotency key."""
    told = writing.receipt
    if isinstance(told, str):
        raise TypeError("a drop without receipts has no receipt file")
    names = (writing.key, told.status, told.id, told.reference, told.code, told.field)
    columns = tuple(Column(name=name, required=name == told.status) for name in names if name)
    return FileKind(file=writing.file, key=told.status, columns=columns, trailer=told.trailer)
