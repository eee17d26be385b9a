"""A declaration as it may be until it is decided: enough for the sandbox to answer, and never written to a scaffold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from samspil.scaffold import rest, soap
from samspil.scaffold.openapi import OpenApi
from samspil.scaffold.text import supposed
from samspil.scaffold.wsdl import Wsdl
from samspil.yamlfile import TODO


class _Open(yaml.SafeLoader):
    """Reads an open decision as None."""


_Open.add_constructor(TODO, lambda _loader, _node: None)


def provisional(file: Path) -> str:
    """The text of a ``connector.yaml`` in which every open decision is supposed; what is decided stays as it is."""
    given: dict[str, Any] = yaml.load(file.read_bytes(), Loader=_Open)  # noqa: S506 - a SafeLoader
    return yaml.safe_dump(_laid(_supposed(file.parent, given), given), allow_unicode=True, sort_keys=False)


def _supposed(folder: Path, given: dict[str, Any]) -> Any:
    if given["kind"] == "drop":
        reading = {"files": "Eksempel_{date}.csv", "encoding": "utf-8", "complete": "renamed", "oldest": 72}
        schemas = {
            name: {"key": one["list"]["columns"][0]["name"], "list": reading} for name, one in given["schemas"].items()
        }
        return {"folder": "ud", "schemas": schemas}
    records = {name: one["record"] for name, one in given["schemas"].items()}
    if given["kind"] == "rest":
        contract = given.get("openapi") or "openapi.yaml"
        return yaml.safe_load(rest.declaration(OpenApi(folder / contract), contract, records, supposed))
    return yaml.safe_load(soap.declaration(Wsdl(folder / given["wsdl"]), records, "", supposed))


def _laid(supposition: Any, given: Any) -> Any:
    """What is decided, with the supposition where something is open."""
    if given is None:
        return supposition
    if isinstance(given, dict) and isinstance(supposition, dict) and _open(given):
        laid = {name: _laid(supposition.get(name), value) for name, value in given.items()}
        return {"values": supposition["values"], **laid} if "values" in supposition else laid  # in place of a paging
    return given


def _open(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(_open(inner) for inner in value.values()))
