"""Who a declared system over HTTP lets in, and the account that it gave us."""

from __future__ import annotations

import hmac
import shutil
import ssl
import tempfile
import weakref
from base64 import b64encode
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.requests import Request

from samspil.declared.login import Login, grant_of, header_of
from samspil.testing.certificates import Certificates, ClientCertificate
from samspil.testing.tls import client_certificate

USER, PASSWORD = "samspil-prøve", "ikke-en-rigtig-hemmelighed"
CVR = "29189609"  # of the certificate; the municipality's own, public


class Door:
    """One login. What a token is good for, its giver says (see ``samspil.testing.rest.guard``).

    ``certificates`` and our ``client`` certificate of them, where there are some already; else they are made.
    """

    def __init__(
        self, login: Login, certificates: Certificates | None = None, client: ClientCertificate | None = None
    ) -> None:
        self._login, self._given, self._client = login, certificates, client

    def account(self) -> dict[str, Any]:
        """The fields of our account. Settings are closed: what the login does not use is not there."""
        if self._login == "certificate":
            client = self._client or self._certificates.client(CVR, "Samspil")
            own = {"certificate": str(client.p12), "certificate_password": client.password}
            return {"extra": {**own, "ca": str(self._certificates.ca)}}
        user = {"login": USER} if self._login == "basic" or grant_of(self._login) else {}
        return user if self._login == "none" else {**user, "password": PASSWORD}

    def tls(self) -> ssl.SSLContext | None:
        """The server's TLS context, None for plain HTTP."""
        return self._context if self._login == "certificate" else None

    def opens(self, request: Request) -> bool:
        """Whether the call shows what the login asks for."""
        if self._login == "certificate":
            return client_certificate(request.scope) is not None
        pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        wanted = {"basic": f"Basic {pair}", "bearer": f"Bearer {PASSWORD}"}
        if header := header_of(self._login):
            return _same(request.headers.get(header, "").encode("latin-1"), PASSWORD)
        return _same(request.headers.get("authorization", "").encode("latin-1"), wanted.get(str(self._login), ""))

    @cached_property
    def _certificates(self) -> Certificates:
        if self._given:
            return self._given
        folder = Path(tempfile.mkdtemp(prefix="samspil-door-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Certificates(folder)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._certificates.server_context()


def _same(given: bytes, wanted: str) -> bool:
    return hmac.compare_digest(given, wanted.encode())
