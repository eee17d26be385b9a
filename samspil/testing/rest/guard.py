"""Who may call a declared system: tokens, keys and headers, checked as the declaration says."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from samspil.declared.login import grant_of
from samspil.declared.rest.declaration import Declaration
from samspil.declared.values import fitting
from samspil.testing.door import PASSWORD, USER, Door
from samspil.testing.sampled import given

LONGEST_TOKEN = 3600  # seconds


class Guard:
    """Gives out tokens and lets in who has one. ``seconds`` is how long a token is good; ``settings`` are the account's of
    the system's own.
    """

    def __init__(self, declaration: Declaration, settings: Mapping[str, Any]) -> None:
        self.declaration, self.seconds = declaration, LONGEST_TOKEN
        self._settings = {**given(declaration.settings), **settings}
        self._door, self._grant = Door(declaration.login), grant_of(declaration.login)
        self._tokens: dict[str, float] = {}  # token → when it expires

    @property
    def token_path(self) -> str:
        """Where tokens are given out, "" if there are none."""
        return urlsplit(self._grant.token).path if self._grant else ""

    def account(self) -> dict[str, Any]:
        """The fields of our account."""
        fields = self._door.account()
        extra = {**fields.get("extra", {}), **self._settings}
        if self._grant and "://" in self._grant.token:
            extra["token_url"] = self.token_path  # nobody stands in for the other host
        return {**fields, "extra": extra}

    def tls(self) -> ssl.SSLContext | None:
        """The server's TLS context, None for plain HTTP."""
        return self._door.tls()

    def withdraw_tokens(self) -> None:
        """No token given out so far is good any more."""
        self._tokens.clear()

    async def token(self, request: Request) -> Response:
        """OAuth 2.0 client credentials."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        wanted = {"grant_type": "client_credentials", "client_id": USER, "client_secret": PASSWORD}
        patterns = self._grant.form if self._grant else {}
        if self._grant and self._grant.scope:
            wanted["scope"] = self._grant.scope
        told = {name: value for name, value in form.items() if name not in patterns}
        if told != wanted or not all(self._fits(value, form.get(name, "")) for name, value in patterns.items()):
            wrong = {"client_id", "client_secret"} & {name for name in wanted if form.get(name) != wanted[name]}
            return answer({"error": "invalid_client" if wrong else "invalid_request"}, 400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + self.seconds
        return answer({"access_token": token, "token_type": "Bearer", "expires_in": self.seconds})

    def objection(self, request: Request) -> Response | None:
        """The answer to who may not call; None lets the call pass."""
        if not self._knows(request):
            return answer({"error": "not logged in"}, 401)
        for header, value in self.declaration.headers.items():
            if not self._fits(value, request.headers.get(header, "")):
                return answer({"error": f"wrong {header}"}, 403)
        return None

    def _knows(self, request: Request) -> bool:
        if self._grant:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            return self._tokens.get(token, 0.0) > time.monotonic()
        return self._door.opens(request)

    def _fits(self, pattern: str, text: str) -> bool:
        return fitting(pattern, self._settings).fullmatch(text) is not None


def answer(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
