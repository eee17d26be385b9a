"""The bearer token of OAuth 2.0 client credentials, kept until it expires."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import msgspec

from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.http import Session

MARGIN = 30.0  # seconds before its expiry at which a token is renewed


class _Granted(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: float = 300.0


class Token:
    """One client's token at one token endpoint; ``form`` is what is sent besides the grant (scope, resource).

    Raises SettingsError for an address that is not https, unless it is this machine's: the secret is sent there
    (RFC 6749, 3.2).
    """

    def __init__(self, session: Session, url: str, *, client: str, secret: str, form: Mapping[str, str]) -> None:
        if "://" in url:
            session.allow(url)
            if not _guarded(url):
                message = "must begin with https: the client's secret is sent there; http goes to this machine only"
                raise SettingsError(message, field=f"connection {session.system}: token_url")
        self._session, self._url = session, url
        self._form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, **form}
        self._header, self._expires = "", 0.0

    def header(self) -> dict[str, str]:
        """The Authorization header. Raises AccessError if the client or its secret is refused, or Unavailable."""
        if time.monotonic() >= self._expires:
            self._renew()
        return {"Authorization": self._header}

    def forget(self) -> None:
        """Ask for a new one next time."""
        self._expires = 0.0

    def _renew(self) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = self._session.send(
            "POST", self._url, data=urlencode(self._form).encode(), headers=headers, repeatable=True
        )
        if answer.status != 200:  # RFC 6749, 5.2: 400 for a wrong client too
            raise AccessError("login: client id or secret refused", system=self._session.system, reason="credentials")
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
        except msgspec.MsgspecError:
            raise Unavailable(
                "login: the answer is no token", system=self._session.system, reason="answer-invalid"
            ) from None
        self._header = f"Bearer {granted.access_token}"
        self._expires = time.monotonic() + granted.expires_in - min(MARGIN, granted.expires_in / 2)


def _guarded(url: str) -> bool:
    """Whether nobody on the way can read what is sent to an address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme.lower() == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
