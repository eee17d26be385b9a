"""An account's settings of the system's own, as a declaration asks for them, in a closed, typed struct.

::

    settings:
      tenant: text                       # a word: it must be given
      key: secret
      office: {default: "", about: the office's number}
      municipality_cvr: {pattern: "^[0-9]{8}$"}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from samspil.account import SECRET
from samspil.account import Settings as Base
from samspil.declared.closed import Closed
from samspil.declared.values import RESERVED
from samspil.yamlfile import YamlFile

KINDS: Mapping[str, type] = {"text": str, "integer": int, "number": float, "boolean": bool}
LOGIN = ("username", "password")  # they come from the account's login, so the login declares them

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]
S = TypeVar("S", bound=Base)


class Setting(Closed, frozen=True, kw_only=True):
    """One setting, in the account's ``extra``; without ``default`` an account must give it.

    ``least`` and ``most`` bound a number, or the length of a text; ``pattern`` is a regular expression for a text.
    ``about`` says what it is, to whoever sets up the account.
    """

    type: Literal["text", "integer", "number", "boolean"] = "text"
    secret: bool = False
    default: str | int | float | bool | None = None
    least: int | float | None = None
    most: int | float | None = None
    pattern: str = ""
    about: str = ""


Settings = dict[Name, Setting | Literal["text", "integer", "number", "boolean", "secret"]]


def written_out(settings: Settings) -> dict[str, Setting]:
    """The settings with the words in full."""
    return {
        name: one
        if isinstance(one, Setting)
        else Setting(secret=True)
        if one == "secret"
        else Setting(type=one)  # a word is a text, a number or a truth that must be given
        for name, one in settings.items()
    }


def settings_class(
    name: str, file: YamlFile[Any], base: type[S], *, more: Sequence[Any] = (), taken: Collection[str] = LOGIN
) -> type[S]:
    """The struct: the settings of ``base``, ``more`` fields of the kind's (its login, its paging), and the file's own.

    Raises SettingsError with the line of a setting that has another's name, or whose limits or default do not fit.
    """
    reserved = {*taken, *RESERVED, *base.__struct_fields__, *(field[0] for field in more)}
    fields = list(more)
    for own, setting in written_out(file.value.settings).items():
        if own in reserved:
            raise file.error("is a setting already", at=f"settings.{own}")
        fields.append(_field(own, setting, file))
    struct: Any = msgspec.defstruct(name, fields, bases=(base,), frozen=True, kw_only=True, forbid_unknown_fields=True)
    return cast("type[S]", struct)


def _field(name: str, setting: Setting, file: YamlFile[Any]) -> Any:
    at = f"settings.{name}"
    kind: Any = KINDS[setting.type]
    bounds = _bounds(setting, file, at)
    for meta in ([Meta(**bounds)] if bounds else []) + ([SECRET] if setting.secret else []):
        kind = Annotated[kind, meta]
    if setting.default is None:
        return (name, kind)
    try:
        default = msgspec.convert(setting.default, kind)
    except msgspec.ValidationError:
        raise file.error(f"is no {setting.type} within its limits", at=f"{at}.default") from None
    return (name, kind, default)


def _bounds(setting: Setting, file: YamlFile[Any], at: str) -> dict[str, Any]:
    """What msgspec checks. A text that must be given is not empty."""
    text, least, most = setting.type == "text", setting.least, setting.most
    if setting.type == "boolean" and (least is not None or most is not None):
        raise file.error("a boolean has no limits", at=at)
    if not text and (setting.pattern or setting.secret):
        raise file.error("only a text has a pattern or is a secret", at=at)
    if least is not None and most is not None and least > most:
        raise file.error("least is more than most", at=at)
    if text and any(one is not None and (one < 0 or one != int(one)) for one in (least, most)):
        raise file.error("a text's length is counted in whole characters", at=at)
    try:
        re.compile(setting.pattern)
    except re.error:
        raise file.error("is not a regular expression", at=f"{at}.pattern") from None
    if text and least is None and setting.default != "":
        least = 1
    bounds = {"min_length" if text else "ge": least, "max_length" if text else "le": most}
    found: dict[str, Any] = {bound: value for bound, value in bounds.items() if value is not None}
    if setting.pattern:
        found["pattern"] = rf"(?:{setting.pattern})(?!\n\Z)"  # in Python $ lets a final newline pass
    return found
