"""What makes the system let us in: the headers that go with each call."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from samspil.declared.rest.declaration import Basic, Bearer, Declaration, Key, OAuth
from samspil.http import Session
from samspil.token import Token


class Login:
    """One account's login. A token is asked for at the first call, not before."""

    def __init__(self, declaration: Declaration, session: Session, settings: Any) -> None:
        login = declaration.login
        self._token: Token | None = None
        self._fixed: dict[str, str] = {
            header: text(getattr(settings, name)) for header, name in declaration.headers.items()
        }
        if isinstance(login, Basic):
            both = f"{settings.username}:{settings.password}".encode()
            self._fixed["Authorization"] = f"Basic {b64encode(both).decode()}"
        elif isinstance(login, Key):
            self._fixed[login.header] = settings.password
        elif isinstance(login, Bearer):
            self._fixed["Authorization"] = f"Bearer {settings.password}"
        elif isinstance(login, OAuth):
            form = {"scope": settings.scope} if settings.scope else {}
            form |= {field: text(getattr(settings, name)) for field, name in login.form.items()}
            self._token = Token(
                session, settings.token_url, client=settings.username, secret=settings.password, form=form
            )

    def headers(self) -> dict[str, str]:
        """The headers of a call. Raises AccessError or Unavailable if a token is refused."""
        return {**self._fixed, **(self._token.header() if self._token else {})}

    def renew(self) -> bool:
        """Whether another try may help: a token may have been withdrawn before its time, nothing else may."""
        if self._token is not None:
            self._token.forget()
        return self._token is not None


def text(value: object) -> str:
    """A setting as it goes into a header or a form."""
    return str(value).lower() if isinstance(value, bool) else str(value)
