"""A small certificate chain in the manner of OCES3, for sandboxes and tests that speak mutual TLS.

Root → issuing authority → a server certificate for 127.0.0.1, and a client certificate (systemcertifikat) per
organisation: named as Den Danske Stat names them (``organizationIdentifier=NTRDK-<CVR>``), delivered as PKCS#12 and
as PEM. Nothing here is trusted by anybody else: the keys are made on the spot and live in the given folder.
Keys are of elliptic curves, which are made in no time, or RSA as real ones are, which XML signatures need.
"""

from __future__ import annotations

import ipaddress
import ssl
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from samspil.certificate import organisation

YEARS = timedelta(days=3 * 365)  # OCES3 certificates live three years
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

PASSWORD = "sandkasse"  # noqa: S105 - protects nothing: the sandbox's own key, made on the spot


class ClientCertificate(NamedTuple):
    """One organisation's client certificate: the same key as ``p12`` (with ``password``) and as unencrypted ``pem``."""

    p12: Path
    pem: Path
    password: str
    cvr: str


class _Signer(NamedTuple):
    """A certificate that may sign others, with its key."""

    certificate: x509.Certificate
    key: Key


class Certificates:
    """A chain of its own in ``folder`` (made if missing). Each instance makes new keys; nothing is reused."""

    def __init__(self, folder: Path, *, keys: Literal["ec", "rsa"] = "ec") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._keys = folder, keys
        self._root = self._authority("Sandkasse OCES rod-CA", None)
        self._issuing = self._authority("Sandkasse OCES udstedende-CA 1", self._root)

    @cached_property
    def ca(self) -> Path:
        """The root and the issuing authority as PEM: what both sides trust."""
        path = self.folder / "ca.pem"
        path.write_bytes(_pem(self._root.certificate) + _pem(self._issuing.certificate))
        return path

    @cached_property
    def server(self) -> Path:
        """Key, certificate (127.0.0.1, ::1 and localhost) and issuing authority in one PEM file."""
        key = self._key()
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
        certificate = self._leaf(_name("localhost"), key, ExtendedKeyUsageOID.SERVER_AUTH, names=names)
        path = self.folder / "server.pem"
        _write_secret(path, _private(key) + _pem(certificate) + _pem(self._issuing.certificate))
        return path

    def client(
        self, cvr: str, organisation: str, *, expired: bool = False, left: timedelta = YEARS
    ) -> ClientCertificate:
        """A client certificate for the organisation with this CVR number; ``expired``: it ran out yesterday, ``left`` is
        how long it is still valid otherwise.
        """
        key = self._key()
        left = timedelta(days=-1) if expired else left
        subject = _name(f"Samspil {organisation}", organisation=organisation, cvr=cvr)
        certificate = self._leaf(subject, key, ExtendedKeyUsageOID.CLIENT_AUTH, left=left)
        stem = f"{cvr}-expired" if expired else cvr
        given = ClientCertificate(self.folder / f"{stem}.p12", self.folder / f"{stem}.pem", PASSWORD, cvr)
        chain = [self._issuing.certificate]
        _write_secret(given.pem, _private(key) + _pem(certificate) + _pem(self._issuing.certificate))
        _write_secret(
            given.p12,
            pkcs12.serialize_key_and_certificates(
                stem.encode(), key, certificate, chain, BestAvailableEncryption(PASSWORD.encode())
            ),
        )
        return given

    def crl(
        self,
        *revoked: x509.Certificate,
        left: timedelta = timedelta(days=90),
        life: timedelta = timedelta(days=180),
        form: Literal["pem", "der"] = "pem",
        root: bool = True,
    ) -> Path:
        """The authorities' revocation lists: one PEM file, or a folder with a DER file of each.

        ``left`` of their ``life``: how long they are in force; negative: they ran out. ``root=False``: the root's is missing.
        """
        signers = {"issuing": self._issuing, **({"root": self._root} if root else {})}
        lists = {name: self._list(signer, revoked, datetime.now(UTC) + left, life) for name, signer in signers.items()}
        place = self.folder / f"crl-{uuid.uuid4()}"
        if form == "pem":
            place.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in lists.values()))
            return place
        place.mkdir()
        for name, one in lists.items():
            (place / f"{name}.crl").write_bytes(one.public_bytes(Encoding.DER))
        return place

    @property
    def issuing(self) -> x509.Certificate:
        """The issuing authority's certificate."""
        return self._issuing.certificate

    def _list(
        self, signer: _Signer, revoked: Sequence[x509.Certificate], end: datetime, life: timedelta
    ) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder(signer.certificate.subject)
        builder = builder.last_update(end - life).next_update(end)
        for one in revoked:
            if one.issuer == signer.certificate.subject:
                entry = x509.RevokedCertificateBuilder(one.serial_number, end - life)
                builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(signer.key, hashes.SHA256())

    def server_context(self, *, require: bool = False) -> ssl.SSLContext:
        """TLS for a sandbox: asks for a client certificate, and with ``require`` lets no call through without one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
        context.load_cert_chain(self.server)
        context.verify_mode = ssl.CERT_REQUIRED if require else ssl.CERT_OPTIONAL
        return context

    def _key(self) -> Key:
        if self._keys == "ec":
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def _authority(self, common_name: str, signer: _Signer | None) -> _Signer:
        key = self._key()
        subject = _name(common_name)
        builder = _builder(subject, signer.certificate.subject if signer else subject, key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0 if signer else 1), critical=True)
        builder = builder.add_extension(_usage(authority=True), critical=True)
        return _Signer(_sign(builder, key, signer.key if signer else key), key)

    def _leaf(
        self,
        subject: x509.Name,
        key: Key,
        purpose: x509.ObjectIdentifier,
        *,
        names: Sequence[x509.GeneralName] = (),
        left: timedelta = YEARS,
    ) -> x509.Certificate:
        builder = _builder(subject, self._issuing.certificate.subject, key, left=left)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _sign(builder, key, self._issuing.key)


def cvr_of(certificate: bytes) -> str:
    """The CVR number in a client certificate (DER), "" if it names no organisation."""
    return organisation(x509.load_der_x509_certificate(certificate))


def _name(common_name: str, *, organisation: str = "Sandkasse", cvr: str = "") -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DK"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    if cvr:
        parts.insert(2, x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRDK-{cvr}"))
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, f"UI:DK-O:G:{uuid.uuid4()}"))
    return x509.Name(parts)


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, *, left: timedelta = YEARS) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + left
    start = end - YEARS - timedelta(hours=1)  # an hour back, so that a clock a little behind accepts it
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)


def _sign(builder: x509.CertificateBuilder, key: Key, signer: Key) -> x509.Certificate:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(own, critical=False).add_extension(above, critical=False).sign(signer, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_secret(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
