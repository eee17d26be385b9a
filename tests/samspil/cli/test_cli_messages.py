"""What a user gets wrong, and what the command line says then: one line, a place, a next step, an exit code."""

import base64
import os
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from samspil.cli import app, failure
from samspil.errors import AccessError, GuardTripped, Refused, SettingsError, Unavailable

TOWN = "ringkobing_skjern"
ATTENDANCE = "journal-attendance-jobcenter"


def commands(group: typer.Typer, *names: str) -> list[tuple[str, ...]]:
    here = [(*names, each.name or each.callback.__name__) for each in group.registered_commands]
    below = [words for each in group.registered_groups for words in commands(each.typer_instance, *names, each.name)]
    return here + below


def test_every_command_has_help_with_an_example(samspil):
    there = commands(app)
    assert {("plan",), ("apply",), ("quarantine", "show"), ("mapping", "show")} <= set(there)
    for words in there:
        answer = samspil(*words, "--help")
        assert 0 == answer.code
        assert f"Example: samspil {' '.join(words)}" in " ".join(answer.out.split()), words


@pytest.mark.parametrize("words", [(), ("quarantine",), ("mapping",)])
def test_without_a_command_the_commands_are_listed(samspil, words):
    assert "Commands" in samspil(*words).out


def test_the_version_is_told(samspil):
    assert samspil("--version").out.startswith("samspil 0.")


def test_a_check_says_what_is_fine_and_what_comes_next(town_on_sqlite, samspil):
    answer = samspil("check", TOWN)
    assert (0, "") == (answer.code, answer.err)
    for words in ("✓ jobcenter", "✓ journal", "✓ star", "8 of 8 flows", f"Next: samspil plan {TOWN}"):
        assert words in answer.out


def test_a_check_warns_of_a_certificate_that_runs_out_soon(town_on_sqlite, samspil):
    star = town_on_sqlite.sandboxes["star"]
    file = Path(star.account.extra["certificate"])
    star.certificates.client(file.stem, "Kommunen", left=timedelta(days=12))  # in the place of the one that lives long
    answer = samspil("check", TOWN)
    assert 0 == answer.code
    assert f"! star: certificate {file} runs out on " in answer.err
    assert "in 11 days" in answer.err


def test_a_check_goes_on_after_a_system_that_fails_and_ends_with_its_code(town_on_sqlite, samspil, monkeypatch):
    town_on_sqlite.sandboxes["star"].stop()
    answer = samspil("check", TOWN)
    assert 4 == answer.code
    assert "7 of 8 flows" in answer.out
    assert "✗ star: " in answer.err
    assert "run the command again later" in answer.err
    monkeypatch.delenv("AIRFLOW_CONN_RINGKOBING_SKJERN_JOURNAL")
    answer = samspil("check", TOWN)
    assert 2 == answer.code  # waiting would not help
    assert "set AIRFLOW_CONN_RINGKOBING_SKJERN_JOURNAL" in answer.err
    assert "✓ jobcenter" in answer.out


def test_a_refused_login_has_its_own_code(town_on_sqlite, samspil, monkeypatch):
    name = "AIRFLOW_CONN_RINGKOBING_SKJERN_JOBCENTER"
    wrong = os.environ[name].replace('"password": "', '"password": "x')
    assert wrong != os.environ[name]
    monkeypatch.setenv(name, wrong)
    answer = samspil("check", TOWN)
    assert 3 == answer.code
    assert "renew the account's access" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "ringkobing"), "did you mean ringkobing_skjern?"),
        (("plan", "nowhere"), "no such municipality; there are: ringkobing_skjern"),
        (("plan", TOWN, "--flow", "x"), "no such flow; there are: jobcenter-course_order-journal"),
        (("quarantine", "list", TOWN, "--flow", "x"), "no such flow; there are: jobcenter-course_order-journal"),
        (("mapping", "show", "x", "course_order"), "no such connector; there are"),
        (("mapping", "show", "jobcenter", "x"), "no such schema; there are"),
        (("mapping", "show", "star", "attendance"), "neither gives nor takes attendance; it has activity"),
        (("schemas", "x"), "no such schema; there are"),
        (("sandbox", "nowhere"), "no such municipality"),
        (("approve", TOWN, "7", "--why", " "), "say why"),
        (("quarantine", "show", TOWN, "7", "--why", ""), "say why"),
        (("approve", TOWN, str(2**40), "--why", "x"), "less than or equal"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_there_is(town_on_sqlite, samspil, words, said):
    answer = samspil(*words)
    assert (2, "") == (answer.code, answer.out)
    assert said in " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("approve", TOWN, "7", "--why", "x"), f"there is no run 7: samspil runs {TOWN}"),
        (("refuse", TOWN, "7", "--why", "x"), f"there is no run 7: samspil runs {TOWN}"),
        (("quarantine", "show", TOWN, "7", "--why", "x"), f"no open entry 7: samspil quarantine list {TOWN}"),
        (("quarantine", "drop", TOWN, "7", "--why", "x"), f"no open entry 7: samspil quarantine list {TOWN}"),
        (("quarantine", "replay", TOWN, "7"), f"no open entry 7: samspil quarantine list {TOWN}"),
        (("verify", TOWN), "there is no ledger to check"),
    ],
)
def test_a_number_that_is_not_there_is_told_with_where_to_look(town_on_sqlite, samspil, words, said):
    answer = samspil(*words)
    assert (1, "") == (answer.code, answer.out)
    assert said in answer.err
    assert 1 == answer.err.count("\n")


