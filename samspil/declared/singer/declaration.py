"""What a ``connector.yaml`` of kind ``singer`` may say, and what is checked of it before a tap is ever started."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from samspil.account import SECRET, Settings
from samspil.declared.part import part
from samspil.yamlfile import YamlFile

NEVER: Final = "never"
TAPS: Final = "taps"  # the setting with the folder that taps are installed in
TIMEOUT: Final = "timeout"  # the setting with seconds of silence, if they are to be others than the declaration's

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_OF_URL = ("host", "port", "path")
_KINDS: Mapping[str, Any] = {"text": str, "integer": int, "boolean": bool, "secret": Annotated[str, SECRET]}
_EMPTY: Mapping[str, Any] = {"text": "", "integer": 0, "boolean": False, "secret": ""}

Kind = Annotated[str, Meta(pattern="^(text|integer|boolean|secret)!?$")]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where patience ends: seconds without a byte, seconds in all, bytes of one line, bytes of a STATE."""

    silence: Annotated[float, Meta(gt=0)] = 600.0
    total: Annotated[float, Meta(gt=0)] = 14_400.0
    line: Annotated[int, Meta(ge=1_000)] = 16 << 20
    state: Annotated[int, Meta(ge=100)] = 64 << 10


class Stream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stream of the tap (its ``tap_stream_id`` in the catalog) that carries a shared schema.

    ``key``: the properties that name a record. ``version``: the tap ends a whole read with ACTIVATE_VERSION, so a
    read without one is no whole read. ``deleted`` (incremental): the property that is set when a record is deleted,
    or ``never`` if records never are. ``replication_key``: what an incremental read goes by.
    """

    stream: str
    key: Annotated[list[str], Meta(min_length=1)]
    mode: Literal["snapshot", "incremental"] = "snapshot"
    version: bool = False
    replication_key: str = ""
    deleted: str = ""


class Declaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tap`` is an executable's name. ``config`` is the tap's own, with ``{setting}`` where an account's value goes.

    ``settings``: name → ``text``, ``integer``, ``boolean`` or ``secret``, with ``!`` where there must be one; beside
    them ``{host}``, ``{port}`` and ``{path}`` are the account's. ``denied``: words by which the tap's error output
    tells that a login was refused; the output itself is kept nowhere.
    """

    kind: Literal["singer"]
    title: str
    tap: Annotated[str, Meta(pattern="^[a-z][a-z0-9_.-]*$")]
    streams: Annotated[dict[str, Any], Meta(min_length=1)]  # Stream, each read by itself for its errors' sake
    config: dict[str, Any]
    settings: dict[Name, Any] = {}  # Kind, as above
    catalog: Annotated[str, Meta(pattern=r"^[a-z0-9_-]+\.json$")] = "catalog.json"
    denied: list[str] = []
    limits: Limits = Limits()


def declaration(path: Path) -> tuple[Declaration, Mapping[str, Stream]]:
    """A declaration with its streams. Raises SettingsError with file, line and field."""
    file = YamlFile(path, Declaration)
    told = file.value
    for name, kind in told.settings.items():
        part(file, kind, Kind, at=f"settings.{name}")
    known = {*told.settings, *_OF_URL}
    for reserved in sorted({"url", TAPS, TIMEOUT, *_OF_URL} & told.settings.keys()):
        raise file.error("is a setting that every tap has", at=f"settings.{reserved}")
    for at, text in _texts(told.config, "config"):
        for name in sorted(set(_PLACE.findall(text)) - known):
            raise file.error(f"{{{name}}} is no setting; there are: {', '.join(sorted(known))}", at=at)
    streams = {schema: part(file, raw, Stream, at=f"streams.{schema}") for schema, raw in told.streams.items()}
    for schema, stream in streams.items():
        at = f"streams.{schema}"
        if stream.mode == "snapshot" and (stream.deleted or stream.replication_key):
            raise file.error("deleted and replication_key are for mode: incremental", at=at)
        if stream.mode == "incremental" and not (stream.deleted and stream.replication_key):
            raise file.error(
                f"an incremental stream has a replication_key, and says what deleted is ({NEVER}, or a property)", at=at
            )
    return told, streams


def settings_of(told: Declaration, name: str) -> type[Settings]:
    """The closed, typed struct of an account's settings."""
    fields: list[Any] = [
        (field, _KINDS[kind.rstrip("!")]) if kind.endswith("!") else (field, _KINDS[kind], _EMPTY[kind])
        for field, kind in told.settings.items()
    ]
    made: Any = msgspec.defstruct(
        f"{name}Settings",
        [*fields, (TAPS, str, ""), (TIMEOUT, float | None, None)],
        bases=(Settings,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return cast("type[Settings]", made)


def filled(value: Any, settings: Any) -> Any:
    """A config or catalog with the account's values in it. A text that is one placeholder takes the value's type."""
    values = _values(settings)
    if isinstance(value, dict):
        return {name: filled(item, settings) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, settings) for item in value]
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole and whole[1] in values:
            return values[whole[1]]
        return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), value)
    return value


def _values(settings: Any) -> dict[str, Any]:
    url = urlsplit(settings.url)
    of_url = {"host": url.hostname or "", "port": url.port or 0, "path": url.path.strip("/")}
    return of_url | {name: getattr(settings, name) for name in type(settings).__struct_fields__}


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{at}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{at}[{index}]")
    elif isinstance(value, str):
        yield at, value
