"""What an account at STAR needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from msgspec import Meta

from samspil.errors import AccessError
from samspil.http import HttpSettings


class StarSettings(HttpSettings, frozen=True, kw_only=True):
    """``organisation_code`` is the jobcenter, ``authority_code`` the authority that grants the activities.

    ``wsdl``: the path of STAR's own file, to be used instead of ours.
    """

    certificate: str  # PKCS#12 or PEM; required here
    organisation_code: Annotated[str, Meta(pattern=r"^[0-9]{5}\Z")]
    organisation_type: Annotated[str, Meta(pattern=r"^[0-9]{1,2}\Z")] = "8"  # a jobcenter
    authority_code: Annotated[str, Meta(pattern=r"^(-1|[0-9]{1,8})\Z")]
    user_name: Annotated[str, Meta(min_length=1, max_length=100)] = "Samspil"
    user_id: Annotated[str, Meta(min_length=1, max_length=100)] = "samspil"
    wsdl: str = ""


def check_expiry(settings: StarSettings, *, system: str) -> None:
    """Raise AccessError if our certificate has run out: a server may just hang up then, which says nothing.

    Says nothing of a file that cannot be read; the session does.
    """
    path = Path(settings.certificate)
    try:
        data = path.read_bytes()
        if path.suffix.lower() in (".p12", ".pfx"):
            password = settings.certificate_password.encode() or None
            certificate = pkcs12.load_key_and_certificates(data, password)[1]
        else:
            certificate = x509.load_pem_x509_certificates(data)[0]
    except (OSError, ValueError):
        return
    if certificate and certificate.not_valid_after_utc <= datetime.now(UTC):
        end = certificate.not_valid_after_utc.date()
        raise AccessError(f"our certificate ran out on {end}; renew it", system=system, reason="certificate-expired")
