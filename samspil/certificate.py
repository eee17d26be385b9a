"""The client's certificate (virksomheds- or systemcertifikat) and whom we trust, for TLS."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from requests.adapters import HTTPAdapter

from samspil.errors import SettingsError


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


def identity(ca: str, certificate: str, password: str) -> Identity:
    """The identity that trusts ``ca`` (empty: the usual authorities) and shows ``certificate`` (empty: none).

    ``certificate`` is a PEM file with its key and chain, or PKCS#12 (.p12, .pfx) as Den Danske Stat delivers it;
    ``password`` is that of the key. Raises SettingsError if a file cannot be read or used.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError):
        raise SettingsError("cannot be read as PEM certificates", file=ca, field="ca") from None
    if not certificate:
        return Identity(context, datetime.max.replace(tzinfo=UTC))
    try:
        data = Path(certificate).read_bytes()
        if Path(certificate).suffix.lower() in (".p12", ".pfx"):
            return Identity(context, _load_pkcs12(context, data, password))
        context.load_cert_chain(certificate, password=password)
        return Identity(context, x509.load_pem_x509_certificate(data).not_valid_after_utc)
    except (OSError, ssl.SSLError, ValueError):
        raise SettingsError(
            "cannot be read, its password is wrong or its key does not belong to it",
            file=certificate,
            field="certificate",
        ) from None


def _load_pkcs12(context: ssl.SSLContext, data: bytes, password: str) -> datetime:
    key, certificate, chain = pkcs12.load_key_and_certificates(data, password.encode() or None)
    if key is None or certificate is None:
        raise ValueError("no key or no certificate in it")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain))
    with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads files only; the folder is ours alone (0700)
        path = Path(folder, "client.pem")
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return certificate.not_valid_after_utc
