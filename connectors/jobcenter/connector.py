"""The jobcenter's case system (jobcentrets fagsystem) over SOAP 1.1, with the habits of Serviceplatformen."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import Meta

from connectors.jobcenter.contract import CODES, HERE, READS, RECORDS, record_type, shape
from connectors.jobcenter.delivery import encoded, receipt
from samspil.account import SECRET, Account
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Rejected, Writes
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.http import HttpSettings, Session
from samspil.soap import Soap

STUCK = 20  # pages in a row that cannot be read; then something else is wrong than a record


class JobcenterSettings(HttpSettings, frozen=True, kw_only=True):
    """``username`` and ``password`` are sent as HTTP Basic, else ``api_key`` in the header ``api_key_header``.

    ``wsdl`` is the vendor's file instead of ours; the files it imports lie in the same folder.
    """

    municipality_cvr: Annotated[str, Meta(pattern=r"^[0-9]{8}\Z")]
    username: str = ""
    password: Annotated[str, SECRET] = ""
    api_key: Annotated[str, SECRET] = ""
    api_key_header: str = "apikey"
    page_size: Annotated[int, Meta(ge=1, le=5000)] = 1000
    wsdl: str = ""


class _Answered(NamedTuple):
    """A page and what the system says of the list: ``more`` and ``total`` are empty if it does not tell."""

    page: Page
    whole: bool  # every record of the page could be cut out
    more: str
    total: str


class Jobcenter(Connector):
    """Reads orders and activities in pages; delivers the centre's records in batches, one receipt per record."""

    title = "Jobcenter case system (jobcentrets fagsystem)"
    Settings = JobcenterSettings
    reads: ClassVar[Mapping[str, Reads]] = {schema: Reads(RECORDS[schema]) for schema in READS}
    writes: ClassVar[Mapping[str, Writes]] = {
        schema: Writes(record) for schema, record in RECORDS.items() if schema not in READS
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        settings: JobcenterSettings = self.settings
        if settings.api_key:
            self._credentials = {settings.api_key_header: settings.api_key}
        elif settings.username and settings.password:
            pair = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
            self._credentials = {"Authorization": f"Basic {pair}"}
        else:
            raise SettingsError("needs a login and password, or an api_key", field=f"connection {account.id}")
        wsdl = Path(settings.wsdl) if settings.wsdl else HERE / "jobcenter.wsdl"
        if not wsdl.is_file():
            raise SettingsError("there is no such file", file=str(wsdl), field="wsdl")
        self._session = Session("jobcenter", settings, passed=(500,))
        self._soap = Soap(
            self._session, wsdl, url=settings.url, system="jobcenter", codes=CODES, attempts=settings.attempts
        )

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return record_type(schema).fields

    def check(self) -> None:
        for attempt in self._soap.retried():
            with attempt:
                self._soap.call("AdgangHent", self._context(), http_headers=self._credentials)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        if schema not in self.reads:
            super().read(schema, since)
        number, count, unread, first, total = 1, 0, 0, b"", ""
        whole = True
        while True:
            answered = self._page(schema, number)
            page = answered.page
            if page.keys and page.keys[0] == first:
                raise Unavailable("pages repeat themselves", system="jobcenter", reason="paging-stuck")
            first = page.keys[0] if page.keys else first
            total = total or answered.total
            if total != (answered.total or total):
                raise Unavailable("the list changed while it was read", system="jobcenter", reason="list-moved")
            unread = 0 if answered.whole else unread + 1
            if unread == STUCK:
                raise Unavailable(f"{STUCK} pages in a row are not XML", system="jobcenter", reason="paging-stuck")
            whole = whole and answered.whole
            found = len(page.keys) + len(page.rejected)
            count += found
            yield page
            if answered.whole and not (answered.more == "true" if answered.more else found >= self.settings.page_size):
                break
            number += 1
        if whole and total and int(total) != count:
            raise Unavailable("the list changed while it was read", system="jobcenter", reason="list-moved")

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        return record_type(schema).decode(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        if schema not in self.writes:
            return super().write(schema, batch)
        records, receipts = encoded(schema, batch)
        for _ in range(self.settings.attempts):
            waiting = {key: record for key, record in records.items() if key not in receipts}
            if waiting:
                receipts |= self._deliver(schema, waiting)
        if missing := sum(key not in receipts for key in records):
            raise Unavailable(
                f"{missing} of {len(batch)} records got no receipt", system="jobcenter", reason="receipt-missing"
            )
        return [receipts[change.idempotency_key.lower()] for change in batch]

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        kind, wanted = record_type(schema), shape(schema)
        values = {**self._context(), "Id": their_id}
        for attempt in self._soap.retried():
            with attempt:
                reading = self._soap.read(f"{wanted.record}Hent", values, wanted, http_headers=self._credentials)
                try:
                    slices = list(reading)
                except Refused as error:
                    if error.reason == "fault-44":
                        return None
                    raise
        for one in (one for part in slices for one in part.rejected):
            raise one.error
        for found in kind.decode([raw for part in slices for raw in part.raws]):
            if isinstance(found, Refused):
                raise found
            return found
        return None

    def close(self) -> None:
        self._session.close()

    def _context(self) -> dict[str, Any]:
        return {
            "AuthorityContext": {"MunicipalityCVR": self.settings.municipality_cvr},
            "CallContext": {"CallersServiceCallIdentifier": str(uuid.uuid4())},
        }

    def _page(self, schema: str, number: int) -> _Answered:
        """One page, tried again as a whole: nothing of it has been handed on."""
        values = {**self._context(), "SideNummer": number, "SideStoerrelse": self.settings.page_size}
        wanted = shape(schema)
        for attempt in self._soap.retried():
            with attempt:
                raws: list[bytes] = []
                keys: list[bytes] = []
                rejected: list[Rejected] = []
                reading = self._soap.read(f"{wanted.record}Hent", values, wanted, http_headers=self._credentials)
                for slices in reading:
                    raws += slices.raws
                    keys += slices.keys
                    rejected += slices.rejected
        return _Answered(
            Page(raws, keys, rejected), reading.whole, reading.value("FlereSider"), reading.value("AntalIAlt")
        )

    def _deliver(self, schema: str, records: Mapping[str, bytes]) -> dict[str, Receipt]:
        """Receipts by idempotency key, for those that have their final answer. A batch refused whole is halved."""
        try:
            for attempt in self._soap.retried():
                with attempt:
                    answer = self._soap.call(
                        f"{RECORDS[schema]}Aflever",
                        self._context(),
                        records=list(records.values()),
                        prefixes=shape(schema).prefixes,
                        http_headers=self._credentials,
                    )
        except Refused as error:
            if len(records) == 1:
                return dict.fromkeys(records, Receipt(refused=error))
            pairs = list(records.items())
            half = len(pairs) // 2
            return self._deliver(schema, dict(pairs[:half])) | self._deliver(schema, dict(pairs[half:]))
        answers = {str(one["AfleveringsId"]).lower(): receipt(schema, one) for one in answer["Kvittering"] or ()}
        return {key: found for key, found in answers.items() if key in records and found is not None}
