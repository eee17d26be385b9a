"""Activities to STAR: one call per activity, and no activity twice.

See README.md for what STAR does with a request id that it has seen before, which is what most of this is about.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from connectors.star import faults
from connectors.star.activity import done, plain
from connectors.star.faults import FAULTS, SYSTEM
from connectors.star.settings import StarSettings, check_expiry
from samspil.account import Account
from samspil.connector import Change, Connector, Field, Receipt, Writes
from samspil.cut import RecordShape
from samspil.errors import AccessError, Refused, SamspilError, Unavailable
from samspil.http import Session
from samspil.soap import Codes, Kind, Soap
from samspil.xsd import RecordType

FOLDER: Final = Path(__file__).parent
SHAPE: Final = RecordShape("urn:samspil:star:activity:1", "Activity", "ExternalIdentifier", "star")
ORGANISATION: Final = "{http://rep.oio.dk/ams.dk/xml/schemas/2005/09/01/}ActiveOrganisationHeader"
USER: Final = "{http://service.bm.dk/pjaktass/2015/01/21/RequestUserStructure/}RequestUserMetadata"
OURS: Final = "AuthorityCode"  # filled in from the account
UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # what STAR calls an activity
KINDS: Final[dict[str, Kind]] = {"record": Refused, "access": AccessError, "busy": Unavailable}
ATTEMPTS: Final = 20  # request ids tried for one change; each was used by an earlier sending that came to nothing
COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")


class Star(Connector):
    """One organisation's access to STAR. Not safe to share between threads."""

    title = "STAR's shared employment data (Det Fælles Datagrundlag, DFDG)"
    Settings = StarSettings
    writes: ClassVar[Mapping[str, Writes]] = {"activity": Writes("Activity", batch=25)}

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._session: Session | None = None

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        if schema not in cls.writes:
            raise KeyError(schema)
        return {path: field for path, field in _activity().fields.items() if path != OURS}

    def check(self) -> None:
        """Fetch a code list."""
        try:
            self._call("GetCodeList", {"CodeListName": "ActivationType"})
        except Refused as refused:
            raise AccessError("refuses a call that any client may make", system=SYSTEM, reason=refused.reason) from None

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        if schema not in self.writes:
            return super().write(schema, batch)
        return [self._receipt(change) for change in batch]

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        if schema not in self.writes:
            return super().fetch(schema, their_id)
        activity = self._get(their_id, {}).get("Activity") if UUID.fullmatch(their_id) else None
        if activity is None:
            return None
        return {name: value for name, value in plain(activity).items() if name != OURS}

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _receipt(self, change: Change) -> Receipt:
        try:
            return self._sent(change, self._record(change))
        except Refused as refused:
            return Receipt(their_id=change.their_id, refused=refused)

    def _record(self, change: Change) -> dict[str, Any]:
        """The whole activity. Raises Refused, with the field, for what the contract does not allow."""
        record = {**change.record, OURS: self.settings.authority_code}
        if change.action == "put":
            raw = _activity().encode(record)
            problem = None if self.settings.wsdl else _activity().check([raw])[0]
            if problem:
                raise problem
        return record

    def _sent(self, change: Change, record: Mapping[str, Any]) -> Receipt:
        """Send a change until one request id is new to STAR, or until it turns out that it had been sent."""
        their_id = change.their_id
        for attempt in range(ATTEMPTS):
            request_id = f"{change.idempotency_key}-{attempt}" if attempt else change.idempotency_key
            try:
                return self._register(change.action, record, their_id, request_id)
            except _UsedRequestId:
                held = self._get(their_id, record)
                receipt = done(change.action, record, held)
                if receipt:
                    return receipt._replace(their_id=receipt.their_id or their_id)
            except Refused as refused:
                if their_id or refused.reason != FAULTS[faults.ALREADY_REGISTERED].reason:
                    raise
                held = self._get(None, record)
            their_id = their_id or held.get("Registered", {}).get("ActivityIdentifier")
        raise Unavailable("every request id of a change has been used", system=SYSTEM, reason="request-ids-used")

    def _register(self, action: str, record: Mapping[str, Any], their_id: str | None, request_id: str) -> Receipt:
        if action == "delete":
            their_id = their_id or self._get(None, record).get("Registered", {}).get("ActivityIdentifier")
            if their_id is None:
                return Receipt()  # it never came to be
            answer = self._call("DeleteActivity", {"ActivityIdentifier": their_id}, request_id)
        elif their_id is None:
            answer = self._call("CreateActivity", {"Activity": record}, request_id)
        else:
            answer = self._call("UpdateActivity", {"ActivityIdentifier": their_id, "Activity": record}, request_id)
        return Receipt(answer["ActivityIdentifier"], answer["ServiceCallReferenceIdentifier"])

    def _get(self, their_id: str | None, record: Mapping[str, Any]) -> dict[str, Any]:
        """``GetActivity``'s answer, without what is absent: by STAR's identifier if we know it, else by ours."""
        by = {"ActivityIdentifier": their_id} if their_id else {"ExternalIdentifier": record["ExternalIdentifier"]}
        return {name: value for name, value in self._call("GetActivity", by).items() if value is not None}

    def _call(self, operation: str, values: Mapping[str, Any], request_id: str = "") -> dict[str, Any]:
        """Raises as ``samspil.soap`` does, with STAR's own faults by their meaning, and _UsedRequestId.

        Any call may be tried again at once: a write's request id keeps it from being done twice, a read has a new one.
        """
        soap = self._soap()
        try:
            for attempt in soap.retried():
                with attempt:
                    sent_as = {"x-requestId": request_id or str(uuid.uuid4())}
                    return soap.call(operation, values, headers=self._headers(), http_headers=sent_as)
        except SamspilError as error:
            if error.reason == "status-412":
                if request_id:
                    raise _UsedRequestId from None
                raise Unavailable("refuses an id made just now", system=SYSTEM, reason="status-412") from None
            code = error.reason.removeprefix("fault-")
            if code.isdecimal() and int(code) in FAULTS:
                raise faults.error(int(code)) from None
            raise
        raise AssertionError  # the last attempt returned or raised

    def _soap(self) -> Soap:
        if self._session is None:
            check_expiry(self.settings, system=SYSTEM)
            self._session = Session(SYSTEM, self.settings, passed=[500])  # a SOAP fault's status
        wsdl = Path(self.settings.wsdl or FOLDER / "star.wsdl")
        codes = Codes({str(code): KINDS[fault.kind] for code, fault in FAULTS.items()})
        attempts = self.settings.attempts
        return Soap(self._session, wsdl, url=self.settings.url, system=SYSTEM, codes=codes, attempts=attempts)

    def _headers(self) -> dict[str, dict[str, Any]]:
        """Both SOAP headers, with the time as STAR wants it: seven digits of fraction, and the offset."""
        now = datetime.now(COPENHAGEN).isoformat(timespec="microseconds")
        code, kind = self.settings.organisation_code, self.settings.organisation_type
        user = {"UserFullName": self.settings.user_name, "UserIdentifier": self.settings.user_id}
        return {
            ORGANISATION: {"OrganisationTypeIdentifier": kind, "OrganisationCode": code},
            USER: {
                "RequestUserStructure": {**user, "RequestUserTypeIdentifier": "3"},  # a system
                "RegistrationDateTime": f"{now[:26]}0{now[26:]}",
            },
        }


class _UsedRequestId(Exception):
    """STAR has had a call with this request id."""


@cache
def _activity() -> RecordType:
    return RecordType(FOLDER / "star.xsd", SHAPE)
