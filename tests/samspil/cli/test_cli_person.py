"""A data protection officer's day: what is held about a person, erasing it, retention; the number is never an argument."""

import io

import pytest

TOWN = "ringkobing_skjern"
ATTENDANCE = "journal-attendance-jobcenter"


@pytest.fixture
def cpr(town_on_sqlite, samspil, tmp_path):
    """A file with the number of somebody of whom records were sent."""
    assert 0 == samspil("apply", TOWN, "--flow", ATTENDANCE).code
    sent = town_on_sqlite.held()["jobcenter attendance"]
    numbers = {record["id"]: record["cpr"] for record in town_on_sqlite.world.records("attendance")}
    file = tmp_path / "cpr"
    file.write_text(f"{numbers[min(sent)]}\n")
    return file


def test_everything_held_and_sent_is_listed_without_the_records(town_on_sqlite, samspil, cpr):
    answer = samspil("person", "show", TOWN, "--why", "case 1", "--cpr-file", str(cpr))
    assert (0, "") == (answer.code, answer.err)
    for words in ("held here", "what was done", "on what ground", "sent", "journal", "jobcenter", "hours", "--data"):
        assert words in answer.out
    assert cpr.read_text().strip() not in answer.out
    again = samspil("person", "show", TOWN, "--why", "case 1", "--cpr-file", str(cpr), "--data")
    assert "shown to a person here" in again.out
    assert cpr.read_text().strip() in again.out


def test_erased_means_erased(town_on_sqlite, samspil, cpr):
    answer = samspil("person", "erase", TOWN, "--why", "case 2", "--who", "A. Jensen", "--cpr-file", str(cpr), "--yes")
    assert (0, "") == (answer.code, answer.err)
    for words in ("Destroyed, with the person's key", "must be told (GDPR article 19)", "jobcenter"):
        assert words in answer.out
    assert cpr.read_text().strip() not in answer.out
    assert 0 == samspil("verify", TOWN).code
    answer = samspil("apply", TOWN, "--flow", ATTENDANCE)
    assert int(answer.rows(next(iter(answer.out.splitlines())))[ATTENDANCE]["blocked"]) > 0
    assert "was erased" in samspil("person", "show", TOWN, "--why", "case 2", "--cpr-file", str(cpr)).out
    answer = samspil("person", "erase", TOWN, "--why", "case 2", "--cpr-file", str(cpr), "--yes")
    assert (1, "") == (answer.code, answer.out)


def test_the_number_is_asked_for_or_read_from_the_standard_input(town_on_sqlite, samspil, cpr, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(cpr.read_text()))
    answer = samspil("person", "show", TOWN, "--why", "case 1", "--cpr-file", "-")
    assert "held here" in answer.out
    monkeypatch.setattr("typer.prompt", lambda *_, **options: cpr.read_text() if options["hide_input"] else "")
    assert "held here" in samspil("person", "show", TOWN, "--why", "case 1").out


@pytest.mark.parametrize("command", ["show", "erase"])
def test_the_number_as_an_argument_is_not_taken_and_a_reason_is_needed(town_on_sqlite, samspil, command):
    assert 2 == samspil("person", command, TOWN, "6201900001", "--why", "x").code
    answer = samspil("person", command, TOWN, "--why", " ")
    assert (2, "") == (answer.code, answer.out)


def test_without_a_yes_nothing_is_erased(town_on_sqlite, samspil, cpr, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert 1 == samspil("person", "erase", TOWN, "--why", "x", "--cpr-file", str(cpr)).code
    assert "held here" in samspil("person", "show", TOWN, "--why", "x", "--cpr-file", str(cpr)).out


def test_what_is_no_number_is_told_without_showing_it(town_on_sqlite, samspil, tmp_path):
    (tmp_path / "cpr").write_text("9901900001")
    answer = samspil("person", "show", TOWN, "--why", "x", "--cpr-file", str(tmp_path / "cpr"))
    assert (2, "✗ the number given: is not a CPR number (bad-cpr)\n") == (answer.code, answer.err)


def test_retention_counts_and_changes_nothing_without_apply(town_on_sqlite, samspil, cpr):
    answer = samspil("retention", TOWN)
    assert 0 == answer.code
    assert "No agreement sets a time" in answer.out
    town_on_sqlite.edit("    purpose:", "    retention: {years: 5}\n    purpose:")
    answer = samspil("retention", TOWN)
    assert "to be destroyed" in answer.out
    assert 2 == samspil("retention", TOWN, "--apply").code
    answer = samspil("retention", TOWN, "--apply", "--why", "yearly")
    assert (0, "") == (answer.code, answer.err)
    assert "destroyed" in answer.out
