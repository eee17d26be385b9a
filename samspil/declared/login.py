"""How a system over HTTP lets us in, and the headers that show it.

========================  ===========================================================================================
``login``                 what the account holds
========================  ===========================================================================================
``none``                  nothing: nobody asks who calls
``basic``                 login and password
``bearer``                a token that does not change, as its password
``certificate``           ``certificate`` and ``certificate_password``, shown under TLS
``{header: X-Key}``       a key for that header, as its password
``{oauth: {token: …}}``   the client's id and secret as login and password; the token is asked for and renewed
========================  ===========================================================================================
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from samspil.account import SECRET
from samspil.declared.closed import Closed
from samspil.declared.values import filled, text
from samspil.http import Session
from samspil.token import Token

Header = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*\Z")]
Secret = Annotated[str, Meta(min_length=1), SECRET]
Word = Literal["none", "basic", "bearer", "certificate"]


class Key(Closed, frozen=True, kw_only=True):
    """A key in a header of this name."""

    header: Header


class OAuth(Closed, frozen=True, kw_only=True):
    """OAuth 2.0 client credentials.

    ``token`` is a path below the account's address, or a URL; the account may set ``token_url`` and ``scope`` itself.
    ``form``: more fields of the token request, with ``{name}`` for a setting.
    """

    token: Annotated[str, Meta(pattern=r"^(/|https?://)\S+\Z")]
    scope: str = ""
    form: dict[str, str] = field(default_factory=dict)


class KeyOrOAuth(Closed, frozen=True, kw_only=True):
    """Either of the two."""

    header: Header | Literal[""] = ""
    oauth: OAuth | None = None

    def __post_init__(self) -> None:
        if bool(self.header) == (self.oauth is not None):
            raise ValueError("takes header or oauth, one of the two")


Login = Word | Key | KeyOrOAuth


def header_of(login: Login) -> str:
    """The header with the key; empty for another login."""
    return "" if isinstance(login, str) else login.header


def grant_of(login: Login) -> OAuth | None:
    """How a token is granted; None for another login."""
    return login.oauth if isinstance(login, KeyOrOAuth) else None


def login_fields(login: Login) -> list[Any]:
    """The settings that a login needs, for ``settings_class``."""
    if login == "none":
        return []
    if login == "certificate":
        return [("certificate", Annotated[str, Meta(min_length=1)])]
    grant = grant_of(login)
    fields: list[Any] = [("password", Secret)]
    if login == "basic" or grant:
        fields.append(("username", Annotated[str, Meta(min_length=1)]))
    if grant:
        fields += [("token_url", str, grant.token), ("scope", str, grant.scope)]
    return fields


class Access:
    """One account's login. A token is asked for at the first call, not before."""

    def __init__(self, login: Login, session: Session, settings: Any) -> None:
        self._token: Token | None = None
        self._fixed: dict[str, str] = {}
        if login == "basic":
            both = f"{settings.username}:{settings.password}".encode()
            self._fixed["Authorization"] = f"Basic {b64encode(both).decode()}"
        elif login == "bearer":
            self._fixed["Authorization"] = f"Bearer {settings.password}"
        elif header := header_of(login):
            self._fixed[header] = settings.password
        elif grant := grant_of(login):
            form = {"scope": settings.scope} if settings.scope else {}
            form |= {field: text(filled(value, settings)) for field, value in grant.form.items()}
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
