"""What one process does: a night, a replay, or a look at the store. Run in a copy (see ``chaos.process``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import stamina
from sqlalchemy import func, select

from chaos.broken import BROKEN
from chaos.helped import from_the_start
from chaos.mishaps import Mishaps
from chaos.process import Job, Tell
from samspil import flow as steps
from samspil import ledger, registry
from samspil.account import Account
from samspil.agreement import MunicipalityFile, load_municipality
from samspil.connector import Connector
from samspil.declared.rest.connector import connector as declared
from samspil.errors import SamspilError, Unavailable
from samspil.flow import pending, planning
from samspil.flow.reconciliation import Counts
from samspil.flow.replay import replay
from samspil.hub import Hub
from samspil.store import Store, quarantine, tables
from samspil.testing.plans import FILE, FLOW
from samspil.vault import Vault

SYSTEMS = Path(__file__).with_name("systems")
KEY = bytes(range(32))


class ChaosHub(Hub):
    """A hub whose systems are the two of this package."""

    classes: dict[str, type[Connector]]

    def connector(self, system: str) -> Connector:
        if system not in self._connectors:
            self._connectors[system] = self.classes[system](self._account(system))
        return self._connectors[system]


@cache
def _class(name: str) -> type[Connector]:
    return declared(SYSTEMS / f"{name}.yaml")


@cache
def _file(folder: str) -> MunicipalityFile:
    path = Path(folder) / "chaos.yaml"
    path.write_text(FILE, encoding="utf-8")
    return load_municipality(path, registry.schemas())


def prepare(folder: str, broken: str = "") -> None:
    """Import and read what all copies need; with ``broken`` the engine is broken (see ``chaos.broken``)."""
    _file(folder)
    for name in ("snapshot", "incremental", "office"):
        _class(name).fields("action_plan")
    planning._ENOUGH = 1  # noqa: SLF001
    planning._BATCH = 5  # noqa: SLF001  # a night of a dozen records then has the steps of one of thousands
    pending._CHUNK = 6  # noqa: SLF001
    if broken:
        BROKEN[broken]()
    stamina.instrumentation.set_on_retry_hooks([])  # it would print each
    stamina.set_testing(testing=True, attempts=3, cap=True)  # the same attempts, without waits


def work(job: Job, tell: Tell) -> None:
    """Do a job: ``do`` is night or replay. What it tells last is ``done``, if it came that far."""
    mishaps = Mishaps(job, tell)
    mishaps.begin()
    if job["helped"]:
        from_the_start()
    accounts = {
        name: Account(id=name, host="127.0.0.1", port=job["ports"][name], extra={"attempts": job["attempts"]})
        for name in ("centre", "office")
    }
    done: Any
    try:
        with ChaosHub(
            _file(job["folder"]), Store(job["store"], create=job["create"]), Vault(KEY, "760"), accounts.__getitem__
        ) as hub:
            hub.classes = {"centre": _class(job["reads"]), "office": _class("office")}
            done = (_night if job["do"] == "night" else _replay)(hub, job, mishaps)
    except Unavailable as error:
        tell({"unavailable": error.reason, "points": mishaps.points.count})
        return
    tell({"done": done, "points": mishaps.points.count})


def _night(hub: Hub, job: Job, mishaps: Mishaps) -> Any:
    mishaps.points.here("before plan")
    run = steps.plan(hub, FLOW, job["key"])
    mishaps.points.here("before guard")
    steps.guard(hub, run)
    mishaps.points.here("before deliver")
    steps.deliver(hub, run)
    mishaps.points.here("before reconcile")
    done = _counted(steps.reconcile(hub, run))
    return done if "keys" not in job else {**done, "seen": _look(hub, job["keys"])}


def _replay(hub: Hub, _job: Job, _mishaps: Mishaps) -> Any:
    with hub.store.transaction() as connection:
        entries = [entry for entry in quarantine.entries(connection, "760") if entry.stage == "deliver"]
    replayed = replay(hub, FLOW, entries[::-1])
    return _counted(replayed.counts) if replayed.counts else None


def _counted(counts: Counts) -> Any:
    return {**msgspec.to_builtins(counts), "balances": counts.balances}


def _look(hub: Hub, keys: Sequence[str]) -> Any:
    """What the store says in the end, in numbers, and which of the records of the story are held back."""
    flow = hub.flow(FLOW)
    names = {flow.key(key.encode()): key for key in keys}
    with hub.store.transaction() as connection:
        entries = quarantine.entries(connection, "760")
        status = func.count().label("n")
        receipts = connection.execute(select(tables.receipts.c.status, status).group_by(tables.receipts.c.status))
        by_status = {str(row.status): row.n for row in receipts}
        linked = connection.execute(select(func.count()).where(tables.links.c.state == tables.DELIVERED)).scalar_one()
        try:
            ledger.verify(connection, "760", hub.vault.signer().public_key())
            whole = True
        except SamspilError:
            whole = False
        written: Counter[int] = Counter()
        for batch in ledger.batches(connection, "760"):
            if b'"what":"write"' in batch.context:
                written.update(entry.outcome for entry in batch.unpack())
    return {
        "held": sorted((names.get(bytes(entry.key), "?"), entry.stage) for entry in entries),
        "accepted": by_status.get(str(tables.ACCEPTED), 0),
        "linked": linked,
        "ledger": whole,
        "entered": written[tables.ACCEPTED],
    }
