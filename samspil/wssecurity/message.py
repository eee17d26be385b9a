"""A SOAP message given its addressing, its token and its signature, on the way out."""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from samspil import xml
from samspil.certificate import Credentials
from samspil.errors import SettingsError
from samspil.wssecurity import instant
from samspil.wssecurity.assertion import Assertion
from samspil.wssecurity.canonical import canonical, dereferenced
from samspil.wssecurity.names import (
    ANONYMOUS,
    BASE64,
    ID,
    LIBERTY,
    LIBERTY_PROFILE,
    SAML_ID,
    SAML_TOKEN,
    STR_TRANSFORM,
    WSA,
    WSSE,
    WSSE11,
    WSU,
    X509V3,
)
from samspil.wssecurity.signature import Reference, sign
from samspil.wssecurity.verification import Expand, whole

LIFETIME = timedelta(minutes=5)

_ROOT = re.compile(rb"<[^\s<>!?/][^\s<>/]*")  # the first start tag
_PREFIXES = {"wsse": WSSE, "wsu": WSU, "wsa": WSA}
_TYPED = f"{{{xml.XSI}}}type"


class Address(NamedTuple):
    """WS-Addressing: what is called at whom, or which message is answered."""

    action: str
    to: str = ANONYMOUS
    relates_to: str = ""


class Sealed(NamedTuple):
    """A message that can be sent. ``id`` is its MessageID, "" without addressing."""

    data: bytes
    id: str


def seal(
    data: bytes,
    ours: Credentials,
    *,
    address: Address | None = None,
    assertion: Assertion | None = None,
    framework: bool = False,
    expand: Expand = whole,
    created: datetime | None = None,
) -> Sealed:
    """Sign the Body, the Timestamp, the addressing, the Liberty framework header and the token.

    The token is our certificate, or the ``assertion`` we got for it. Raises SettingsError if our key is not RSA.
    """
    if not isinstance(ours.key, rsa.RSAPrivateKey):
        raise SettingsError("signing a message takes an RSA key", field="certificate")
    root = _parsed(data)
    namespace = xml.namespace(root)
    body = root[-1]
    header = root[0]
    if header is body:
        header = etree.Element(f"{{{namespace}}}Header")
        root.insert(0, header)
    for stale in header.findall(f"{{{WSA}}}*"):
        header.remove(stale)
    signed = [body]
    must = {f"{{{namespace}}}mustUnderstand": "1"}
    if framework:
        signed.append(_framework(header))
    message = f"urn:uuid:{uuid.uuid4()}" if address else ""
    if address:
        signed += _addressed(header, address, message, must)
    security = etree.SubElement(header, f"{{{WSSE}}}Security", must)
    signed.append(_timestamp(security, created or datetime.now(UTC)))
    references = []
    if assertion is None:
        signed.append(_certificate(security, ours))
    else:
        security.append(etree.Comment("token"))
        references.append(_assertion_reference(security, assertion))
    references += [_reference(element, expand if element is body else whole) for element in signed]
    key_info = sign(security, references, ours.key)
    if assertion is None:
        token = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference")
        etree.SubElement(token, f"{{{WSSE}}}Reference", URI=f"#{signed[-1].get(ID)}", ValueType=X509V3)
    else:
        _saml_reference(key_info, assertion)
    out = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Sealed(out.replace(b"<!--token-->", assertion.data, 1) if assertion else out, message)


def _parsed(data: bytes) -> etree._Element:
    """The message with our prefixes declared at its root, so that nothing below needs to."""
    match = _ROOT.search(data)
    at = match.end() if match else 0
    head = data[at : data.find(b">", at)]
    new = [(prefix, uri) for prefix, uri in _PREFIXES.items() if f"xmlns:{prefix}=".encode() not in head]
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in new).encode()
    return xml.parse(data[:at] + declared + data[at:])


def _addressed(
    header: etree._Element, address: Address, message: str, must: dict[str, str]
) -> Sequence[etree._Element]:
    action = etree.SubElement(header, f"{{{WSA}}}Action", must)
    action.text = address.action
    identifier = etree.SubElement(header, f"{{{WSA}}}MessageID")
    identifier.text = message
    to = etree.SubElement(header, f"{{{WSA}}}To", must)
    to.text = address.to
    if address.relates_to:
        last = etree.SubElement(header, f"{{{WSA}}}RelatesTo")
        last.text = address.relates_to
    else:
        last = etree.SubElement(header, f"{{{WSA}}}ReplyTo")
        etree.SubElement(last, f"{{{WSA}}}Address").text = ANONYMOUS
    return action, identifier, to, last


def _framework(header: etree._Element) -> etree._Element:
    """What OIO IDWS asks for: which version of the Liberty framework is spoken."""
    attributes = {"version": "2.0", f"{{{LIBERTY_PROFILE}}}profile": "urn:liberty:sb:profile:basic"}
    return etree.SubElement(
        header, f"{{{LIBERTY}}}Framework", attributes, nsmap={"sbf": LIBERTY, "profile": LIBERTY_PROFILE}
    )


def _timestamp(security: etree._Element, created: datetime) -> etree._Element:
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
    etree.SubElement(timestamp, f"{{{WSU}}}Created").text = instant.written(created)
    etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = instant.written(created + LIFETIME)
    return timestamp


def _certificate(security: etree._Element, ours: Credentials) -> etree._Element:
    kind = {"EncodingType": BASE64, "ValueType": X509V3}
    token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", kind)
    token.text = b64encode(ours.certificate.public_bytes(Encoding.DER)).decode()
    return token


def _assertion_reference(security: etree._Element, assertion: Assertion) -> Reference:
    """Signs the assertion: it has no ``wsu:Id`` and its bytes are the STS's, so it is signed through its reference."""
    reference = _saml_reference(security, assertion)
    identifier = _identify(reference)
    return Reference.of(identifier, [dereferenced(xml.parse(assertion.data))], transforms=(STR_TRANSFORM,))


def _saml_reference(parent: etree._Element, assertion: Assertion) -> etree._Element:
    kind = {f"{{{WSSE11}}}TokenType": SAML_TOKEN}
    reference = etree.SubElement(parent, f"{{{WSSE}}}SecurityTokenReference", kind, nsmap={"wsse11": WSSE11})
    etree.SubElement(reference, f"{{{WSSE}}}KeyIdentifier", ValueType=SAML_ID).text = assertion.id
    return reference


def _reference(element: etree._Element, expand: Expand) -> Reference:
    prefixes = _typed_prefixes(element)
    identifier = _identify(element)
    return Reference.of(identifier, expand(canonical(element, prefixes)), prefixes=prefixes)


def _identify(element: etree._Element) -> str:
    if element.get(ID) is None:
        element.set(ID, f"id-{uuid.uuid4()}")
    return element.get(ID, "")


def _typed_prefixes(element: etree._Element) -> Sequence[str]:
    """Prefixes that only stand in values, where canonical XML would forget their meaning."""
    found = {prefix for one in element.iter() if (prefix := (one.get(_TYPED) or "").rpartition(":")[0])}
    return sorted(found)
