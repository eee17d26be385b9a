"""An exchange to run nights on: a jobcenter and an education centre's journal as sandboxes on real sockets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from connectors.jobcenter.sandbox import JobcenterSandbox
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil import flow as steps
from samspil.account import Account
from samspil.flow import Counts
from samspil.hub import Hub
from samspil.testing.world import World

MUNICIPALITY = """
    municipality: {{code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}}
    systems:
      jobcenter: {{connector: jobcenter, connection: t_jobcenter}}
      journal: {{connector: journal_rest, connection: t_journal}}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [jobcenter, journal]
        purpose: follow-up on the course that was ordered
        legal_basis: an example
        flows:
          - schema: course_order
            from: jobcenter
            to: journal
            rhythm: nightly
            only: {{provider: ["{provider}"], consent: [true]}}
            fields:
              jobcenter: [{order_fields}]
          - schema: attendance
            from: journal
            to: jobcenter
            rhythm: nightly
            fields:
              journal: [id, cpr, order_id, activity_id, date, status, hours]
"""
ORDER = "jobcenter-course_order-journal"
ATTENDANCE = "journal-attendance-jobcenter"
ORDER_FIELDS = (
    "id, cpr, given_names, family_name, address_protected, address, case_id, target_group, provider, offer, start, end, "
    "hours_per_week, consent, case_worker, contact_phone, ordered_at, goals"
)


class Exchange:
    """Two sandboxes of one small world, and a hub between them that can be opened any number of times."""

    def __init__(self, folder: Path) -> None:
        self.world = World("760", citizens=24)
        self.jobcenter = JobcenterSandbox(self.world)
        self.journal = JournalRestSandbox(self.world)
        self.accounts: dict[str, Account] = {}
        self.file = folder / "ringkobing.yaml"
        self.agree()

    def agree(self, order_fields: str = ORDER_FIELDS, **replace: str) -> None:
        """Write the municipality's file; ``replace`` changes texts in it."""
        text = textwrap.dedent(MUNICIPALITY).format(provider=self.world.provider, order_fields=order_fields)
        for old, new in replace.items():
            text = text.replace(old, new)
        self.file.write_text(text)

    def start(self) -> None:
        self.accounts = {
            "t_jobcenter": msgspec.structs.replace(self.jobcenter.start(), id="t_jobcenter"),
            "t_journal": msgspec.structs.replace(self.journal.start(), id="t_journal"),
        }

    def stop(self) -> None:
        self.jobcenter.stop()
        self.journal.stop()

    def to_night(self, night: int) -> None:
        self.jobcenter.to_night(night)
        self.journal.to_night(night)

    def hub(self, *, write: bool = True) -> Hub:
        return Hub.open(self.file, self.accounts.__getitem__, write=write)

    def run(self, flow: str, key: str) -> Counts:
        """All steps in a row, each in a hub of its own, as Airflow's tasks would."""
        with self.hub() as hub:
            run = steps.plan(hub, flow, key)
        for step in (steps.guard, steps.deliver):
            with self.hub() as hub:
                step(hub, run)
        with self.hub() as hub:
            return steps.reconcile(hub, run)

    def expected(self, schema: str, night: int = 1) -> set[str]:
        """Ids of the world's records that are not broken that night."""
        return {record["id"] for record in self.world.records(schema, night)} - set(self.world.broken(schema, night))


@pytest.fixture
def exchange(store_url: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange before its first night, on each of the store's databases."""
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    made = Exchange(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def on_sqlite(master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Exchange]:
    """The same on SQLite only, where the database makes no difference."""
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    made = Exchange(tmp_path)
    made.start()
    yield made
    made.stop()
