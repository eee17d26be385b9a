"""An XML signature, made and read: exactly the shape that WS-Security and SAML use, and nothing else.

libxml2 makes the canonical bytes and ``cryptography`` does the arithmetic; what is here is which bytes are signed.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree

from samspil.errors import Refused
from samspil.wssecurity.canonical import canonical
from samspil.wssecurity.names import (
    DIGESTS,
    DS,
    ENVELOPED,
    EXCLUSIVE,
    RSA_SHA256,
    SHA256,
    SIGNATURES,
    STR_TRANSFORM,
    WSSE,
)

_INCLUSIVE = f"{{{EXCLUSIVE}}}InclusiveNamespaces"


class Reference(NamedTuple):
    """What is signed: the element whose id is ``target``, by ``transforms``, whose digest is ``value``."""

    target: str
    transforms: tuple[str, ...]
    prefixes: tuple[str, ...]
    method: str
    value: bytes

    @classmethod
    def of(
        cls,
        target: str,
        data: Iterable[bytes],
        *,
        transforms: Sequence[str] = (EXCLUSIVE,),
        prefixes: Sequence[str] = (),
    ) -> Reference:
        """The reference to an element whose canonical bytes are ``data``."""
        return cls(target, tuple(transforms), tuple(prefixes), SHA256, digest(data, SHA256))

    def holds(self, data: Iterable[bytes]) -> bool:
        """Whether these are the bytes that were signed."""
        return hmac.compare_digest(digest(data, self.method), self.value)


def digest(data: Iterable[bytes], method: str) -> bytes:
    made = hashlib.new(DIGESTS[method])
    for piece in data:
        made.update(piece)
    return made.digest()


def sign(parent: etree._Element, references: Iterable[Reference], key: rsa.RSAPrivateKey) -> etree._Element:
    """Append a signature to ``parent``. Its KeyInfo is made and empty, for the caller to fill."""
    signature = etree.SubElement(parent, f"{{{DS}}}Signature", nsmap={"ds": DS})
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXCLUSIVE)
    etree.SubElement(info, f"{{{DS}}}SignatureMethod", Algorithm=RSA_SHA256)
    for reference in references:
        _write(info, reference)
    value = key.sign(canonical(info), PKCS1v15(), SIGNATURES[RSA_SHA256])
    etree.SubElement(signature, f"{{{DS}}}SignatureValue").text = b64encode(value).decode()
    return etree.SubElement(signature, f"{{{DS}}}KeyInfo")


def _write(info: etree._Element, reference: Reference) -> None:
    element = etree.SubElement(info, f"{{{DS}}}Reference", URI=f"#{reference.target}")
    transforms = etree.SubElement(element, f"{{{DS}}}Transforms")
    for algorithm in reference.transforms:
        transform = etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=algorithm)
        if algorithm == STR_TRANSFORM:
            parameters = etree.SubElement(transform, f"{{{WSSE}}}TransformationParameters", nsmap={"wsse": WSSE})
            etree.SubElement(parameters, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXCLUSIVE)
        elif algorithm == EXCLUSIVE and reference.prefixes:
            listed = {"PrefixList": " ".join(reference.prefixes)}
            etree.SubElement(transform, _INCLUSIVE, listed, nsmap={"ec": EXCLUSIVE})
    etree.SubElement(element, f"{{{DS}}}DigestMethod", Algorithm=reference.method)
    etree.SubElement(element, f"{{{DS}}}DigestValue").text = b64encode(reference.value).decode()


class Signature:
    """A ``ds:Signature`` taken apart. Raises Refused (``signature-invalid``, ``algorithm-refused``) for any other shape."""

    def __init__(self, element: etree._Element) -> None:
        info, value, key_info = _parts(element, "SignedInfo", "SignatureValue", "KeyInfo")
        method, how, *signed = list(info)
        _named(method, "CanonicalizationMethod")
        _named(how, "SignatureMethod")
        if method.get("Algorithm") != EXCLUSIVE:
            raise _algorithm("canonicalization")
        if how.get("Algorithm") not in SIGNATURES or len(how):
            raise _algorithm("signature")
        self.key_info = key_info
        self.references = [_reference(reference) for reference in signed]
        if not self.references:
            raise _invalid("it signs nothing")
        self._method = SIGNATURES[how.get("Algorithm", "")]
        self._value = _base64(value)
        self._info = canonical(info, _prefixes(method))

    def check(self, key: rsa.RSAPublicKey) -> None:
        """Raises Refused (``signature-invalid``) unless the references were signed with this key."""
        try:
            key.verify(self._value, self._info, PKCS1v15(), self._method)
        except InvalidSignature:
            raise _invalid("not made with the signer's key, or altered since") from None


def _reference(element: etree._Element) -> Reference:
    _named(element, "Reference")
    transforms, method, value = _parts(element, "Transforms", "DigestMethod", "DigestValue")
    uri = element.get("URI", "")
    if not uri.startswith("#") or len(uri) == 1 or set(element.attrib) - {"URI", "Id"}:
        raise _invalid("a reference to something else than an element by its id")
    if method.get("Algorithm") not in DIGESTS:
        raise _algorithm("digest")
    found: list[str] = []
    prefixes: tuple[str, ...] = ()
    for transform in transforms:
        _named(transform, "Transform")
        algorithm = transform.get("Algorithm", "")
        if algorithm == STR_TRANSFORM:
            _exclusive_parameters(transform)
        elif algorithm == EXCLUSIVE:
            prefixes = _prefixes(transform)
        elif algorithm != ENVELOPED or len(transform):
            raise _algorithm("transform")
        found.append(algorithm)
    return Reference(uri[1:], tuple(found), prefixes, method.get("Algorithm", ""), _base64(value))


def _exclusive_parameters(transform: etree._Element) -> None:
    """The STR-Transform says how the token is made canonical."""
    if len(transform) != 1 or transform[0].tag != f"{{{WSSE}}}TransformationParameters":
        raise _algorithm("transform")
    (method,) = _parts(transform[0], "CanonicalizationMethod")
    if method.get("Algorithm") != EXCLUSIVE or _prefixes(method):
        raise _algorithm("canonicalization")


def _prefixes(method: etree._Element) -> tuple[str, ...]:
    if not len(method):
        return ()
    if len(method) != 1 or method[0].tag != _INCLUSIVE:
        raise _algorithm("transform")
    return tuple(method[0].get("PrefixList", "").split())


def _parts(element: etree._Element, *names: str) -> list[etree._Element]:
    if [child.tag for child in element] != [f"{{{DS}}}{name}" for name in names]:
        raise _invalid("not of the shape that a signature has")
    return list(element)


def _named(element: etree._Element, name: str) -> None:
    if element.tag != f"{{{DS}}}{name}":
        raise _invalid("not of the shape that a signature has")


def _base64(element: etree._Element) -> bytes:
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except ValueError:  # not base64, or not even ASCII
        raise _invalid("a value in it is not base64") from None


def _invalid(hint: str) -> Refused:
    return Refused("signature-invalid", hint=hint)


def _algorithm(which: str) -> Refused:
    return Refused("algorithm-refused", hint=f"the {which} method is not one that we accept")
