"""Where a setting's value goes: ``{name}`` in a text of a declaration, such as ``X-Tenant: "{tenant}"``.

Beside the settings there are ``{host}``, ``{port}`` and ``{path}`` of the account's address, and in what is said anew with
each call ``{uuid}``, a new one, and ``{now}``, the moment in UTC. A text that is one ``{name}`` takes the value's type.
``{{name}}`` is the text ``{name}``; every other brace is itself, so a regular expression or JSON needs no escape.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from samspil.yamlfile import YamlFile

OF_ACCOUNT = ("host", "port", "path")
OF_CALL = ("uuid", "now")
RESERVED = (*OF_ACCOUNT, *OF_CALL)

_PLACE = re.compile(r"\{\{(?P<plain>[a-z][a-z0-9_]*)\}\}|\{(?P<name>[a-z][a-z0-9_]*)\}")


def require_names(file: YamlFile[Any], value: Any, at: str, reserved: Collection[str] = RESERVED) -> None:
    """Raise SettingsError, with its line, for a ``{name}`` in ``value`` that is none of the file's settings."""
    known = {*file.value.settings, *reserved}
    for path, text in _texts(value, at):
        for name in named(text):
            if name not in known:
                there = f"there are: {', '.join(sorted(known))}" if known else "there are none"
                raise file.error(f"{{{name}}} is no setting; {there}", at=path)


def named(text: str) -> list[str]:
    """The names in a text, in their order."""
    return [found["name"] for found in _PLACE.finditer(text) if found["name"]]


def filled(value: Any, settings: Any) -> Any:
    """Texts, mappings and lists with the account's values in them. A name that it does not know stays as it stands."""
    if isinstance(value, dict):
        return {name: filled(item, settings) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, settings) for item in value]
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole and whole["name"]:
            return _value(whole["name"], settings, value)
        return _PLACE.sub(lambda found: _within(found, settings), value)
    return value.isoformat() if isinstance(value, date) else value


def text(value: object) -> str:
    """A value as it stands among others, in a header or in a form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fitting(pattern: str, values: Mapping[str, Any]) -> re.Pattern[str]:
    """What a filled text looks like to who knows these values; any other name stands for anything."""
    made, at = "", 0
    for found in _PLACE.finditer(pattern):
        made += re.escape(pattern[at : found.start()])
        name = found["name"]
        made += (
            re.escape(text(values[name])) if name in values else ".+" if name else re.escape(f"{{{found['plain']}}}")
        )
        at = found.end()
    return re.compile(made + re.escape(pattern[at:]))


def _within(found: re.Match[str], settings: Any) -> str:
    if found["plain"]:
        return f"{{{found['plain']}}}"
    return text(_value(found["name"], settings, found[0]))


def _value(name: str, settings: Any, otherwise: str) -> Any:
    if name == "uuid":
        return str(uuid.uuid4())
    if name == "now":
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if name in OF_ACCOUNT:
        url = urlsplit(settings.url)
        return {"host": url.hostname or "", "port": url.port or 0, "path": url.path.strip("/")}[name]
    return getattr(settings, name, otherwise)


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{at}[{index}]")
    elif isinstance(value, str):
        yield at, value
