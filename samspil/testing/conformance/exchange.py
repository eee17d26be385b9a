"""A flow between the subject and a system of the kit's own: a municipality's file, a store, keys and a ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import msgspec
from msgspec.structs import replace

from samspil import flow as steps
from samspil import mapping, registry
from samspil.account import Account
from samspil.agreement import load_municipality
from samspil.connector import Connector
from samspil.flow import Counts
from samspil.hub import Hub
from samspil.store import Store
from samspil.testing.conformance import plain
from samspil.testing.conformance.counterpart import Giver, Taker
from samspil.testing.conformance.trial import Trial
from samspil.vault import Vault

_MASTER = bytes(range(32))
_FILE: dict[str, Any] = {"schedule": "0 2 * * *", "deadline": "06:00"}


class _KitHub(Hub):
    """A hub in which the kit's system is an object."""

    others: dict[str, Connector]

    def connector(self, system: str) -> Connector:
        return self.others.get(system) or super().connector(system)


class Exchange:
    """A context manager: the subject as ``source`` or ``target`` of one flow. ``path`` is the store's file.

    ``lists`` are the fields that the agreement carries (all of the schema), ``guard`` its limits in percent.
    """

    def __init__(
        self,
        trial: Trial,
        schema: str,
        role: Literal["source", "target"],
        *,
        lists: Sequence[str] = (),
        guard: float = 100,
        master: bytes = _MASTER,
    ) -> None:
        self.trial, self.schema, self.role = trial, schema, role
        self._struct = registry.schema(schema)
        names = [field.name for field in msgspec.structs.fields(self._struct)]
        self._lists = list(lists or names)
        self._guard, self._master = guard, master
        self._folder = tempfile.TemporaryDirectory(prefix="kit-")
        self.path = Path(self._folder.name, "store.db")
        self.taker = Taker(schema)
        self.giver = Giver(schema, self._plain_records)
        self.subject: type[Connector] = trial.subject.connector
        self.flow = f"subject-{schema}-other" if role == "source" else f"other-{schema}-subject"
        self._nights = 0

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        plain.write_mapping(self._struct, folder / "plain", self.schema)
        source, target = ("subject", "other") if self.role == "source" else ("other", "subject")
        flow: dict[str, Any] = {"schema": self.schema, "from": source, "to": target, "rhythm": "nightly"}
        flow |= {
            "fields": {source: self._lists},
            "guard": {"changes": self._guard, "deletions": self._guard, "smallest_read": 0},
        }
        terms = {"name": "kit", "between": ["subject", "other"], "purpose": "a trial", "legal_basis": "an example"}
        municipality = {"code": self.trial.subject.municipality, "name": "Prøve", "cvr": "29189609"}
        systems = {name: {"connector": "kit", "connection": f"kit_{name}"} for name in ("subject", "other")}
        document = {
            "municipality": municipality,
            "systems": systems,
            **_FILE,
            "agreements": [{**terms, "flows": [flow]}],
        }
        (folder / "kit.yaml").write_bytes(msgspec.yaml.encode(document))
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    def hub(self) -> Hub:
        """The municipality's hub, opened."""
        folder, subject = Path(self._folder.name), self.trial.subject
        file = load_municipality(folder / "kit.yaml", registry.schemas())
        places = {"subject": subject.mappings / subject.name, "other": folder / "plain"}  # a folder is found as it is
        systems = {name: replace(use, connector=str(places[name])) for name, use in file.systems.items()}
        hub = _KitHub(
            replace(file, systems=systems),
            Store(f"sqlite:///{self.path}"),
            Vault(self._master, file.municipality.code),
            lambda name: Account(id=name),
        )
        mine = self.trial.connector()
        hub.others = {"subject": mine, "other": self.taker if self.role == "source" else self.giver}
        return hub

    def night(self) -> Counts:
        """A whole night: plan, guard, deliver, reconcile."""
        with self.hub() as hub:
            run = self.plan(hub)
            steps.guard(hub, run)
            steps.deliver(hub, run)
            return steps.reconcile(hub, run)

    def plan(self, hub: Hub) -> int:
        """Plan a run of the next night."""
        self._nights += 1
        return steps.plan(hub, self.flow, f"night {self._nights}")

    @property
    def stored(self) -> bytes:
        """Every byte of the store, as it lies on the disk."""
        return b"".join(file.read_bytes() for file in sorted(self.path.parent.glob("store.db*")))

    def _plain_records(self) -> list[dict[str, Any]]:
        """The world's facts in the kit's system's words."""
        struct: Any = self._struct
        folder = Path(self._folder.name)
        loaded = mapping.load(str(folder / "plain"), self.schema, fields=plain.fields(struct), struct=struct)
        to_theirs = loaded.to_theirs(struct.__struct_fields__)
        facts = self.trial.world.records(self.schema, self.trial.night)
        return [to_theirs(msgspec.convert(fact, struct)) for fact in facts]
