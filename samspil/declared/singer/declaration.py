"""What a ``connector.yaml`` of kind ``singer`` may say, and what is checked of it before a tap is ever started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from samspil.account import Settings as Base
from samspil.declared.closed import Closed, Key, Word, each
from samspil.declared.incremental import Marked, Never
from samspil.declared.settings import Settings, settings_class
from samspil.declared.values import OF_ACCOUNT, require_names
from samspil.yamlfile import YamlFile

TAPS: Final = "taps"  # the setting with the folder that taps are installed in
TIMEOUT: Final = "timeout"  # the setting with seconds of silence, if they are to be others than the declaration's


class Limits(Closed, frozen=True, kw_only=True):
    """Where patience ends: seconds without a byte, seconds in all, bytes of one line, bytes of a STATE."""

    silence: Annotated[float, Meta(gt=0)] = 600.0
    duration: Annotated[float, Meta(gt=0)] = 14_400.0
    line: Annotated[int, Meta(ge=1_000)] = 16 << 20
    state: Annotated[int, Meta(ge=100)] = 64 << 10


class Incremental(Closed, frozen=True, kw_only=True):
    """Reading what changed: ``changed`` is the tap's replication key, ``gone`` the property that is set when a record is
    deleted. The tap's STATE says where the next read starts, so there is no overlap to ask for.
    """

    changed: Word
    gone: Never | Marked

    @property
    def mark(self) -> str:
        """The property; empty if records are never deleted."""
        return "" if isinstance(self.gone, str) else self.gone.field


class Listing(Closed, frozen=True, kw_only=True):
    """``version``: the tap ends a whole read with ACTIVATE_VERSION, so a read without one is no whole read."""

    version: bool = False
    incremental: Incremental | None = None


class Stream(Closed, frozen=True, kw_only=True):
    """One shared schema: ``record`` is the stream of the tap that carries it (its ``tap_stream_id`` in the catalog), ``key``
    the property or properties that name a record.
    """

    record: Word
    key: Key
    listing: Listing = msgspec.field(name="list", default=Listing())

    @property
    def keys(self) -> tuple[str, ...]:
        """The properties of its key."""
        return each(self.key)

    @property
    def incremental(self) -> Incremental | None:
        """How what changed is read; None if it is read whole."""
        return self.listing.incremental


class Declaration(Closed, frozen=True, kw_only=True):
    """``tap`` is an executable's name. ``config`` is the tap's own, with ``{name}`` where a setting's value goes, those of
    the login (``username``, ``password``) among them. ``denied``: words by which the tap's error output tells that a
    login was refused; the output itself is kept nowhere.
    """

    kind: Literal["singer"]
    title: Word
    tap: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]*\Z")]
    config: dict[str, Any]
    settings: Settings = msgspec.field(default_factory=dict)
    catalog: Annotated[str, Meta(pattern=r"^[a-z0-9_-]+\.json\Z")] = "catalog.json"
    denied: tuple[str, ...] = ()
    limits: Limits = Limits()
    schemas: Annotated[dict[str, Stream], Meta(min_length=1)]


def declaration(path: Path) -> tuple[Declaration, type[Base]]:
    """A declaration, and the settings it asks an account for. Raises SettingsError with file, line and field."""
    file = YamlFile(path, Declaration)
    more = [(TAPS, str, ""), (TIMEOUT, float | None, None)]
    name = path.parent.name.title().replace("_", "")
    settings = settings_class(f"{name}Settings", file, Base, more=more, taken=())
    require_names(file, file.value.config, "config", OF_ACCOUNT)
    return file.value, settings
