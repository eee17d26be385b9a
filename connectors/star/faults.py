"""STAR's fault codes, and what can be done about each.

The numbers and their meaning are DFDG's; 1015 is ours (see README.md). A fault arrives as a SOAP fault whose detail
has ``FaultDetails/ErrorCode``, with HTTP 500 or, from some gateways, with HTTP 200.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from samspil.errors import AccessError, Refused, SamspilError, Unavailable

SYSTEM: Final = "star"


class Fault(NamedTuple):
    """One of STAR's faults: its words, our reason code, and what kind of error it is for us."""

    text: str
    reason: str
    kind: Literal["record", "access", "busy"]
    field: str = ""  # the field of the record that it is about, if that is certain


CPR: Final = "PersonCivilRegistrationIdentifier"
ALREADY_REGISTERED: Final = 1015

FAULTS: Final[dict[int, Fault]] = {
    1001: Fault("Invalid civil registration number", "invalid-cpr", "record", CPR),
    1010: Fault("Unknown civil registration number", "unknown-cpr", "record", CPR),
    1011: Fault("Internal error", "internal-error", "busy"),
    1012: Fault("Logon failed", "logon-failed", "access"),
    1013: Fault("No permission to the operation", "no-permission", "access"),
    1014: Fault("Invalid message", "invalid-message", "record"),
    ALREADY_REGISTERED: Fault("The external identifier is registered already", "already-registered", "record"),
    1101: Fault("Certificate missing", "certificate-missing", "access"),
    2001: Fault("Unknown code list", "unknown-code-list", "record"),
    2002: Fault("The value is not in the code list", "unknown-code", "record"),
    2003: Fault("The value in the code list has expired", "expired-code", "record"),
    4922: Fault("No access", "no-access", "access"),
    4933: Fault("HTML is not allowed", "html-not-allowed", "record"),
    8232: Fault("SOAP header ActiveOrganisationHeader is missing", "header-missing", "access"),
    8233: Fault("SOAP header ActiveOrganisationHeader is invalid", "header-invalid", "access"),
    8234: Fault("SOAP header RequestUserMetadata is missing", "header-missing", "access"),
    8235: Fault("SOAP header RequestUserMetadata is invalid", "header-invalid", "access"),
}


def error(code: int) -> SamspilError:
    """The error for a fault of the table: Refused (this record), AccessError (all of them) or Unavailable (later).

    STAR's own message is not repeated; it may quote the record.
    """
    fault = FAULTS[code]
    if fault.kind == "record":
        return Refused(fault.reason, field=fault.field, hint=f"STAR answers fault {code}")
    kind = AccessError if fault.kind == "access" else Unavailable
    return kind(f"answers fault {code}: {fault.text.lower()}", system=SYSTEM, reason=fault.reason)
