"""What passed on which version: the file that ``pytest --samspil-results FILE`` writes, one entry for each connector."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec

import samspil
from samspil import registry
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.mapping import mapping

FILE = "conformance.json"  # beside the connectors' folders


class Result(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One run of the kit on one connector. A promise passed if it did for every schema; ``apart`` do not concern it."""

    engine: str
    digest: str  # of the connector's folder and its mappings, in hex
    date: str
    passed: list[str] = []
    failed: list[str] = []
    skipped: list[str] = []
    apart: list[str] = []

    @classmethod
    def of(cls, digest: str, outcomes: Mapping[str, set[str]], apart: list[str]) -> Result:
        """From the outcomes (passed, failed, skipped) of each promise's cases. A promise never tried is not named."""
        found: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
        for name, seen in sorted(outcomes.items()):
            found["failed" if "failed" in seen else "skipped" if "skipped" in seen else "passed"].append(name)
        today = datetime.now(UTC).date().isoformat()
        only = sorted(set(apart) - set(outcomes))
        return cls(engine=samspil.__version__, digest=digest, date=today, apart=only, **found)


def read(file: Path) -> dict[str, Result]:
    """The results by connector; none if there is no such file. Raises SettingsError if it is not one of ours."""
    if not file.is_file():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Result])
    except msgspec.MsgspecError:
        raise SettingsError(
            "is no file of results; write it anew with pytest --samspil-results", file=str(file)
        ) from None


def write(file: Path, results: Mapping[str, Result]) -> None:
    """Put results into the file, beside those of other connectors."""
    every = dict(sorted({**read(file), **results}.items()))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(every), indent=1) + b"\n")


def default_file() -> Path:
    """Where the repository keeps its results."""
    return next(iter(_places()), Path("connectors")) / FILE


def folder_of(name: str, connector: type[Connector]) -> Path:
    """Where a connector lies: its folder among the connectors, or that of its class."""
    found = [place / name for place in _places() if (place / name).is_dir()]
    return found[0] if found else registry.package(name) or Path(inspect.getfile(connector)).parent


def digest(name: str, connector: type[Connector], mappings: Path | None = None) -> str:
    """A digest of everything that makes the connector: its folder and its mappings."""
    state = blake2b(digest_size=16)
    for folder in (folder_of(name, connector), (mappings or mapping.folder_of(name)) / name):
        for file in _files(folder):
            state.update(f"{file.relative_to(folder)}\0".encode())
            state.update(blake2b(file.read_bytes()).digest())
    return state.hexdigest()


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def _places() -> list[Path]:
    """The folders that connectors lie in."""
    spec = importlib.util.find_spec("connectors")
    return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
