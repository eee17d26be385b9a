"""The subjects that are broken: the reference, and every connector of the repository that has a sandbox."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from samspil.errors import SettingsError
from samspil.testing.conformance.subject import Subject
from samspil.testing.mutants.reference import NAME, reference
from samspil.testing.sandbox import Sandbox


def names() -> list[str]:
    """The reference and the repository's connectors with a sandbox."""
    spec = importlib.util.find_spec("connectors")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return [NAME, *sorted(file.parent.name for place in places for file in place.glob("[a-z]*/sandbox.py"))]


def subject(name: str) -> Subject:
    """A subject by the connector's name. Raises SettingsError naming those there are."""
    if name == NAME:
        return reference()
    if name not in names():
        raise SettingsError(f"no such connector; there are {', '.join(names())}", field=name)
    module = importlib.import_module(f"connectors.{name}.sandbox")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Sandbox) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise SettingsError(f"sandbox.py must have one subclass of Sandbox, not {len(found)}", field=name)
    return Subject(name, found[0])