def test_a_mistake_in_the_municipalitys_file_is_one_line_with_file_line_and_field(town_on_sqlite, samspil):
    town_on_sqlite.edit("protected_addresses: withheld", "protected_addresses: hidden")
    answer = samspil("plan", TOWN)
    at = next(
        n for n, line in enumerate(town_on_sqlite.file.read_text().splitlines(), 1) if "protected_addresses: h" in line
    )
    field = "agreements[0].flows[0].protected_addresses"
    assert f"✗ {town_on_sqlite.file}:{at}: {field}: write withheld or sent\n" == answer.err
    assert (2, "") == (answer.code, answer.out)


@pytest.mark.parametrize(
    ("name", "value", "code", "said"),
    [
        ("SAMSPIL_KEY", "", 2, "no master key: set SAMSPIL_KEY"),
        ("SAMSPIL_KEY", "short", 2, "must be 32 bytes"),
        ("SAMSPIL_STORE", "store", 2, "is not a database's URL"),
        ("SAMSPIL_STORE", "mysql://u:geheim@h/x", 2, "is not a database's URL"),
        ("SAMSPIL_STORE", "postgresql://u:geheim@h:x/x", 2, "is not a database's URL"),
        (
            "SAMSPIL_STORE",
            "postgresql://u:geheim@127.0.0.1/x?bogus=1",
            2,
            "an option that PostgreSQL's client does not know",
        ),
        ("SAMSPIL_STORE", "postgresql://u:geheim@127.0.0.1:1/x", 4, "the store does not answer"),
        ("SAMSPIL_STORE", "sqlite:////proc/no/store.db", 2, "the folder cannot be made"),
        ("SAMSPIL_MUNICIPALITIES", "/nowhere", 2, "set SAMSPIL_MUNICIPALITIES"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_is_shown(town_on_sqlite, samspil, monkeypatch, name, value, code, said):
    monkeypatch.setenv(name, value)
    answer = samspil("apply", TOWN)
    assert (code, "") == (answer.code, answer.out)
    assert said in answer.err
    assert "geheim" not in answer.err


@pytest.mark.parametrize("command", ["runs", "apply"])
def test_a_file_that_is_no_database_is_told(town_on_sqlite, samspil, monkeypatch, tmp_path, command):
    file = tmp_path / "store.db"
    file.write_text("this is a letter and not a database " * 100)
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{file}")
    answer = samspil(command, TOWN)
    assert (2, "✗ SAMSPIL_STORE: the file is not an SQLite database\n") == (answer.code, answer.err)


def test_another_key_than_the_stores_is_found_before_anything_is_read(town, samspil, monkeypatch):
    samspil("apply", TOWN)
    held = town.held()
    monkeypatch.setenv("SAMSPIL_KEY", base64.b64encode(bytes(32)).decode())
    for words in (("plan", TOWN), ("apply", TOWN), ("verify", TOWN)):
        answer = samspil(*words)
        assert 2 == answer.code
        assert "SAMSPIL_KEY: is not the key that the runs in this store were made with" in answer.err
    assert held == town.held()


def test_an_unexpected_error_shows_where_but_neither_its_message_nor_variables(town_on_sqlite, samspil, monkeypatch):
    from samspil.hub import Hub

    def broken(*_, **__):
        cpr = "6101570001"
        raise KeyError(cpr)

    monkeypatch.setattr(Hub, "find", broken)
    answer = samspil("plan", TOWN)
    assert (1, "") == (answer.code, answer.out)
    assert "✗ KeyError in tests/samspil/cli/test_cli_messages.py:" in answer.err
    assert "6101570001" not in answer.err
    assert "cpr" not in answer.err
    monkeypatch.setenv(failure.TRACEBACK, "1")
    assert "Traceback" in samspil("plan", TOWN).err


def test_of_several_errors_the_code_is_of_the_one_to_deal_with_first():
    settings, access = SettingsError("x"), AccessError("x", system="s")
    away, guard = Unavailable("x", system="s"), GuardTripped("x", run=1)
    assert [2, 3, 4, 5, 1, 0] == [
        failure.exit_code(errors)
        for errors in (
            [guard, away, access, settings],
            [guard, away, access],
            [guard, away],
            [Refused("x"), guard],
            [Refused("x")],
            [],
        )
    ]
