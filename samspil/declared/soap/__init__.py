"""SOAP connectors from a WSDL and a declaration, without Python.

``contract`` is the WSDL, ``declaration`` the YAML, ``checks`` holds the one against the other; ``system`` is the
connector that comes of it.
"""

from __future__ import annotations

from pathlib import Path

from samspil.connector import Connector
from samspil.declared.soap.system import made


def connector(path: Path) -> type[Connector]:
    """The class that a ``connector.yaml`` of the kind ``soap`` describes. Raises SettingsError with file and line."""
    return made(path)
