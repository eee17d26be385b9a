"""What a connector switches on to have its calls secured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree

from samspil.certificate import Credentials
from samspil.errors import AccessError, Refused, SamspilError, SettingsError, Unavailable
from samspil.wssecurity.envelope import Envelope
from samspil.wssecurity.message import Address, Sealed, seal
from samspil.wssecurity.names import ENVELOPES, WSSE, WST, WSU
from samspil.wssecurity.trust import Trust
from samspil.wssecurity.verification import BodyDigest, Expand, verify, whole

if TYPE_CHECKING:  # it uses this module
    from samspil.wssecurity.tokens import Tokens

_AGAIN = frozenset({"timestamp-expired", "answer-unrelated", "token-expired"})  # another answer may be right
_FAULTS = frozenset({WSSE, WSU, WST})  # namespaces of the fault codes of WS-Security and WS-Trust


@dataclass(frozen=True)
class Security:
    """``identity`` signs the requests; ``trust`` says whose answers count (None: answers are not signed, TLS must do).

    ``token``: sign with a SAML token of an STS instead of the bare certificate. ``addressing`` adds WS-Addressing
    headers, and then an answer must say that it answers this very request; ``to`` is the service's address in them,
    if it is another than the one called. ``framework`` adds OIO IDWS's Liberty header. ``skew`` is how far the clocks
    of the two sides may be apart.
    """

    identity: Credentials
    trust: Trust | None
    token: Tokens | None = None
    addressing: bool = True
    framework: bool = False
    to: str = ""
    skew: timedelta = timedelta(minutes=1)

    def seal(self, data: bytes, *, action: str, url: str, system: str, expand: Expand = whole) -> Sealed:
        """The request as it is sent. Raises AccessError if our certificate has run out, what an STS can bring, and
        SettingsError if there is no ``action`` to address it by.
        """
        if self.addressing and not action:
            raise SettingsError("the WSDL names no action, which WS-Addressing cannot do without", field=system)
        ends = self.identity.certificate.not_valid_after_utc
        if ends <= datetime.now(UTC):
            message = f"our signing certificate ran out on {ends:%d-%m-%Y}"
            raise AccessError(message, system=system, reason="certificate-expired")
        return seal(
            data,
            self.identity,
            address=Address(action, self.to or url) if self.addressing else None,
            assertion=self.token.get() if self.token else None,
            framework=self.framework,
            expand=expand,
        )

    def check(
        self,
        root: etree._Element,
        sent: Sealed,
        *,
        system: str,
        operation: str,
        expand: Expand = whole,
        body: BodyDigest | None = None,
    ) -> None:
        """Raises AccessError if an answer cannot be trusted, Unavailable if only its time or its question is wrong.

        A fault that nobody signed proves nothing about the request: AccessError if it is about security itself,
        else Unavailable (``fault-unsigned``), never Refused.
        """
        if self.trust is None:
            return
        try:
            verify(Envelope(root), self.trust, skew=self.skew, answers=sent.id, expand=expand, body=body)
        except Refused as error:
            raise typed(error, root, system, operation) from None

    def close(self) -> None:
        """Give back the connection to the STS. May be called twice."""
        if self.token is not None:
            self.token.close()


def typed(error: Refused, root: etree._Element | None, system: str, operation: str) -> SamspilError:
    """What is wrong with an answer, by what can be done."""
    if error.reason == "signature-missing" and root is not None:
        fault = _unsigned_fault(root, system, operation)
        if fault is not None:
            return fault
    kind = Unavailable if error.reason in _AGAIN else AccessError
    message = f"the answer to {operation} is not to be trusted: {error.hint}"
    return kind(message, system=system, reason=error.reason)


def _unsigned_fault(root: etree._Element, system: str, operation: str) -> SamspilError | None:
    for namespace in ENVELOPES:
        fault = root.find(f"{{{namespace}}}Body/{{{namespace}}}Fault")
        if fault is None:
            continue
        for element in fault.iter("faultcode", f"{{{namespace}}}Value"):
            prefix, _, code = (element.text or "").strip().rpartition(":")
            if element.nsmap.get(prefix or None) in _FAULTS:
                shown = code if code.isalpha() and len(code) < 40 else "unknown"
                message = f"{operation} was refused by the system's WS-Security ({shown})"
                return AccessError(message, system=system, reason="security-refused")
        message = f"{operation} was answered with a fault that nobody signed"
        return Unavailable(message, system=system, reason="fault-unsigned")
    return None
