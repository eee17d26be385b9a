"""Connectors without Python: a folder with a ``connector.yaml``, the declaration.

``kind`` in it says what speaks: each kind is a module here with ``connector(path)``, which reads the declaration into
a closed, typed struct and makes the connector's class of it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal

import msgspec

from samspil.connector import Connector
from samspil.yamlfile import YamlFile

FILE = "connector.yaml"


class _Kind(msgspec.Struct):
    """The one field that every declaration has; the kind's own struct knows the others."""

    kind: Literal["rest", "drop", "soap", "singer", "database"]


def declared(path: Path) -> type[Connector]:
    """The class a declaration describes. Raises SettingsError with the line that is wrong."""
    kind = YamlFile(path, _Kind).value.kind
    module: Any = importlib.import_module(f"samspil.declared.{kind}")
    made: type[Connector] = module.connector(path)
    return made
