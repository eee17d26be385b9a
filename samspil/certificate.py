"""The client's certificate (virksomheds- or systemcertifikat) and whom we trust, for TLS and for signatures."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter

from samspil.errors import SettingsError
from samspil.revocation import Revocations


class Certified(HTTPAdapter):
    """Connections that show our certificate."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)


class Identity(NamedTuple):
    """Who we are and whom we trust, and when our certificate runs out."""

    context: ssl.SSLContext
    expires: datetime


class Credentials(NamedTuple):
    """A private key, its certificate and the authorities above it, as far as the file has them."""

    key: PrivateKeyTypes
    certificate: x509.Certificate
    chain: Sequence[x509.Certificate]


def credentials(certificate: str, password: str) -> Credentials:
    """What ``certificate`` holds: PEM with its key, or PKCS#12 (.p12, .pfx). Raises SettingsError."""
    try:
        data = Path(certificate).read_bytes()
        if Path(certificate).suffix.lower() in (".p12", ".pfx"):
            return _pkcs12(data, password)
        return _pem(data, password)
    except (OSError, ValueError, TypeError):  # TypeError: a password is missing, or given for a key without one
        raise _unusable(certificate) from None


def authorities(file: str) -> Sequence[x509.Certificate]:
    """The certificates in a PEM file. Raises SettingsError."""
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())
    except (OSError, ValueError):
        raise SettingsError("cannot be read as PEM certificates", file=file, field="ca") from None


def organisation(certificate: x509.Certificate) -> str:
    """The CVR number of the organisation a certificate was issued to, "" if it names none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    return str(found[0].value).removeprefix("NTRDK-") if found else ""


def identity(ca: str, certificate: str, password: str, crl: str = "") -> Identity:
    """The identity that trusts ``ca`` (empty: the usual authorities) and shows ``certificate`` (empty: none).

    ``certificate`` is a PEM file with its key and chain, or PKCS#12 (.p12, .pfx) as Den Danske Stat delivers it;
    ``password`` is that of the key. With ``crl`` no certificate of the other side's chain counts unless a revocation
    list in force says nothing against it. Raises SettingsError if a file cannot be read or used.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError):
        raise SettingsError("cannot be read as PEM certificates", file=ca, field="ca") from None
    if crl:
        _look_up(context, Revocations(crl))
    if not certificate:
        return Identity(context, datetime.max.replace(tzinfo=UTC))
    try:
        data = Path(certificate).read_bytes()
        if Path(certificate).suffix.lower() in (".p12", ".pfx"):
            return Identity(context, _load_pkcs12(context, data, password))
        context.load_cert_chain(certificate, password=password)
        return Identity(context, x509.load_pem_x509_certificate(data).not_valid_after_utc)
    except (OSError, ssl.SSLError, ValueError):
        raise _unusable(certificate) from None


def _look_up(context: ssl.SSLContext, revocations: Revocations) -> None:
    """Have OpenSSL ask the lists about every certificate of a chain; it refuses one that no list in force speaks of."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # it reads lists from files only, and no DER
        file.write(revocations.pem)
        file.flush()
        context.load_verify_locations(cafile=file.name)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _unusable(certificate: str) -> SettingsError:
    message = "cannot be read, its password is wrong or its key does not belong to it"
    return SettingsError(message, file=certificate, field="certificate")


def _pem(data: bytes, password: str) -> Credentials:
    key = load_pem_private_key(data, password.encode() or None)
    own, *chain = x509.load_pem_x509_certificates(data)
    if own.public_key() != key.public_key():
        raise ValueError("the key is not that of the first certificate")
    return Credentials(key, own, chain)


def _pkcs12(data: bytes, password: str) -> Credentials:
    key, certificate, chain = pkcs12.load_key_and_certificates(data, password.encode() or None)
    if key is None or certificate is None:
        raise ValueError("no key or no certificate in it")
    return Credentials(key, certificate, chain)


def _load_pkcs12(context: ssl.SSLContext, data: bytes, password: str) -> datetime:
    key, certificate, chain = _pkcs12(data, password)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain))
    with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads files only; the folder is ours alone (0700)
        path = Path(folder, "client.pem")
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return certificate.not_valid_after_utc
