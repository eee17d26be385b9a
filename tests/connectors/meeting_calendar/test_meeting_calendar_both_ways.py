"""Two calendars on real sockets that both read and write the same meetings, and a person who settles a conflict."""

import sys
import textwrap

import msgspec
import pytest

from connectors.meeting_calendar.sandbox import MeetingCalendarSandbox
from samspil import flow as steps
from samspil.cli import main
from samspil.demo.systems import _as_json
from samspil.hub import Hub
from samspil.testing.rest.shown import Record, Showing

OUT, BACK = "centre-meeting-office", "office-meeting-centre"
MUNICIPALITY = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      centre: {connector: meeting_calendar, connection: b_centre}
      office: {connector: meeting_calendar, connection: b_office}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: stu
        between: [centre, office]
        purpose: meetings about the course that was ordered
        legal_basis: an example
        flows:
          - schema: meeting
            from: office
            to: centre
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {office: [id, cpr, order_id, kind, held_at], centre: [participants, minutes]}
          - schema: meeting
            from: centre
            to: office
            rhythm: nightly
            guard: {changes: 100, deletions: 100, smallest_read: 0}
            fields: {centre: [id, participants, minutes], office: [cpr, order_id, kind, held_at]}
            after: [office-meeting-centre]
"""


class SharedCalendar(MeetingCalendarSandbox):
    """A calendar that shows what it holds: what its own users booked, and what it was sent."""

    def __init__(self, world):
        super().__init__(world)
        self.known = set()

    def _writing(self, taken, write):
        self.taken = taken
        return super()._writing(taken, write)

    def _show(self, schema, declared):
        now = self._clocks[self.night].now
        held = self.kept[schema]
        gone = sorted(self.known - held.keys())
        self.known |= held.keys()
        records = [Record(key, msgspec.json.encode(record), now) for key, record in held.items()]
        return Showing(records, [(key, now) for key in gone])

    def book(self, fact):
        """As its own users do; they know it by its reference."""
        reference = fact["id"]
        record = {"reference": reference, "citizen": {"cprNumber": fact["cpr"]}, "meetingType": "STATUS"}
        self.kept["meeting"][reference] = {**record, "startsAt": "2026-01-01T10:00:00+01:00", "attendees": ["A. B."]}
        self.taken._their_ids[reference] = reference
        return reference

    def edit(self, reference, **edits):
        self.kept["meeting"][reference] = {**self.kept["meeting"][reference], **edits}

    def shows(self):
        return dict(sorted(self.held("meeting").items()))

    def writes(self):
        return [call for call in self.calls if "meetings" in call and not call.startswith("GET")]


@pytest.fixture
def calendars(store_url, master_key, monkeypatch, tmp_path, world):
    with SharedCalendar(world) as centre, SharedCalendar(world) as office:
        for name, sandbox in (("B_CENTRE", centre), ("B_OFFICE", office)):
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", _as_json(sandbox.account))
        monkeypatch.setenv("SAMSPIL_STORE", store_url)
        monkeypatch.setenv("SAMSPIL_MUNICIPALITIES", str(tmp_path))
        (tmp_path / "town.yaml").write_text(textwrap.dedent(MUNICIPALITY), encoding="utf-8")
        facts = world.records("meeting")
        yield centre, office, centre.book(facts[0]), office.book(facts[1])


@pytest.fixture
def samspil(capsys, monkeypatch):
    def call(*words):
        monkeypatch.setattr(sys, "argv", ["samspil", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert ended.value.code in (0, None), printed.err
        return printed.out

    return call


def run(flow, key):
    with Hub.find("town") as hub:
        number = steps.plan(hub, flow, key)
    for step in (steps.guard, steps.deliver):
        with Hub.find("town") as hub:
            step(hub, number)
    with Hub.find("town") as hub:
        return steps.reconcile(hub, number)


def test_both_calendars_end_alike_and_an_echo_is_no_change(calendars):
    centre, office, ours, theirs = calendars
    assert [run(flow, "1").creates for flow in (BACK, OUT)] == [1, 1]
    assert centre.shows() == office.shows()
    centre.edit(theirs, attendees=["C. D."])
    office.edit(ours, meetingType="NETWORK")
    assert [run(flow, "2").updates for flow in (BACK, OUT)] == [1, 1]
    assert centre.shows() == office.shows()
    before = centre.writes() + office.writes()
    for flow in (BACK, OUT, BACK):
        assert run(flow, f"3 {flow} {len(centre.calls)}").receipts == 0
    assert centre.writes() + office.writes() == before
    assert [call.split()[0] for call in before] == ["POST", "PUT"] * 2


def test_a_person_settles_a_conflict_on_the_command_line(calendars, samspil):
    centre, office, ours, _ = calendars
    samspil("apply", "town")
    assert samspil("conflicts", "list", "town") == "Ringkøbing-Skjern: no conflicts\n"
    office.edit(ours, attendees=["X. Y."], meetingType="NETWORK")
    shown = samspil("plan", "town", "--flow", BACK)
    assert "conflict: participants" in shown
    assert "Y." not in shown
    samspil("apply", "town")
    assert (centre.shows()[ours]["attendees"], centre.shows()[ours]["meetingType"]) == (["A. B."], "NETWORK")
    listed = samspil("conflicts", "list", "town")
    assert "participants" in listed
    assert "not-the-owner" in listed
    assert "X. Y." not in listed
    shown = samspil("conflicts", "show", "town", "1", "--why", "case 1")
    assert "office: " in shown.split("X. Y.")[0]
    assert "A. B." in shown
    settled = samspil("conflicts", "settle", "town", "1", "--take", "office", "--who", "me", "--why", "they phoned")
    assert "what office has counts. Carry it out: samspil apply town" in settled
    samspil("apply", "town")
    assert centre.shows()[ours]["attendees"] == ["X. Y."]
    assert centre.shows() == office.shows()
    assert samspil("conflicts", "list", "town") == "Ringkøbing-Skjern: no conflicts\n"


def test_cancelled_in_one_calendar_is_cancelled_in_the_other(calendars):
    centre, office, ours, theirs = calendars
    for flow in (BACK, OUT, BACK, OUT):
        run(flow, f"1 {len(centre.calls)}")
    centre.taken.delete(ours)
    office.taken.delete(theirs)
    for flow in (BACK, OUT):
        assert run(flow, "2").deleted == 1
    assert [centre.shows(), office.shows()] == [{}, {}]
