"""Reads the centre's nightly exports and drops course orders, both as CSV files on the journal vendor's SFTP server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from samspil.account import Account
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.files import Encoding, Export, Rows, check, contract, delivery, render, table
from samspil.sftp import Sftp, SftpSettings

CONTRACT = contract(Path(__file__).with_name("columns.yaml"))
ACTIONS = {"put": "GEM", "delete": "SLET"}
REASONS = {
    "FORMAT": "bad-format",
    "KODE": "unknown-code",
    "MANGLER": "missing-field",
    "LAENGDE": "too-long",
    "CPR": "bad-cpr",
    "UKENDT": "unknown-record",
}


class JournalFilesSettings(SftpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Folders are below the connection's own. ``encoding`` is that of exports without a byte order mark."""

    exports: str = "ud"
    orders: str = "ind"
    receipts: str = "kvittering"
    encoding: Encoding = "latin-1"
    order_encoding: Encoding = "utf-8"
    oldest: int = 72  # hours; an older export means that the vendor's job has stopped
    receipt_timeout: float = 600.0  # seconds to wait for the journal to import a delivery
    receipt_poll: float = 2.0  # seconds between two looks


class JournalFiles(Connector):
    """One centre's folders on the vendor's server."""

    title = "Education-centre journal, files (elektronisk journalsystem)"
    Settings = JournalFilesSettings
    reads: ClassVar[Mapping[str, Reads]] = {
        "attendance": Reads("Fremmoede"),
        "journal_note": Reads("Notater"),
        "status_note": Reads("Statusnotater"),
        "action_plan": Reads("Handleplaner"),
        "assessment": Reads("Skemaer"),
        "placement": Reads("Praktik"),
    }
    writes: ClassVar[Mapping[str, Writes]] = {"course_order": Writes("Bestillinger")}

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._sftp = Sftp(self.settings, system=account.id)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return CONTRACT[schema].fields()

    def check(self) -> None:
        """Log in and look into the three folders. A folder that is missing is an Unavailable."""
        for folder in (self.settings.exports, self.settings.orders, self.settings.receipts):
            self._sftp.files(folder)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """The newest export, always whole. See ``samspil.files.Export`` for what is rejected and what raises."""
        if since is not None or schema not in self.reads:
            return super().read(schema, since)
        export = Export(
            CONTRACT[schema], system=self.account.id, encoding=self.settings.encoding, oldest=self.settings.oldest
        )
        return export.pages(self._sftp, self.settings.exports)

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        rows = Rows(CONTRACT[schema])
        return [rows.decode(raw) for raw in raws]

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        """Drop the batch as files and wait for the receipt file of the same name.

        Raises Unavailable if it does not come in time or does not answer every record. Sent again, the same batch
        has the same name: a receipt that is there by then is simply read.
        """
        if schema not in self.writes:
            return super().write(schema, batch)
        kind, encoding = CONTRACT[schema], self.settings.order_encoding
        refused: dict[str, Refused] = {}
        records: dict[str, dict[str, Any]] = {}
        for change in batch:
            key = change.idempotency_key
            envelope = {"Leverance": key, "Handling": ACTIONS[change.action], "ForloebId": change.their_id}
            try:
                record = {**change.record, **envelope}
                check(kind, record, encoding)
                records[key] = record
            except Refused as error:
                refused[key] = error
        answers = self._delivered(schema, records) if records else {}
        return [
            Receipt(refused=refused[change.idempotency_key])
            if change.idempotency_key in refused
            else answers[change.idempotency_key]
            for change in batch
        ]

    def close(self) -> None:
        self._sftp.close()

    def _delivered(self, schema: str, records: Mapping[str, Mapping[str, Any]]) -> dict[str, Receipt]:
        """One receipt for each record, by idempotency key."""
        kind, folder, batch = CONTRACT[schema], self.settings.orders, delivery(records)
        name = f"{kind.file}_{batch}.csv"
        answers = self._answers(schema, name, records)
        if answers is not None:
            return answers
        if not self._sftp.exists(folder, name):
            for file, data in render(kind, list(records.values()), self.settings.order_encoding):
                self._sftp.put(folder, f"{file}_{batch}.csv", data)
        until = time.monotonic() + self.settings.receipt_timeout
        while (answers := self._answers(schema, name, records)) is None:
            if time.monotonic() >= until:
                message = f"no receipt for {name} within {self.settings.receipt_timeout:g} s"
                raise Unavailable(message, system=self.account.id, reason="receipt-missing")
            time.sleep(self.settings.receipt_poll)
        return answers

    def _answers(self, schema: str, name: str, keys: Mapping[str, object]) -> dict[str, Receipt] | None:
        """The receipts in a receipt file; None if there is none yet that answers every key."""
        data = self._sftp.get(self.settings.receipts, name)
        if data is None:
            return None
        lines = table(CONTRACT["receipt"], name, data, system=self.account.id, encoding=self.settings.encoding)
        if any(line["Status"] == "FILFEJL" for line in lines):
            raise SettingsError(
                f"{self.account.id}: the journal could not read {name}; compare columns.yaml with the vendor's layout",
                reason="file-refused",
            )
        found = {line["Leverance"]: _receipt(line, self.fields(schema)) for line in lines}
        return {key: found[key] for key in keys} if found.keys() >= keys.keys() else None


def _receipt(line: Mapping[str, Any], fields: Mapping[str, Field]) -> Receipt:
    if line["Status"] == "OK":
        return Receipt(their_id=line["ForloebId"], reference=line["Kvittering"] or "")
    reason = REASONS.get(line["Fejlkode"] or "", "refused-by-system")
    field = line["Felt"] if line["Felt"] in fields else ""  # their text goes no further than our own names
    return Receipt(reference=line["Kvittering"] or "", refused=Refused(reason, field=field))
