"""The settings of an account, as a declaration asks for them: closed and typed like every connector's."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from samspil.account import SECRET
from samspil.declared.soap.declaration import Declaration, Header
from samspil.http import HttpSettings

_PAGE_SIZE = Annotated[int, Meta(ge=0, le=100_000)]


def settings_class(name: str, declaration: Declaration) -> type[HttpSettings]:
    """``page_size`` 0 means what the declaration says; what the login needs is required."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for key, setting in declaration.settings.items():
        kind: Any = Annotated[str, Meta(pattern=setting.pattern)] if setting.pattern else str
        if setting.secret:
            kind = Annotated[kind, SECRET]
        fields.append((key, kind) if setting.default is None else (key, kind, setting.default))
    if declaration.login == "basic":
        fields += [
            ("username", Annotated[str, Meta(min_length=1)]),
            ("password", Annotated[str, Meta(min_length=1), SECRET]),
        ]
    elif declaration.login == "certificate":
        fields.append(("certificate", Annotated[str, Meta(min_length=1)]))
    elif isinstance(declaration.login, Header):
        fields.append(("api_key", Annotated[str, Meta(min_length=1), SECRET]))
    fields.append(("page_size", _PAGE_SIZE, 0))
    made: Any = msgspec.defstruct(
        f"{name}Settings", fields, bases=(HttpSettings,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )
    own: type[HttpSettings] = made
    return own


def credentials(declaration: Declaration, settings: Any) -> dict[str, str]:
    """The HTTP headers that let us in."""
    if declaration.login == "basic":
        pair = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if isinstance(declaration.login, Header):
        return {declaration.login.header: settings.api_key}
    return {}
