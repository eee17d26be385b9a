"""What an account must say to have its calls signed, for a connector's settings to build on."""

from __future__ import annotations

from typing import Annotated

from samspil.account import SECRET
from samspil.certificate import credentials
from samspil.errors import SettingsError
from samspil.http import HttpSettings, Session
from samspil.wssecurity.security import Security
from samspil.wssecurity.tokens import Tokens
from samspil.wssecurity.trust import Trust

_CVR = "dk:gov:saml:attribute:CvrNumberIdentifier"


class SignedSettings(HttpSettings, frozen=True, kw_only=True):
    """An account over HTTP whose messages may be signed.

    ``signing_certificate``: ours, PEM with its key or PKCS#12; empty: nothing is signed. Who signs the answers:
    ``signer`` (CVR number) or ``signer_certificates`` (PEM), issued by ``signer_ca`` (PEM); empty: nobody does. ``crl``
    counts for them as it does for TLS.
    ``service`` is the system's logical address. With ``sts`` (URL) the certificate is exchanged for a SAML token of
    ``sts_signer`` (CVR number) for ``audience``; ``cvr`` is ours, if the STS wants to be told.
    """

    signing_certificate: str = ""
    signing_certificate_password: Annotated[str, SECRET] = ""
    signer: str = ""
    signer_certificates: str = ""
    signer_ca: str = ""
    service: str = ""
    sts: str = ""
    sts_signer: str = ""
    audience: str = ""
    cvr: str = ""


def secured(
    settings: SignedSettings, *, system: str, addressing: bool = True, framework: bool = False
) -> Security | None:
    """What ``settings`` say, for ``Soap``; to be closed with the connector. None if nothing is to be signed.

    Raises SettingsError if a file cannot be used or a setting is missing.
    """
    if not settings.signing_certificate:
        if settings.signer or settings.signer_certificates or settings.sts:
            raise SettingsError("is missing, though other settings speak of signatures", field="signing_certificate")
        return None
    identity = credentials(settings.signing_certificate, settings.signing_certificate_password)
    trust = None
    if settings.signer or settings.signer_certificates:
        trust = Trust.read(
            settings.signer_ca,
            organisation=settings.signer,
            certificates=settings.signer_certificates,
            crl=settings.crl,
        )
    tokens = None
    if settings.sts:
        if not settings.audience:
            raise SettingsError("is missing: the STS must know for which service the token is", field="audience")
        issuer = Trust.read(settings.signer_ca, organisation=settings.sts_signer, crl=settings.crl)
        http = HttpSettings(
            url=settings.sts,
            timeout=settings.timeout,
            ca=settings.ca,
            crl=settings.crl,
            certificate=settings.certificate,
            certificate_password=settings.certificate_password,
        )
        tokens = Tokens(
            Session(system, http, passed=(500,)),
            settings.sts,
            Security(identity, issuer),
            issuer=issuer,
            audience=settings.audience,
            system=system,
            claims={_CVR: settings.cvr} if settings.cvr else None,
        )
    return Security(identity, trust, tokens, addressing=addressing, framework=framework, to=settings.service)
