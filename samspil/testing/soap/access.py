"""Who a declared system lets in, and the account that it gave us."""

from __future__ import annotations

import base64
import hmac
import shutil
import ssl
import tempfile
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree
from starlette.requests import Request

from samspil.declared.soap.checks import Checked
from samspil.declared.soap.declaration import Header
from samspil.declared.soap.values import leaves, setting
from samspil.testing.certificates import Certificates
from samspil.testing.soap.instances import sampled
from samspil.testing.soap.register import text
from samspil.testing.tls import client_certificate

PATH = "/service"
USER, PASSWORD, KEY = "samspil", "sandkasse-1", "sandkasse-noegle-1"
CVR = "29189609"  # of the certificate; the municipality's own, public


class Access:
    """The login that the declaration asks for. ``settings`` are the account's of the system's own."""

    def __init__(self, checked: Checked, settings: dict[str, Any]) -> None:
        self._checked, self._declaration = checked, checked.declaration
        self._settings = {
            name: sampled(own.pattern) if own.pattern else "eksempel"
            for name, own in self._declaration.settings.items()
            if own.default is None
        } | settings

    def account(self) -> dict[str, Any]:
        """The fields of our account."""
        extra = dict(self._settings)
        fields: dict[str, Any] = {"schema": PATH, "extra": extra}
        if self._declaration.login == "basic":
            fields |= {"login": USER, "password": PASSWORD}
        elif isinstance(self._declaration.login, Header):
            extra["api_key"] = KEY
        elif self._declaration.login == "certificate":
            client = self._certificates.client(CVR, "Samspil")
            extra |= {"certificate": str(client.p12), "certificate_password": client.password}
            extra["ca"] = str(self._certificates.ca)
        return fields

    def tls(self) -> ssl.SSLContext | None:
        return self._context if self._declaration.login == "certificate" else None

    def lets_in(self, request: Request) -> bool:
        """Whether the call shows what the login asks for."""
        login = self._declaration.login
        if login == "certificate":
            return client_certificate(request.scope) is not None
        if isinstance(login, Header):
            return hmac.compare_digest(request.headers.get(login.header, "").encode(), KEY.encode())
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        given = request.headers.get("authorization", "")
        return login == "none" or hmac.compare_digest(given.encode(), f"Basic {pair}".encode())

    def wrong_header(self, header: etree._Element | None) -> str:
        """The declared SOAP header that is missing or does not fit the WSDL; empty if none."""
        for name in self._declaration.headers:
            found = None if header is None else header.find(self._checked.header(name).tag)
            if found is None or not self._checked.contract.whole.validate(found):
                return name
        return ""

    def stranger(self, header: etree._Element | None) -> bool:
        """Whether a header speaks for somebody else than the account."""
        for name, given in self._declaration.headers.items():
            found = None if header is None else header.find(self._checked.header(name).tag)
            for path, value in leaves(given):
                own = setting(value)
                if found is not None and own in self._settings and text(found, path) != self._settings[own]:
                    return True
        return False

    @cached_property
    def _certificates(self) -> Certificates:
        folder = Path(tempfile.mkdtemp(prefix="samspil-soap-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Certificates(folder)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._certificates.server_context()
