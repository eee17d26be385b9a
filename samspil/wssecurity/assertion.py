"""A SAML 2.0 assertion that whoever holds the key of a certificate may use (holder-of-key)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography import x509
from lxml import etree

from samspil import xml
from samspil.errors import Refused
from samspil.wssecurity import instant
from samspil.wssecurity.canonical import canonical
from samspil.wssecurity.envelope import identified
from samspil.wssecurity.names import DS, ENVELOPED, EXCLUSIVE, HOLDER_OF_KEY, SAML
from samspil.wssecurity.signature import Signature
from samspil.wssecurity.trust import Trust

_NAMES: Mapping[str, str] = {"saml": SAML, "ds": DS}


class Assertion:
    """Raises Refused (``token-invalid``) if it is not an assertion of this kind.

    ``starts`` and ``ends`` are its conditions', ``audience`` is for whom it is meant ("" if it does not say),
    ``holder`` the certificate whose key signs with it, ``data`` the bytes to put into a message.
    """

    def __init__(self, element: etree._Element) -> None:
        if element.tag != f"{{{SAML}}}Assertion" or not element.get("ID"):
            raise _invalid("not a SAML 2.0 assertion")
        conditions = element.findall("saml:Conditions", _NAMES)
        confirmation = element.findall("saml:Subject/saml:SubjectConfirmation", _NAMES)
        if len(conditions) != 1 or len(confirmation) != 1 or confirmation[0].get("Method") != HOLDER_OF_KEY:
            raise _invalid("not one that its holder must prove the key of")
        self.id: str = element.get("ID", "")
        self.starts = instant.read(conditions[0].get("NotBefore"))
        self.ends = instant.read(conditions[0].get("NotOnOrAfter"))
        self.audience = (conditions[0].findtext("saml:AudienceRestriction/saml:Audience", "", _NAMES)).strip()
        self.holder = embedded(confirmation[0])
        self.data = etree.tostring(element, with_tail=False)

    def check(self, trust: Trust, now: datetime, skew: timedelta) -> None:
        """Raises Refused unless an STS that counts signed it, and it is valid now."""
        element = etree.fromstring(self.data, etree.XMLParser(**xml.SAFE))
        if len(identified(element)) < 1:
            raise _invalid("it has no id")
        found = element.findall("ds:Signature", _NAMES)
        if len(found) != 1:
            raise Refused("token-invalid", hint="not signed, or more than once")
        signature = Signature(found[0])
        signature.check(trust.check(embedded(found[0])))
        _without(element, found[0])
        (reference, *others) = signature.references
        data = canonical(element, reference.prefixes)
        if others or reference.target != self.id or reference.transforms != (ENVELOPED, EXCLUSIVE):
            raise _invalid("its signature is not about it alone")
        if not reference.holds([data]):
            raise _invalid("altered since it was signed")
        if not self.starts - skew <= now < self.ends + skew:
            raise Refused("token-expired", hint="not valid now")


def embedded(element: etree._Element) -> x509.Certificate:
    """The one certificate written out below this element. Raises Refused (``token-invalid``)."""
    found = element.findall(".//ds:X509Data/ds:X509Certificate", _NAMES)
    if len(found) != 1:
        raise _invalid("not one certificate in it")
    return certificate(found[0].text)


def certificate(text: str | None) -> x509.Certificate:
    """A certificate from base64. Raises Refused (``token-invalid``)."""
    try:
        return x509.load_der_x509_certificate(b64decode("".join((text or "").split()), validate=True))
    except (ValueError, x509.InvalidVersion):
        raise _invalid("a certificate in it cannot be read") from None


def _without(element: etree._Element, child: etree._Element) -> None:
    """Take the child out and leave the text after it, which lxml would take along."""
    before, after = child.getprevious(), child.tail or ""
    element.remove(child)
    if before is not None:
        before.tail = (before.tail or "") + after
    else:
        element.text = (element.text or "") + after


def _invalid(hint: str) -> Refused:
    return Refused("token-invalid", hint=hint)
