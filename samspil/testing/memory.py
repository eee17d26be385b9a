"""Two systems in memory with a hub between them, opened for each step, and killed between any two transactions."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import event

from samspil import flow as steps
from samspil import registry
from samspil.account import Account
from samspil.agreement import load_municipality
from samspil.connector import Connector
from samspil.hub import Hub
from samspil.store import Store
from samspil.vault import Master, Vault


class Killed(BaseException):
    """As if the process had ended here."""


class MemoryHub(Hub):
    """A hub whose systems are objects."""

    systems: Mapping[str, Connector]

    def connector(self, system: str) -> Connector:
        """The object itself."""
        return self.systems[system]


class Memory:
    """A municipality's file, a store and the systems by their names in the file.

    ``kill_in`` is after how many beginnings and endings of transactions the process is killed.
    """

    Killed = Killed

    def __init__(self, file: Path, url: str, **systems: Connector) -> None:
        self.file, self.url, self._systems = file, url, systems
        self.master = Master({1: bytes(range(32))})
        self.kill_in: float = math.inf

    def write(self, text: str, replace: Mapping[str, str]) -> None:
        """Write the municipality's file; ``replace`` changes texts in it, each of which must be there."""
        text = textwrap.dedent(text)
        for old, new in replace.items():
            assert old in text, old  # noqa: S101  # else a test would try nothing
            text = text.replace(old, new)
        self.file.write_text(text)

    def hub(self) -> MemoryHub:
        """The hub, opened anew as each of Airflow's tasks would."""
        file = load_municipality(self.file, registry.schemas())
        code = file.municipality.code
        hub = MemoryHub(file, Store(self.url), Vault(self.master, code), lambda name: Account(id=name))
        hub.systems = self._systems
        for moment in ("begin", "commit"):
            event.listen(hub.store.engine, moment, self._kill)
        return hub

    def step(self, name: str, *arguments: Any) -> Any:
        """One step in a hub of its own."""
        with self.hub() as hub:
            return getattr(steps, name)(hub, *arguments)

    def _kill(self, _connection: object) -> None:
        self.kill_in -= 1
        if self.kill_in == 0:
            raise Killed
