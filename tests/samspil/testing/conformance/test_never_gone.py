"""A system whose increments never tell what was deleted: said openly, and tried for all the rest."""

import shutil

import pytest

from connectors.meeting_calendar import sandbox as calendar
from samspil.declared import declared
from samspil.testing.conformance import Subject, cases


@pytest.fixture
def subject(tmp_path):
    folder = tmp_path / "meeting_calendar"
    shutil.copytree(calendar.MeetingCalendarSandbox.folder, folder)
    file = folder / "connector.yaml"
    text = file.read_text(encoding="utf-8")
    assert "gone: {keys: deleted}" in text
    file.write_text(text.replace("gone: {keys: deleted}", "gone: never"), encoding="utf-8")

    class Sandbox(calendar.MeetingCalendarSandbox):
        pass

    Sandbox.folder = folder
    return Subject(declared(file), Sandbox, name="meeting_calendar")


def test_it_says_so_and_is_not_asked_for_it(subject):
    assert not subject.connector.reads["meeting"].tells_gone
    _, apart = cases(subject)
    assert ("what_is_gone_is_told", "no gone") in {(one.promise, one.why) for one in apart}


def test_all_other_promises_of_increments_are_kept(subject, problems):
    wanted = [case for case in cases(subject)[0] if case.promise.group == "incremental"]
    assert 8 <= len(wanted)
    assert problems(wanted) == {}
