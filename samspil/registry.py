"""What is there: the connectors and the shared schemas, found by looking, never by a list kept by hand.

A connector is a folder ``connectors/<name>/`` with a ``connector.py`` or a ``connector.yaml`` in it (see
``samspil.declared``), or an entry point of the group ``samspil.connectors`` in any installed package, whose name is the
connector's and whose object its class; the package may have the connector's mappings in a folder of that name. The engine imports neither package by itself, so it works with any set of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from samspil.connector import Connector
from samspil.declared import FILE, declared
from samspil.errors import SettingsError

GROUP = "samspil.connectors"

T = TypeVar("T")
_Load = Callable[[], type[Connector]]


def schemas() -> dict[str, type]:
    """Every shared schema's struct, by name, sorted. Raises SettingsError if the schemas are not installed."""
    package = _package("schemas")
    if package is None:
        raise SettingsError("the package of shared schemas is not installed", field="schemas", reason="no-schemas")
    return dict(sorted(package.SCHEMAS.items()))


def schema(name: str) -> type:
    """One shared schema's struct. Raises SettingsError naming those there are."""
    return _one(schemas(), name, "schema")


def connectors() -> dict[str, type[Connector]]:
    """Every connector's class, by name, sorted; imports all of them.

    Raises SettingsError if two have the same name or one cannot be imported.
    """
    return {name: load() for name, load in _found().items()}


def names() -> list[str]:
    """Every connector's name, sorted; imports none. Raises SettingsError if two have the same."""
    return list(_found())


def connector(name: str) -> type[Connector]:
    """One connector's class; imports no other. Raises SettingsError naming those there are."""
    return _one(_found(), name, "connector")()


def package(name: str) -> Path | None:
    """The folder of the installed package that brings a connector; None if no package does."""
    modules = [point.module for point in _installed(tuple(sys.path)) if point.name == name]
    spec = importlib.util.find_spec(modules[0]) if modules else None
    return Path(spec.origin).parent if spec and spec.origin else None


def _found() -> dict[str, _Load]:
    """How to load each connector, by name, sorted."""
    found: dict[str, _Load] = {}
    places: dict[str, str] = {}
    for name, place, load in [*_folders(), *_entry_points()]:
        if name in found:
            raise SettingsError(
                f"two connectors have this name: {places[name]} and {place}", field=name, reason="two-connectors"
            )
        found[name], places[name] = load, place
    return dict(sorted(found.items()))


def _folders() -> list[tuple[str, str, _Load]]:
    package = _package("connectors")
    paths = [Path(entry) for entry in package.__path__] if package else []
    return [
        *(
            (file.parent.name, str(file), _from_folder(file.parent.name))
            for path in paths
            for file in sorted(path.glob("[a-z]*/connector.py"))
        ),
        *(
            (file.parent.name, str(file), partial(declared, file))
            for path in paths
            for file in sorted(path.glob(f"[a-z]*/{FILE}"))
        ),
    ]


def _from_folder(name: str) -> _Load:
    def load() -> type[Connector]:
        module = _imported(name, lambda: importlib.import_module(f"connectors.{name}.connector"))
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Connector) and value.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise SettingsError(
                f"connector.py must have one subclass of Connector, not {len(classes)}",
                field=name,
                reason="bad-connector",
            )
        return classes[0]

    return load


def _entry_points() -> list[tuple[str, str, _Load]]:
    points = _installed(tuple(sys.path))
    return [(point.name, f"entry point {point.value}", _from_entry_point(point)) for point in points]


@lru_cache(maxsize=1)
def _installed(_path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Reads every installed package's metadata: once a process, not once a connector."""
    return tuple(entry_points(group=GROUP))


def _from_entry_point(point: EntryPoint) -> _Load:
    def load() -> type[Connector]:
        value = _imported(point.name, point.load)
        if not (isinstance(value, type) and issubclass(value, Connector)):
            raise SettingsError(
                f"the entry point {point.value} is no subclass of Connector", field=point.name, reason="bad-connector"
            )
        return value

    return load


def _imported(name: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise SettingsError(f"the connector cannot be imported: {error}", field=name, reason="bad-connector") from error


def _package(name: str) -> ModuleType | None:
    """A top-level package, or None if there is none; an error inside it is not hidden."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _one(found: Mapping[str, T], name: str, noun: str) -> T:
    if name not in found:
        raise SettingsError(f"no such {noun}; there are {', '.join(found)}", field=name, reason=f"no-{noun}")
    return found[name]
