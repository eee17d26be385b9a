"""The settings of a declared connector: those of HTTP, of its login, of its paging and its own, in a closed struct."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from samspil.account import SECRET
from samspil.declared.rest.declaration import Basic, Declaration, NoLogin, OAuth, Setting
from samspil.http import HttpSettings
from samspil.openapi import Operation
from samspil.yamlfile import YamlFile

PAGE = 1000  # records asked for at once, where the system allows it
KINDS: Mapping[str, type] = {"text": str, "integer": int, "number": float, "boolean": bool}


def settings(name: str, file: YamlFile[Declaration], lists: Iterable[Operation]) -> type[HttpSettings]:
    """The struct. ``lists`` are the calls that read pages, whose limits of the page size hold for ``page_size``.

    Raises SettingsError if a setting is named like another or its default does not fit.
    """
    declaration = file.value
    fields: list[Any] = [*_login(declaration), *_page_size(declaration, lists)]
    if declaration.rate is not None:
        limit = Meta(gt=0, le=declaration.rate)  # an account may ask for less, never for more
        fields.append(("rate", Annotated[float, limit], declaration.rate))
    taken = {field[0] for field in fields} | {field.name for field in msgspec.structs.fields(HttpSettings)}
    for own, setting in declaration.settings.items():
        if own in taken | {"username", "password"}:
            raise file.error("is a setting already", at=f"settings.{own}")
        fields.append(_own(own, setting, file))
    for place, named in _named(declaration):
        if named not in declaration.settings:
            raise file.error(f"{named} is none of the settings", at=place)
    struct: Any = msgspec.defstruct(
        name, fields, bases=(HttpSettings,), frozen=True, kw_only=True, forbid_unknown_fields=True
    )
    return cast("type[HttpSettings]", struct)


def _login(declaration: Declaration) -> list[Any]:
    login = declaration.login
    if isinstance(login, NoLogin):
        return []
    fields: list[Any] = [("password", Annotated[str, SECRET])]
    if isinstance(login, Basic | OAuth):
        fields.append(("username", str))
    if isinstance(login, OAuth):
        fields += [("token_url", str, login.token), ("scope", str, login.scope)]
    return fields


def _page_size(declaration: Declaration, lists: Iterable[Operation]) -> list[Any]:
    sizes = {one.list.paging.size for one in declaration.schemas.values() if one.list} - {""}
    bounds = [parameter.schema for call in lists for parameter in call.parameters if parameter.name in sizes]
    if not bounds:
        return []
    least = max(int(schema.get("minimum", 1)) for schema in bounds)
    most = min(int(schema.get("maximum", 100 * PAGE)) for schema in bounds)
    return [("page_size", Annotated[int, Meta(ge=max(1, least), le=most)], min(PAGE, most))]


def _own(name: str, setting: Setting, file: YamlFile[Declaration]) -> Any:
    text = setting.type == "text"
    bounds: dict[str, Any] = {
        bound: value
        for bound, value in (
            ("min_length" if text else "ge", setting.least if setting.least is not None or not text else 1),
            ("max_length" if text else "le", setting.most),
        )
        if value is not None
    }
    at = f"settings.{name}"
    if setting.type == "boolean" and bounds:
        raise file.error("a boolean has no limits", at=at)
    if setting.default == "" and text:
        bounds.pop("min_length", None)
    metas = ([Meta(**bounds)] if bounds else []) + ([SECRET] if setting.secret else [])
    kind: Any = KINDS[setting.type]
    for meta in metas:
        kind = Annotated[kind, meta]
    if setting.default is None:
        return (name, kind)
    try:
        default = msgspec.convert(setting.default, kind)
    except msgspec.ValidationError:
        raise file.error(f"is no {setting.type} within its limits", at=f"{at}.default") from None
    return (name, kind, default)


def _named(declaration: Declaration) -> list[tuple[str, str]]:
    """Where the declaration names a setting, and which."""
    form = declaration.login.form if isinstance(declaration.login, OAuth) else {}
    return [
        *((f"headers.{header}", name) for header, name in declaration.headers.items()),
        *((f"login.form.{field}", name) for field, name in form.items()),
    ]
