"""The other side of WS-Security, for sandboxes: requests verified as a service does, answers signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from lxml import etree

from samspil import xml
from samspil.certificate import Credentials
from samspil.errors import Refused
from samspil.wssecurity.envelope import Envelope
from samspil.wssecurity.message import Address, seal
from samspil.wssecurity.trust import Trust
from samspil.wssecurity.verification import Expand, Verified, verify, whole

SKEW = timedelta(minutes=1)


class Opened(NamedTuple):
    """A request that passed: the element in its Body, and who sent it."""

    request: etree._Element
    verified: Verified


class Secured(NamedTuple):
    """A service with ``ours`` as its signing identity, for the callers of ``trust``.

    ``issuer``: the STS whose SAML tokens it takes; then the caller's certificate is what the token says it is.
    """

    ours: Credentials
    trust: Trust
    issuer: Trust | None = None

    def open(self, data: bytes, expand: Expand = whole) -> Opened:
        """Raises Refused if the request is not signed as it must be, or was not sent by somebody trusted."""
        envelope = Envelope(xml.parse(data))
        verified = verify(envelope, self.trust, skew=SKEW, issuer=self.issuer, expand=expand)
        if len(envelope.body) != 1:
            raise Refused("bad-request", hint="Body has not the one element")
        return Opened(envelope.body[0], verified)

    def answer(
        self,
        body: bytes,
        opened: Opened | None,
        *,
        action: str = "urn:answer",
        created: datetime | None = None,
        expand: Expand = whole,
    ) -> bytes:
        """An envelope around ``body``, signed, in the SOAP version and as the answer to ``opened`` (None: 1.1, nothing).

        ``expand`` is that of the attachments placed in ``body``.
        """
        namespace = "http://schemas.xmlsoap.org/soap/envelope/"
        if opened is not None:
            namespace = str(etree.QName(opened.request.getroottree().getroot()).namespace)
        data = f'<e:Envelope xmlns:e="{namespace}"><e:Body>'.encode() + body + b"</e:Body></e:Envelope>"
        return self.sealed(data, opened, action=action, created=created, expand=expand)

    def sealed(
        self,
        data: bytes,
        opened: Opened | None,
        *,
        action: str = "urn:answer",
        created: datetime | None = None,
        expand: Expand = whole,
    ) -> bytes:
        """An envelope, signed as ``answer`` does it."""
        asked = opened.verified.message_id if opened is not None else ""
        address = Address(action, relates_to=asked) if asked else None
        return seal(data, self.ours, address=address, created=created, expand=expand).data
