"""A flow from a connector to a declared drop that has the same columns, both over real SFTP."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from samspil import flow as steps
from samspil import registry
from samspil.agreement import load_municipality
from samspil.declared import declared
from samspil.flow import Counts
from samspil.hub import Hub
from samspil.store import Store
from samspil.testing.drop import DropSandbox
from samspil.vault import Vault

MUNICIPALITY = """
    municipality: {{code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}}
    systems:
      source: {{connector: {name}, connection: t_source}}
      target: {{connector: {name}, connection: t_target}}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: example
        between: [source, target]
        purpose: an example
        legal_basis: an example
        flows:
          - schema: {schema}
            from: source
            to: target
            rhythm: nightly
            protected_addresses: sent
            guard: {{changes: 100, deletions: 100, smallest_read: 0}}
            fields: {{source: [{fields}]}}
"""


class DropFlow:
    """From ``source`` to ``target``, a sandbox of the declaration given; the mapping is the source's, both ways."""

    def __init__(self, source: DropSandbox, schema: str, declaration: str, folder: Path) -> None:
        self.source, self.schema = source, schema
        path = folder / "office" / "connector.yaml"
        path.parent.mkdir()
        path.write_text(textwrap.dedent(declaration), "utf-8")
        self.target_class = declared(path)

        class Office(DropSandbox):
            folder = path.parent

        self.target = Office(source.world)
        self.accounts = {"t_source": source.start(), "t_target": self.target.start()}
        self.file, self.store = folder / "flow.yaml", f"sqlite:///{folder / 'store.db'}"
        fields = msgspec.structs.fields(registry.schema(schema))
        declared_fields = ", ".join(field.name for field in fields if field.name not in ("phone", "email"))
        text = MUNICIPALITY.format(name=source.account.id, schema=schema, fields=declared_fields)
        self.file.write_text(textwrap.dedent(text), "utf-8")

    def night(self, night: int) -> Counts:
        """A whole night, each step in a hub of its own."""
        self.source.to_night(night)
        flow = f"source-{self.schema}-target"
        with self._hub() as hub:
            run = steps.plan(hub, flow, f"night {night}")
        for step in (steps.guard, steps.deliver):
            with self._hub() as hub:
                step(hub, run)
        with self._hub() as hub:
            return steps.reconcile(hub, run)

    @property
    def held(self) -> set[str]:
        """Ids of what the target holds."""
        return set(self.target.held(self.schema))

    def expected(self, night: int) -> set[str]:
        world = self.source.world
        return {fact["id"] for fact in world.records(self.schema, night)} - set(world.broken(self.schema, night))

    def _hub(self) -> Hub:
        target_class = self.target_class

        class TestHub(Hub):
            def connector(self, system: str) -> Any:
                if system != "target":
                    return super().connector(system)
                if system not in self._connectors:
                    self._connectors[system] = target_class(self._account("t_target"))
                return self._connectors[system]

        file = load_municipality(self.file, registry.schemas())
        return TestHub(file, Store(self.store), Vault(bytes(range(32)), "760"), self.accounts.__getitem__)


@pytest.fixture
def drop_flow(tmp_path: Path) -> Iterator[Callable[[DropSandbox, str, str], DropFlow]]:
    """Makes flows whose sandboxes are stopped at the end."""
    made: list[DropFlow] = []

    def make(source: DropSandbox, schema: str, declaration: str) -> DropFlow:
        made.append(DropFlow(source, schema, declaration, tmp_path))
        return made[-1]

    yield make
    for flow in made:
        flow.source.stop()
        flow.target.stop()
