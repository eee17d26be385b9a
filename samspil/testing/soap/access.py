"""Who a declared system lets in, with the SOAP headers of each call, and the account that it gave us."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from lxml import etree
from starlette.requests import Request

from samspil.declared.soap.checks import Checked
from samspil.declared.soap.values import leaves
from samspil.declared.values import fitting
from samspil.testing.door import Door
from samspil.testing.sampled import given
from samspil.testing.soap.register import text
from samspil.testing.soap.signing import Signing
from samspil.testing.world import World

PATH = "/service"


class Access:
    """The login that the declaration asks for. ``settings`` are the account's of the system's own; ``signing`` is None if
    messages are not secured.
    """

    def __init__(self, checked: Checked, settings: Mapping[str, Any], world: World) -> None:
        self._checked, self._declaration = checked, checked.declaration
        security = self._declaration.security
        self.signing = Signing(security, world) if security else None
        self._door = Door(self._declaration.login, *(self.signing.certificates if self.signing else ()))
        self._settings = {**given(self._declaration.settings), **settings}

    def account(self) -> dict[str, Any]:
        """The fields of our account."""
        fields = self._door.account()
        extra = fields.get("extra", {})
        if self.signing:
            extra |= self.signing.settings()
        return {**fields, "schema": PATH, "extra": {**extra, **self._settings}}

    def tls(self) -> ssl.SSLContext | None:
        """The server's TLS context, None for plain HTTP."""
        return self._door.tls()

    def lets_in(self, request: Request) -> bool:
        """Whether the call shows what the login asks for."""
        return self._door.opens(request)

    def wrong_header(self, header: etree._Element | None) -> str:
        """The declared SOAP header that is missing or does not fit the WSDL; empty if none."""
        for name in self._declaration.headers:
            found = None if header is None else header.find(self._checked.header(name).tag)
            if found is None or not self._checked.contract.whole.validate(found):
                return name
        return ""

    def stranger(self, header: etree._Element | None) -> bool:
        """Whether a header speaks for somebody else than the account."""
        for name, values in self._declaration.headers.items():
            found = None if header is None else header.find(self._checked.header(name).tag)
            for path, value in leaves(values):
                if found is not None and not fitting(str(value), self._settings).fullmatch(text(found, path)):
                    return True
        return False
