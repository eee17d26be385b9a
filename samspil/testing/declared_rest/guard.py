"""Who may call a declared system: tokens, keys and headers, checked as the declaration says."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from samspil.declared.rest.declaration import Basic, Bearer, Declaration, Key, NoLogin, OAuth, Setting
from samspil.declared.rest.login import text

USER, PASSWORD = "samspil-prøve", "ikke-en-rigtig-hemmelighed"
LONGEST_TOKEN = 3600  # seconds


class Guard:
    """Gives out tokens and lets in who has one. ``seconds`` is how long a token is good."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration, self.seconds = declaration, LONGEST_TOKEN
        self._tokens: dict[str, float] = {}  # token → when it expires

    @property
    def token_path(self) -> str:
        """Where tokens are given out, "" if there are none."""
        login = self.declaration.login
        return urlsplit(login.token).path if isinstance(login, OAuth) else ""

    def settings(self) -> dict[str, Any]:
        """A value for each setting of its own that an account must give."""
        own = self.declaration.settings
        return {name: _value(name, setting) for name, setting in own.items() if setting.default is None}

    def withdraw_tokens(self) -> None:
        """No token given out so far is good any more."""
        self._tokens.clear()

    async def token(self, request: Request) -> Response:
        """OAuth 2.0 client credentials."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        login = self.declaration.login
        wanted = {"grant_type": "client_credentials", "client_id": USER, "client_secret": PASSWORD}
        if isinstance(login, OAuth):
            wanted |= {"scope": login.scope} if login.scope else {}
            wanted |= {field: text(self._setting(name)) for field, name in login.form.items()}
        if form != wanted:
            wrong = {"client_id", "client_secret"} & {name for name in wanted if form.get(name) != wanted[name]}
            return answer({"error": "invalid_client" if wrong else "invalid_request"}, 400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + self.seconds
        return answer({"access_token": token, "token_type": "Bearer", "expires_in": self.seconds})

    def objection(self, request: Request) -> Response | None:
        """The answer to who may not call; None lets the call pass."""
        if not self._knows(request):
            return answer({"error": "not logged in"}, 401)
        for header, name in self.declaration.headers.items():
            if request.headers.get(header) != text(self._setting(name)):
                return answer({"error": f"wrong {header}"}, 403)
        return None

    def _knows(self, request: Request) -> bool:
        login, given = self.declaration.login, request.headers.get("authorization", "")
        if isinstance(login, OAuth):
            return self._tokens.get(given.removeprefix("Bearer "), 0.0) > time.monotonic()
        if isinstance(login, Key):
            return request.headers.get(login.header, "").encode("latin-1") == PASSWORD.encode()
        wanted = {
            NoLogin: "",
            Bearer: f"Bearer {PASSWORD}",
            Basic: f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}",
        }
        return given == wanted[type(login)]

    def _setting(self, name: str) -> Any:
        default = self.declaration.settings[name].default
        return self.settings()[name] if default is None else default


def answer(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


def _value(name: str, setting: Setting) -> Any:
    number = setting.least if setting.least is not None else 1
    kinds: dict[str, Any] = {"integer": int(number), "number": number, "boolean": True}
    return kinds.get(setting.type, f"proeve-{name}".ljust(int(setting.least or 0), "x"))
