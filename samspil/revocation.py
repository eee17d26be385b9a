"""Revocation lists (spærrelister, CRL): whose certificate no longer counts, though its dates say it does.

RFC 5280, sections 5 and 6.3. The lists are files that somebody fetches; nothing is fetched here, because an address in
the other side's certificate would decide whom we call. Whoever sets ``crl`` wants an answer: without a list in
force for every authority of a chain, the chain is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from samspil.errors import Refused, SettingsError

LARGEST = 64 << 20  # bytes of one list; those of OCES have a few megabytes
ENDINGS = frozenset({".crl", ".pem", ".der"})  # of the files that count in a folder

_BEGIN = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"
_KNOWN = frozenset({x509.IssuingDistributionPoint.oid})  # critical extensions that are understood


class ReadList(NamedTuple):
    """One list and the file it was read from."""

    file: Path
    crl: x509.CertificateRevocationList


class Revocations:
    """The lists in a file (PEM, several if need be, or DER) or in the files of a folder that end as ``ENDINGS`` say.

    Raises SettingsError if there is none, or one cannot be read. Whether one is in force is asked when it is used.
    """

    def __init__(self, place: str) -> None:
        self.lists = _read(Path(place))

    @property
    def pem(self) -> bytes:
        """All of them, for OpenSSL."""
        return b"".join(one.crl.public_bytes(Encoding.PEM) for one in self.lists)

    def check(self, chain: Sequence[x509.Certificate], now: datetime) -> None:
        """Ask about each certificate of a verified chain, from the signer to the root (which nobody can revoke).

        Raises Refused: ``signer-revoked``, or ``revocation-unknown`` if no list that is in force speaks for an authority.
        """
        for certificate, issuer in pairwise(chain):
            speaking = [one.crl for one in self.lists if _speaks(one.crl, certificate, issuer, now)]
            if not speaking:
                raise Refused("revocation-unknown", hint="no revocation list in force for the signer's authority")
            if any(crl.get_revoked_certificate_by_serial_number(certificate.serial_number) for crl in speaking):
                raise Refused("signer-revoked", hint="the signer's certificate, or its authority's, was revoked")


def _read(place: Path) -> list[ReadList]:
    try:
        files = sorted(file for file in place.iterdir() if file.suffix in ENDINGS) if place.is_dir() else [place]
        found = [ReadList(file, crl) for file in files for crl in _lists(file)]
    except (OSError, ValueError):
        raise SettingsError("cannot be read as revocation lists, PEM or DER", file=str(place), field="crl") from None
    if not found:
        raise SettingsError("holds no revocation list; fetch it, or leave crl empty", file=str(place), field="crl")
    return found


def _lists(file: Path) -> list[x509.CertificateRevocationList]:
    if file.stat().st_size > LARGEST:
        raise ValueError("larger than any list")
    data = file.read_bytes()
    if _BEGIN not in data:
        return [x509.load_der_x509_crl(data)]
    return [x509.load_pem_x509_crl(_BEGIN + one.partition(_END)[0] + _END) for one in data.split(_BEGIN)[1:]]


def _speaks(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> bool:
    """Whether the list is the issuer's own, is in force, and covers this certificate."""
    ends = crl.next_update_utc
    if crl.issuer != certificate.issuer or ends is None or not crl.last_update_utc <= now <= ends:
        return False
    if any(extension.critical and extension.oid not in _KNOWN for extension in crl.extensions):
        return False  # such as a list of differences only
    if not _covers(crl, certificate):
        return False
    key = issuer.public_key()
    signing = (dsa.DSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
    return isinstance(key, (rsa.RSAPublicKey, *signing)) and crl.is_signature_valid(key)


def _covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether the certificate is among those that the list is about, where it is only about some (5.2.5)."""
    try:
        about = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    if about.indirect_crl or about.only_contains_attribute_certs or about.only_some_reasons or about.relative_name:
        return False
    authority = _is_authority(certificate)
    if (about.only_contains_user_certs and authority) or (about.only_contains_ca_certs and not authority):
        return False
    return about.full_name is None or not _places(certificate).isdisjoint(about.full_name)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _places(certificate: x509.Certificate) -> set[x509.GeneralName]:
    """Where the certificate says that its list is."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}
