"""A system that has fewer codes than we have is tried like any other."""

import shutil

import pytest

from connectors.journal_rest.sandbox import JournalRestSandbox
from connectors.meeting_calendar.sandbox import MeetingCalendarSandbox
from samspil.mapping.mapping import FOLDER
from samspil.testing.conformance import Subject, cases
from samspil.testing.conformance.trial import Trial
from samspil.testing.spoken import Spoken

CODED = ("FOLLOW_UP: follow-up", "JOB_TALK: job-talk", "REHABILITATION: rehabilitation-team", "NETWORK: network")


@pytest.fixture
def subject(tmp_path):
    """The meeting calendar, with a mapping that knows two kinds of meeting."""
    shutil.copytree(FOLDER / "meeting_calendar", tmp_path / "meeting_calendar")
    file = tmp_path / "meeting_calendar" / "meeting.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if line.strip() not in CODED), encoding="utf-8")
    return Subject("meeting_calendar", MeetingCalendarSandbox, mappings=tmp_path)


def test_its_world_says_only_what_it_can_say(subject):
    with Trial(subject) as trial:
        shown = {fact["kind"] for fact in trial.world.records("meeting")}
        assert shown == {"start", "status"}


def test_it_keeps_the_promises_of_reading_writing_and_both_ways(subject, problems):
    groups = {"reading", "writing", "mapping", "two_way"}
    wanted = [case for case in cases(subject)[0] if case.promise.group in groups]
    assert {case.promise.group for case in wanted} == groups
    assert problems(wanted) == {}


def test_who_has_all_codes_is_told_the_facts_as_they_are():
    spoken = Spoken(Subject("meeting_calendar", MeetingCalendarSandbox).mapping("meeting"))
    fact = {"kind": "network", "participants": ["Netværket"], "minutes": None}
    assert spoken(fact) is fact


def test_codes_within_lists_are_said_too(tmp_path):
    shutil.copytree(FOLDER / "journal_rest", tmp_path / "journal_rest")
    file = tmp_path / "journal_rest" / "action_plan.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("SETBACK: setback", "").replace(", , ", ", "), encoding="utf-8")
    spoken = Spoken(Subject("journal_rest", JournalRestSandbox, mappings=tmp_path).mapping("action_plan"))
    told = spoken({"goals": [{"status": "setback", "sub_goals": [{"status": "setback"}, {"status": "reached"}]}]})
    (goal,) = told["goals"]
    assert "setback" not in {goal["status"], goal["sub_goals"][0]["status"]}
    assert goal["sub_goals"][1] == {"status": "reached"}
