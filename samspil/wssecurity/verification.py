"""Whether a message is from whom it should be, unaltered, and of now.

What is verified is what is used: the Body is the one child of the Envelope, and the elements that a signature covers
are compared with it as objects, never looked up anew by name.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from samspil import xml
from samspil.errors import Refused
from samspil.wssecurity import instant
from samspil.wssecurity.assertion import Assertion, certificate
from samspil.wssecurity.canonical import canonical, dereferenced
from samspil.wssecurity.envelope import Envelope
from samspil.wssecurity.names import (
    BASE64,
    EXCLUSIVE,
    ID,
    KEY_IDENTIFIER,
    SAML,
    SAML_ID,
    STR_TRANSFORM,
    THUMBPRINT,
    WSA,
    WSSE,
    WSU,
    X509V3,
)
from samspil.wssecurity.signature import Reference, Signature
from samspil.wssecurity.trust import Trust

LONGEST = timedelta(minutes=30)  # a message is not taken for new longer than this, whatever it says itself

Expand = Callable[[bytes], Iterable[bytes]]  # puts attachments back where they belong in canonical bytes


class BodyDigest(Protocol):
    """Tells of a Body that is too large for a tree whether it is what a reference says."""

    def __call__(self, reference: Reference) -> bool: ...


class Verified(NamedTuple):
    """What is known of a message that passed. ``relates_to`` is the message it answers, "" if it does not say."""

    signer: x509.Certificate
    message_id: str
    relates_to: str
    assertion: Assertion | None


def whole(data: bytes) -> Iterable[bytes]:
    """The bytes of a message without attachments."""
    return (data,)


def verify(
    envelope: Envelope,
    trust: Trust,
    *,
    skew: timedelta,
    issuer: Trust | None = None,
    answers: str = "",
    expand: Expand = whole,
    body: BodyDigest | None = None,
) -> Verified:
    """Check all of it. ``issuer`` is whose SAML tokens count instead of certificates, ``answers`` is the MessageID that
    it must relate to ("" for any), ``body`` stands in for the Body.

    Signed must be the Body, the Timestamp and every WS-Addressing header that is there. Raises Refused:
    ``signature-invalid``, ``signature-incomplete``, ``algorithm-refused``, ``signer-…``, ``token-…``,
    ``timestamp-expired``, ``timestamp-invalid``, ``answer-unrelated``.
    """
    now = datetime.now(UTC)
    signature = Signature(envelope.signature)
    found, assertion = _signer(envelope, signature, trust, issuer)
    if issuer is not None:
        if assertion is None:
            raise Refused("token-missing", hint="a certificate alone is not accepted here")
        assertion.check(issuer, now, skew)
    key = found.public_key() if assertion is not None else trust.check(found, _chain(envelope, found))
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused("signer-untrusted", hint="not an RSA key")
    signature.check(key)
    covered = [_checked(envelope, reference, expand, body) for reference in signature.references]
    _complete(envelope, covered)
    _fresh(envelope.timestamp, now, skew)
    verified = Verified(found, _addressed(envelope, "MessageID"), _addressed(envelope, "RelatesTo"), assertion)
    if answers and verified.relates_to != answers:
        raise Refused("answer-unrelated", hint="it answers another request")
    return verified


def _checked(
    envelope: Envelope, reference: Reference, expand: Expand, body: BodyDigest | None
) -> etree._Element | None:
    """The element that the reference covers as it stands; None for a token behind a SecurityTokenReference."""
    element = envelope.ids.get(reference.target)
    if element is None:
        raise _invalid("it signs something that is not there")
    if reference.transforms == (STR_TRANSFORM,):
        held = reference.holds([dereferenced(_token(envelope, element))])
        element = None
    elif reference.transforms != (EXCLUSIVE,):
        raise Refused("algorithm-refused", hint="the transform method is not one that we accept")
    elif element is envelope.body and body is not None:
        held = body(reference)
    else:
        held = reference.holds(expand(canonical(element, reference.prefixes)))
    if not held:
        raise _invalid("what it signs was altered since")
    return element


def _complete(envelope: Envelope, covered: Sequence[etree._Element | None]) -> None:
    wanted = [envelope.body, envelope.timestamp]
    wanted += [child for child in envelope.header if xml.namespace(child) == WSA]
    for element in wanted:
        if not any(element is one for one in covered):
            name = xml.local(element)
            raise Refused("signature-incomplete", hint=f"{name} is not signed")


def _fresh(timestamp: etree._Element, now: datetime, skew: timedelta) -> None:
    if [child.tag for child in timestamp] != [f"{{{WSU}}}Created", f"{{{WSU}}}Expires"]:
        raise Refused("timestamp-invalid", hint="it must say when it was made and when it expires")
    created, expires = (instant.read(child.text) for child in timestamp)
    if created > now + skew:
        raise Refused("timestamp-expired", hint="made in the future; compare the clocks")
    if now >= min(expires, created + LONGEST) + skew:
        raise Refused("timestamp-expired", hint="too old; compare the clocks")


def _addressed(envelope: Envelope, name: str) -> str:
    found = envelope.header.findall(f"{{{WSA}}}{name}")
    if len(found) > 1:
        raise _invalid(f"more than one {name}")
    return (found[0].text or "").strip() if found else ""


def _signer(
    envelope: Envelope, signature: Signature, trust: Trust, issuer: Trust | None
) -> tuple[x509.Certificate, Assertion | None]:
    """Whose key is said to have signed, and the assertion that says so, if one does."""
    children = list(signature.key_info)
    if len(children) != 1 or children[0].tag != f"{{{WSSE}}}SecurityTokenReference" or len(children[0]) != 1:
        raise _invalid("it does not say in one way whose it is")
    how = children[0][0]
    token = _referred(envelope, how)
    if token is not None and token.tag == f"{{{SAML}}}Assertion":
        if issuer is None:
            raise Refused("signer-untrusted", hint="a SAML token is not accepted here")
        assertion = Assertion(token)
        return assertion.holder, assertion
    if token is not None:
        return _binary(token), None
    return _known(how, trust), None


def _token(envelope: Envelope, reference: etree._Element) -> etree._Element:
    """What a SecurityTokenReference points at, within this message."""
    if reference.tag == f"{{{WSSE}}}SecurityTokenReference" and len(reference) == 1:
        token = _referred(envelope, reference[0])
        if token is not None:
            return token
    raise _invalid("a token it signs is not in the message")


def _referred(envelope: Envelope, how: etree._Element) -> etree._Element | None:
    """A token in the Security header, found by a Reference or a SAML id; None for other ways of saying it."""
    if how.tag == f"{{{WSSE}}}Reference":
        name = how.get("URI", "").removeprefix("#")
    elif how.tag == f"{{{WSSE}}}KeyIdentifier" and how.get("ValueType") == SAML_ID:
        name = (how.text or "").strip()
    else:
        return None
    token = envelope.ids.get(name)
    if token is None or token.getparent() is not envelope.security:
        raise _invalid("a token it names is not in the header")
    return token


def _binary(token: etree._Element) -> x509.Certificate:
    kind, encoding = token.get("ValueType"), token.get("EncodingType", BASE64)
    if token.tag != f"{{{WSSE}}}BinarySecurityToken" or kind != X509V3 or encoding != BASE64 or token.get(ID) is None:
        raise Refused("token-invalid", hint="not a certificate")
    return certificate(token.text)


def _known(how: etree._Element, trust: Trust) -> x509.Certificate:
    """A certificate that is written out in the reference, or one of those that the settings name."""
    text, kind = "".join((how.text or "").split()), how.get("ValueType", "")
    if how.tag == f"{{{WSSE}}}KeyIdentifier" and kind == X509V3:
        return certificate(text)
    for one in trust.certificates:
        if _is(one, how, kind, text):
            return one
    raise Refused("signer-untrusted", hint="the signer is named in a way that tells no known certificate")


def _is(one: x509.Certificate, how: etree._Element, kind: str, text: str) -> bool:
    if how.tag == f"{{{WSSE}}}KeyIdentifier":
        if kind == THUMBPRINT:  # a name only, hence SHA-1; what counts is that we have the certificate
            return text == b64encode(one.fingerprint(hashes.SHA1())).decode()  # noqa: S303
        subject = x509.SubjectKeyIdentifier.from_public_key(one.public_key())
        return kind == KEY_IDENTIFIER and text == b64encode(subject.digest).decode()
    serial = how.findtext(".//{*}X509SerialNumber", "")
    return serial.strip() == str(one.serial_number)


def _chain(envelope: Envelope, signer: x509.Certificate) -> list[x509.Certificate]:
    """The other certificates in the header, which may be the authorities between."""
    tokens = envelope.security.findall(f"{{{WSSE}}}BinarySecurityToken")
    return [one for token in tokens if (one := _binary(token)) != signer]


def _invalid(hint: str) -> Refused:
    return Refused("signature-invalid", hint=hint)
