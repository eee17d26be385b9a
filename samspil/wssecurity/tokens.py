"""SAML tokens from a security token service (STS), by WS-Trust 1.3 and 1.4: asked for once, used until they expire."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, Protocol

import requests
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from samspil import xml
from samspil.errors import AccessError, Refused, Unavailable
from samspil.wssecurity.assertion import Assertion
from samspil.wssecurity.names import AUTH, DS, ENVELOPES, SAML_TOKEN, WSA, WSP, WST
from samspil.wssecurity.security import Security
from samspil.wssecurity.trust import Trust

ISSUE = f"{WST}/RST/Issue"
LARGEST = 1 << 20  # bytes of an answer
MARGIN = timedelta(minutes=1)  # a token is renewed this long before it expires, or a tenth of its life

_VERSIONS = dict(zip(("1.1", "1.2"), ENVELOPES, strict=True))


class Session(Protocol):
    """What is needed of ``samspil.http.Session``, made with ``passed=(500,)``."""

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], stream: bool) -> requests.Response: ...

    def close(self) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """The tokens of one account for one service, whose name at the STS is ``audience``.

    ``security`` signs the request and says whose answer counts; ``issuer`` says who may sign the token itself.
    ``claims`` are what the STS wants to know (KOMBIT: ``dk:gov:saml:attribute:CvrNumberIdentifier``).
    """

    def __init__(
        self,
        session: Session,
        url: str,
        security: Security,
        *,
        issuer: Trust,
        audience: str,
        system: str,
        claims: Mapping[str, str] | None = None,
        soap: Literal["1.1", "1.2"] = "1.1",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._session, self._url, self._security, self._issuer = session, url, security, issuer
        self._audience, self._system, self._claims, self._version = audience, system, dict(claims or {}), soap
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Assertion | None = None

    def get(self) -> Assertion:
        """The token that is good now. Many callers at once cause one request. Raises AccessError or Unavailable."""
        with self._lock:
            if self._token is None or self._clock() >= _renewal(self._token):
                self._token = self._fetched()
            return self._token

    def close(self) -> None:
        """Close the connection to the STS; the token is kept."""
        self._session.close()

    def _fetched(self) -> Assertion:
        sent = self._security.seal(self._request(), action=ISSUE, url=self._url, system=self._system)
        try:
            root = xml.parse(self._posted(sent.data))
        except Refused as error:
            raise Unavailable("the STS's answer is not XML", system=self._system, reason=error.reason) from None
        self._security.check(root, sent, system=self._system, operation="RST/Issue")
        body = root.find(f"{{{_VERSIONS[self._version]}}}Body")
        if body is None or xml.find(body, "Fault") is not None:
            raise AccessError("the STS gives no token for this account", system=self._system, reason="token-refused")
        found = [one for given in body.iter(f"{{{WST}}}RequestedSecurityToken") for one in given]
        if len(found) != 1:
            raise AccessError("the STS's answer holds no SAML token", system=self._system, reason="token-invalid")
        return self._checked(found[0])

    def _checked(self, element: etree._Element) -> Assertion:
        """Refuses at once what the service would refuse later, where nobody would look for the reason here."""
        try:
            token = Assertion(element)
            token.check(self._issuer, self._clock(), self._security.skew)
        except Refused as error:
            raise AccessError(f"the STS's token: {error.hint}", system=self._system, reason=error.reason) from None
        if token.holder != self._security.identity.certificate:
            raise AccessError("the STS's token is another's", system=self._system, reason="token-invalid")
        if token.audience not in ("", self._audience):
            raise AccessError("the STS's token is for another service", system=self._system, reason="token-invalid")
        return token

    def _request(self) -> bytes:
        """RequestSecurityToken: a token for this audience, bound to our certificate."""
        soap: Any = {"soap": _VERSIONS[self._version], "wst": WST, "wsp": WSP, "wsa": WSA, "auth": AUTH, "ds": DS}
        root = etree.Element(f"{{{soap['soap']}}}Envelope", nsmap=soap)
        body = etree.SubElement(root, f"{{{soap['soap']}}}Body")
        request = etree.SubElement(body, f"{{{WST}}}RequestSecurityToken")
        etree.SubElement(request, f"{{{WST}}}TokenType").text = SAML_TOKEN
        etree.SubElement(request, f"{{{WST}}}RequestType").text = f"{WST}/Issue"
        scope = etree.SubElement(etree.SubElement(request, f"{{{WSP}}}AppliesTo"), f"{{{WSA}}}EndpointReference")
        etree.SubElement(scope, f"{{{WSA}}}Address").text = self._audience
        if self._claims:
            claims = etree.SubElement(request, f"{{{WST}}}Claims", Dialect=f"{AUTH}/authclaims")
            for name, value in self._claims.items():
                claim = etree.SubElement(claims, f"{{{AUTH}}}ClaimType", Uri=name)
                etree.SubElement(claim, f"{{{AUTH}}}Value").text = value
        etree.SubElement(request, f"{{{WST}}}KeyType").text = f"{WST}/PublicKey"
        key = etree.SubElement(etree.SubElement(request, f"{{{WST}}}UseKey"), f"{{{DS}}}KeyInfo")
        der = self._security.identity.certificate.public_bytes(Encoding.DER)
        data = etree.SubElement(key, f"{{{DS}}}X509Data")
        etree.SubElement(data, f"{{{DS}}}X509Certificate").text = b64encode(der).decode()
        return etree.tostring(root)

    def _posted(self, data: bytes) -> bytes:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{ISSUE}"'}
        if self._version == "1.2":
            headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{ISSUE}"'}
        response = self._session.post(self._url, data=data, headers=headers, stream=True)
        try:
            if response.status_code not in (HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_REQUEST):
                message = f"the STS answered with status {response.status_code}"
                raise AccessError(message, system=self._system, reason=f"status-{response.status_code}")
            found = b""
            for chunk in response.iter_content(1 << 16):
                found += chunk
                if len(found) > LARGEST:
                    raise Unavailable("the STS's answer is too large", system=self._system, reason="answer-size")
        except requests.RequestException:
            raise Unavailable("the STS's answer ends early", system=self._system, reason="answer-truncated") from None
        finally:
            response.close()
        return found


def _renewal(token: Assertion) -> datetime:
    return token.ends - min(MARGIN, (token.ends - token.starts) / 10)
