"""A target that is down for three nights, on a real socket, while another flow of the same source goes on."""

from __future__ import annotations

import math
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.jobcenter.sandbox import JobcenterSandbox
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil import flow as steps
from samspil.account import Account
from samspil.breaker import FAILURES
from samspil.errors import Unavailable
from samspil.hub import Hub
from samspil.ledger import verify
from samspil.store import breakers, runs
from samspil.store.waiting import waiting
from samspil.testing.sandbox import Kept
from samspil.testing.world import World

FILE = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      down: {connector: jobcenter, connection: t_down}
      up: {connector: jobcenter, connection: t_up}
      journal: {connector: journal_rest, connection: t_journal}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - {name: one, between: [down, journal], purpose: p, legal_basis: l, flows: [FLOW-down]}
      - {name: two, between: [up, journal], purpose: p, legal_basis: l, flows: [FLOW-up]}
"""
FLOW = (
    "{schema: attendance, from: journal, to: NAME, rhythm: nightly, guard: {changes: 100, deletions: 100}, "
    "fields: {journal: [id, cpr, order_id, activity_id, date, status, hours]}}"
)
DOWN, UP = "journal-attendance-down", "journal-attendance-up"
RETRIES = 3  # of each step in a night


class Changing(World):
    """A world in which every attendance changes every night: its hours tell of which night it is."""

    def records(self, schema: str, night: int = 1) -> list[dict[str, Any]]:
        facts = super().records(schema, night)
        if schema != "attendance":
            return facts
        return [{**fact, "hours": Decimal(f"{night}.00")} for fact in facts if fact["status"] == "present"]


class Log(Kept):
    """What took effect, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.effects: list[tuple[str, str, float]] = []  # person, record, night

    def __setitem__(self, key: str, record: dict[str, Any]) -> None:
        super().__setitem__(key, record)
        self.effects.append((record["CPRnummer"], key, float(record["Timer"])))

    @property
    def by_person(self) -> dict[str, list[tuple[str, float]]]:
        found: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for person, key, night in self.effects:
            found[person].append((key, night))
        return found


class Towns:
    """One journal, two jobcenters, and the nights between them."""

    def __init__(self, folder: Path) -> None:
        world = Changing("760", citizens=12)
        self.journal = JournalRestSandbox(world)
        self.down, self.up = JobcenterSandbox(world), JobcenterSandbox(world)
        for each in (self.down, self.up):
            each.kept["attendance"] = Log()
        self.sandboxes = {"t_journal": self.journal, "t_down": self.down, "t_up": self.up}
        self.accounts: dict[str, Account] = {
            name: msgspec.structs.replace(sandbox.start(), id=name) for name, sandbox in self.sandboxes.items()
        }
        self.file = folder / "ringkobing.yaml"
        text = textwrap.dedent(FILE)
        for name in ("down", "up"):
            text = text.replace(f"FLOW-{name}", FLOW.replace("NAME", name))
        self.file.write_text(text, encoding="utf-8")

    def hub(self) -> Hub:
        return Hub.open(self.file, self.accounts.__getitem__)

    def log(self, sandbox: JobcenterSandbox) -> Log:
        kept = sandbox.kept["attendance"]
        assert isinstance(kept, Log)
        return kept

    def night(self, number: int) -> dict[str, str]:
        """Every flow as Airflow would run it: each step a process of its own, tried again; the reasons of what failed."""
        self.journal.to_night(number)
        return {flow: reason for flow in (DOWN, UP) if (reason := self._flow(flow, f"night {number}"))}

    def _flow(self, flow: str, key: str) -> str:
        run = 0
        for step in ("plan", "guard", "deliver", "reconcile"):
            for attempt in range(RETRIES):
                try:
                    with self.hub() as hub:
                        done = steps.plan(hub, flow, key) if step == "plan" else getattr(steps, step)(hub, run)
                    run = done if step == "plan" else run
                    break
                except Unavailable as error:
                    reason = error.reason
                    if attempt == RETRIES - 1:
                        return f"{step}: {reason}"
        return ""

    def pause_over(self) -> None:
        with self.hub() as hub:
            hub.try_again()


@pytest.fixture
def towns(store_url: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Towns]:
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    made = Towns(tmp_path)
    yield made
    for sandbox in made.sandboxes.values():
        sandbox.stop()


def test_a_target_down_for_three_nights_is_caught_up_in_order_while_the_other_goes_on(towns):
    towns.accounts["t_down"].extra["attempts"] = 1
    towns.down.faults.add("status:503", after=2, times=math.inf)  # in the middle of the first night's delivery
    assert towns.night(1) == {DOWN: "deliver: status-503"}
    early = list(towns.log(towns.down).effects)
    assert 0 < len(early) < len(towns.log(towns.up).effects)
    assert towns.night(2) == {DOWN: "plan: circuit-open"}
    towns.pause_over()
    assert towns.night(3) == {DOWN: "plan: circuit-open"}
    assert towns.log(towns.down).effects == early
    assert {night for *_, night in towns.log(towns.up).effects} == {1.0, 2.0, 3.0}
    with towns.hub() as hub, hub.store.transaction() as connection:
        number = runs.find_flow(connection, "760", DOWN)
        waits = waiting(connection, hub.file, hub.file.flow(DOWN), number)
        assert (waits.system, waits.changes > 0) == ("down", True)
        assert waiting(connection, hub.file, hub.file.flow(UP), runs.find_flow(connection, "760", UP)) is None
    towns.down.faults.clear()
    towns.pause_over()
    assert towns.night(4) == {}
    down, up = towns.log(towns.down), towns.log(towns.up)
    assert down == up
    assert {key: float(record["Timer"]) for key, record in down.items()} == dict.fromkeys(down, 4.0)
    for person, effects in down.by_person.items():
        nights = [night for _, night in effects]
        assert nights == sorted(nights), "an older version came after a newer one"
        assert len(effects) == len(set(effects)), "the same twice"
        first = [key for key, night in effects if night == 1.0]
        assert first == [key for key, night in up.by_person[person] if night == 1.0], "not in the order planned"
    with towns.hub() as hub, hub.store.transaction() as connection:
        assert breakers.away(connection, "760") == []
        assert verify(connection, "760", hub.vault.signer().public_key()) > 0


def test_a_target_that_is_down_is_asked_a_few_times_only(towns):
    towns.accounts["t_down"].extra["attempts"] = 1
    towns.down.faults.add("status:503", times=math.inf)
    for night in (1, 2, 3):
        assert DOWN in towns.night(night)
    assert len(towns.down.calls) == FAILURES


def test_a_pause_that_a_target_asks_for_is_kept_by_the_next_tasks_too(towns):
    towns.down.faults.add("status:429", retry_after=600)
    assert towns.night(1) == {DOWN: "deliver: circuit-open"}
    assert len(towns.down.calls) == 1
    with towns.hub() as hub, pytest.raises(Unavailable) as caught:
        steps.check(hub, "down")
    assert 540 < caught.value.retry_after <= 600
    towns.pause_over()
    assert towns.night(2) == {}
