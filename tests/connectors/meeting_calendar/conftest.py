"""Two departments' calendars of one municipality on real sockets, and a hub between them."""

from __future__ import annotations

import textwrap

import msgspec
import pytest

from connectors.meeting_calendar.sandbox import MeetingCalendarSandbox
from samspil import flow as steps
from samspil import registry
from samspil.hub import Hub
from samspil.testing.world import World

FLOW = "centre-meeting-office"
MUNICIPALITY = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      centre: {connector: meeting_calendar, connection: c_centre}
      office: {connector: meeting_calendar, connection: c_office}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [centre, office]
        purpose: follow-up on the course that was ordered
        legal_basis: an example
        flows:
          - schema: meeting
            from: centre
            to: office
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {centre: [id, cpr, order_id, kind, held_at, participants, minutes]}
"""


@pytest.fixture(scope="session")
def world():
    return World("760", citizens=90)


@pytest.fixture
def sandbox(world):
    with MeetingCalendarSandbox(world) as started:
        yield started


@pytest.fixture
def connect(sandbox):
    made = []

    def connector(**extra):
        account = msgspec.structs.replace(sandbox.account, extra={**sandbox.account.extra, "attempts": 1, **extra})
        made.append(registry.connector("meeting_calendar")(account))
        return made[-1]

    yield connector
    for one in made:
        one.close()


class Exchange:
    """The centre's calendar is read, the office's is written."""

    def __init__(self, file, centre, office):
        self.file, self.centre, self.office = file, centre, office
        file.write_text(textwrap.dedent(MUNICIPALITY))

    def night(self, number):
        """The whole flow, each step in a hub of its own."""
        self.centre.to_night(number)
        accounts = {"c_centre": self.centre.account, "c_office": self.office.account}
        run = None
        for step in (steps.plan, steps.guard, steps.deliver, steps.reconcile):
            with Hub.open(self.file, lambda name: msgspec.structs.replace(accounts[name], id=name)) as hub:
                result = step(hub, FLOW, f"night {number}") if run is None else step(hub, run)
                run = run or result
        return result


@pytest.fixture
def exchange(store_url, master_key, monkeypatch, tmp_path, world):
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    with MeetingCalendarSandbox(world) as centre, MeetingCalendarSandbox(world) as office:
        yield Exchange(tmp_path / "ringkobing.yaml", centre, office)
