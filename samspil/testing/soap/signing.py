"""The system's side of a declared security: requests verified, answers signed, and the STS if there is one."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path
from typing import Any

from samspil.certificate import credentials
from samspil.declared.soap.security import Security
from samspil.errors import Refused
from samspil.soap import ENVELOPE
from samspil.testing import sts
from samspil.testing.certificates import Certificates, ClientCertificate
from samspil.testing.door import CVR
from samspil.testing.secured import Opened, Secured
from samspil.testing.sts import Sts
from samspil.testing.world import World
from samspil.wssecurity.names import LIBERTY, WSA, WSSE
from samspil.wssecurity.trust import Trust
from samspil.wssecurity.verification import Expand

SYSTEM = "10103940"  # CVR number of the system's signing certificate: Statens Administration's own, public
AUDIENCE = "urn:samspil:sandkasse"  # where the declaration does not name the service

_CODES = {  # what a reason begins with → the fault code of WS-Security
    "signature": "FailedCheck",
    "signer": "FailedAuthentication",
    "token": "InvalidSecurityToken",
    "timestamp": "MessageExpired",
}


class _Identities:
    """The certificates of both sides. RSA keys take their time, so they are made once a process."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="samspil-signing-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.certificates = Certificates(folder, keys="rsa")
        self.ca = str(self.certificates.ca)
        self.caller = self.certificates.client(CVR, "Samspil")
        given = self.certificates.client(SYSTEM, "Sandkasse Fagsystem")
        self.system = credentials(str(given.p12), given.password)


class Signing:
    """One system. ``start`` and ``stop`` its STS, if requests are to be signed with a token."""

    def __init__(self, security: Security, world: World) -> None:
        self._security, self._known = security, _identities()
        self._sts: Sts | None = None
        self._audience = ""
        if security.token:
            self._audience = security.token.audience or AUDIENCE
            known = self._known.certificates
            self._sts = Sts(world, known, customer=CVR, audiences=frozenset({self._audience}))
        caller = Trust.read(self._known.ca, organisation=CVR)
        self._secured = Secured(self._known.system, caller, self._sts.trust if self._sts else None)

    def start(self) -> None:
        if self._sts:
            self._sts.start()

    def stop(self) -> None:
        if self._sts:
            self._sts.stop()

    @property
    def certificates(self) -> tuple[Certificates, ClientCertificate]:
        """Those of both sides and the caller's, which is good for TLS as well."""
        return self._known.certificates, self._known.caller

    def settings(self) -> dict[str, Any]:
        """The account's settings."""
        known = self._known
        found = {
            "signing_certificate": str(known.caller.p12),
            "signing_certificate_password": known.caller.password,
        }
        if self._security.signed:
            found["signer"] = SYSTEM
        if self._security.signed or self._sts:
            found["signer_ca"] = known.ca
        if self._sts:
            found |= {"sts": f"{self._sts.account.url}/sts", "sts_signer": sts.CVR, "cvr": CVR}
            found |= {"audience": self._audience, "ca": known.ca}
        return found

    def open(self, data: bytes, *, action: str, url: str) -> Opened:
        """A request that is signed as it must be, for this system at ``url``. Raises Refused."""
        opened = self._secured.open(data)
        header = opened.request.getroottree().find(f"{{{ENVELOPE}}}Header")
        if header is None:
            raise Refused("signature-missing", hint="not SOAP 1.1")
        if self._security.addressing:
            wanted = {"Action": action, "To": self._security.service or url, "MessageID": opened.verified.message_id}
            for name, value in wanted.items():
                if not value or header.findtext(f"{{{WSA}}}{name}") != value:
                    raise Refused("addressing-invalid", hint=f"{name} is not what is called")
        if self._security.framework and header.find(f"{{{LIBERTY}}}Framework") is None:
            raise Refused("framework-missing", hint="there is no Liberty header")
        return opened

    def seal(self, data: bytes, opened: Opened, expand: Expand) -> bytes:
        """An envelope as the answer to a request: signed, if answers are."""
        return self._secured.sealed(data, opened, expand=expand) if self._security.signed else data


def refusal(error: Refused) -> bytes:
    """The fault for a request that does not pass. Nobody signs it: it is not known whom it answers."""
    code = _CODES.get(error.reason.partition("-")[0], "InvalidSecurity")
    return (
        f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body><e:Fault><faultcode xmlns:wsse="{WSSE}">wsse:{code}</faultcode>'
        f"<faultstring>{error.reason}</faultstring></e:Fault></e:Body></e:Envelope>"
    ).encode()


@cache
def _identities() -> _Identities:
    return _Identities()
