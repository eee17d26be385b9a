"""Connectors to paged REST systems, declared: a ``connector.yaml`` beside an OpenAPI file, no Python.

``declaration`` says what the file may hold, ``contract`` checks it against the OpenAPI file when it is loaded.
"""

from __future__ import annotations

from samspil.declared.rest.connector import RestConnector, connector

__all__ = ["RestConnector", "connector"]
