"""Whose signature counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification

from samspil.certificate import authorities, organisation
from samspil.errors import Refused, SettingsError
from samspil.revocation import Revocations

SMALLEST = 2048  # bits of a key

_CA = verification.ExtensionPolicy.webpki_defaults_ca()
_SIGNER = verification.ExtensionPolicy.permit_all().may_be_present(
    x509.KeyUsage,
    verification.Criticality.AGNOSTIC,
    lambda _policy, _certificate, usage: _signs(usage),
)


def _signs(usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("not a certificate for signatures")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Who may sign: a certificate issued below ``authorities`` to the ``organisation`` (CVR number), or one of
    ``certificates`` themselves if any are given.

    An authority alone is not enough: every company in the country has a certificate from the same one.
    ``revocations`` are asked last, about the signer's certificate and those above it; None: nobody is asked.
    """

    authorities: Sequence[x509.Certificate]
    organisation: str = ""
    certificates: Sequence[x509.Certificate] = ()
    revocations: Revocations | None = None

    def __post_init__(self) -> None:
        if not self.authorities or not (self.organisation or self.certificates):
            raise SettingsError(
                "name the authorities and whose certificate signs: a CVR number or a file", field="trust"
            )

    @classmethod
    def read(cls, ca: str, *, organisation: str = "", certificates: str = "", crl: str = "") -> Self:
        """From files: PEM, and for ``crl`` DER or a folder too. Raises SettingsError."""
        return cls(
            authorities=authorities(ca),
            organisation=organisation,
            certificates=authorities(certificates) if certificates else (),
            revocations=Revocations(crl) if crl else None,
        )

    def check(self, certificate: x509.Certificate, chain: Sequence[x509.Certificate] = ()) -> rsa.RSAPublicKey:
        """The key of a certificate that counts. Raises Refused: ``signer-untrusted``, ``signer-expired``,
        ``signer-revoked``, ``revocation-unknown``.
        """
        now = datetime.now(UTC)
        try:
            valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
            whose = organisation(certificate)
        except ValueError:  # its parts are only read when they are asked for
            raise Refused("signer-untrusted", hint="the signer's certificate cannot be read") from None
        if not valid:
            raise Refused("signer-expired", hint="the signer's certificate is not valid today")
        if not (certificate in self.certificates if self.certificates else whose == self.organisation):
            raise Refused("signer-untrusted", hint="signed by somebody else than the settings name")
        policy = verification.PolicyBuilder().store(verification.Store(list(self.authorities))).time(now)
        policy = policy.extension_policies(ca_policy=_CA, ee_policy=_SIGNER)
        try:
            verified = policy.build_client_verifier().verify(certificate, list(chain))
        except (verification.VerificationError, ValueError):
            raise Refused("signer-untrusted", hint="not issued by an authority that the settings name") from None
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST:
            raise Refused("signer-untrusted", hint=f"not an RSA key of {SMALLEST} bits or more")
        if self.revocations is not None:
            self.revocations.check(self._to_the_root(verified.chain), now)
        return key

    def _to_the_root(self, chain: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
        """The chain with what is above an authority between, which counts as an anchor here and may be revoked, too."""
        found = list(chain)
        while above := next((one for one in self.authorities if one not in found and _issued(one, found[-1])), None):
            found.append(above)
        return found


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
