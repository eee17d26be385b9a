"""The installed program: pipes, terminals, encodings, exports and the sandboxes it serves."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

TOWN = "ringkobing_skjern"
NAME = "Ringkøbing-Skjern"
SAMSPIL = Path(sys.executable).parent / "samspil"
ROOT = Path(__file__).parents[3]


def on_a_terminal(*words, columns=100, stdout=None):
    """Run the program with its error stream on a terminal, and its output too unless it goes elsewhere."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    started = subprocess.Popen(
        [SAMSPIL, *words], stdout=stdout or theirs, stderr=theirs, stdin=theirs, env=environment, cwd=ROOT
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the last of the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return started.wait(), shown.decode()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_on_a_pipe_nothing_is_cut_folded_or_coloured(town_on_sqlite, program):
    done = program("plan", TOWN, "--limit", "2", COLUMNS="80")
    assert (0, b"") == (done.returncode, done.stderr)
    text = done.stdout.decode()
    assert "\x1b" not in text
    assert "…" not in text.replace("… and", "")
    assert [] == [line for line in text.splitlines() if line != line.rstrip()]
    line = next(line for line in text.splitlines() if line.startswith("create"))
    assert line.count(" · ") > 15  # a whole order in one line


def test_on_a_terminal_tables_fit_a_hundred_columns(town_on_sqlite):
    for words in (("apply", TOWN), ("runs", TOWN), ("quarantine", "list", TOWN), ("plan", TOWN)):
        code, shown = on_a_terminal(*words)
        assert 0 == code
        lines = [line for part in plain(shown).split("\r\n") for line in part.split("\r")]
        tables = [line for line in lines if not re.match(r"Look|Mended|Nothing|Held|\d+ records", line)]
        assert max(map(len, tables)) <= 100, words
        assert any("jobcenter-course_order-journal" in line for line in lines), words  # whole, to be copied


def test_progress_is_on_the_terminal_and_not_in_the_output(town_on_sqlite, tmp_path):
    with (tmp_path / "out").open("wb") as file:
        code, shown = on_a_terminal("plan", TOWN, "--limit", "0", stdout=file)
    assert 0 == code
    assert "journal-attendance-jobcenter: reading" in plain(shown)
    assert "0:00:0" in plain(shown)
    out = (tmp_path / "out").read_text()
    assert out.startswith(f"{NAME}: what a run would do now\n")
    assert "reading" not in out


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}])
def test_danish_letters_are_right_and_no_encoding_stops_a_command(town_on_sqlite, program, locale):
    done = program("check", TOWN, **locale)
    assert 0 == done.returncode, done.stderr
    named = program("plan", TOWN, "--limit", "0", **locale)
    encoding = "latin-1" if "PYTHONIOENCODING" in locale else "utf-8"
    assert NAME in named.stdout.decode(encoding)
    page = program("mapping", "show", "jobcenter", "course_order", "--markdown", **locale)
    assert "målgruppe" in page.stdout.decode()  # a document is UTF-8 wherever it is made


def test_an_error_of_the_program_is_one_line_and_no_traceback(town_on_sqlite, program):
    done = program("plan", TOWN, SAMSPIL_KEY="geheim")
    assert (2, b"", "✗ SAMSPIL_KEY: must be 32 bytes, in base64\n") == (
        done.returncode,
        done.stdout,
        done.stderr.decode(),
    )


def test_a_reader_that_stops_reading_is_no_fault(town_on_sqlite):
    done = subprocess.run(
        f"{shlex.quote(str(SAMSPIL))} plan {TOWN} --limit 500 | head -1",
        shell=True,
        check=False,
        capture_output=True,
        cwd=ROOT,
    )
    assert b"" == done.stderr


def test_sandboxes_are_served_with_settings_a_shell_can_read_until_they_are_stopped(program, tmp_path):
    serving = subprocess.Popen(
        [SAMSPIL, "sandbox", TOWN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    settings = {}
    for line in serving.stdout:
        name, _, value = shlex.split(line)[1].partition("=")
        settings[name] = value
        if name == "SAMSPIL_KEY":
            break
    assert "Serving Ringkøbing-Skjern. Ctrl-C stops.\n" == serving.stderr.readline()
    folder = Path(settings["SAMSPIL_STORE"].removeprefix("sqlite:///")).parent
    for words in (("check", TOWN), ("apply", TOWN), ("verify", TOWN)):
        done = program(*words, **settings)
        assert 0 == done.returncode, done.stderr
    assert [True, True] == [folder.exists(), (folder / "760.db").exists()]
    serving.send_signal(signal.SIGTERM)
    assert ("", "") == serving.communicate(timeout=30)
    assert (0, False) == (serving.returncode, folder.exists())
    assert 0 != program("check", TOWN, **settings).returncode


def test_schemas_are_listed_printed_and_written(samspil, tmp_path):
    listed = samspil("schemas")
    assert "course_order" in listed.rows("Shared schemas")
    printed = json.loads(samspil("schemas", "attendance").out)
    Draft202012Validator.check_schema(printed)
    assert f"13 schemas in {tmp_path}/all\n" == samspil("schemas", "--out", f"{tmp_path}/all").out
    assert printed == json.loads((tmp_path / "all" / "attendance.json").read_text())
    samspil("schemas", "attendance", "--out", f"{tmp_path}/one")
    assert ["attendance.json"] == [file.name for file in (tmp_path / "one").iterdir()]
    assert 2 == samspil("schemas", "--out", "/proc/no").code


def test_pools_are_what_airflow_imports(town_on_sqlite, samspil):
    pools = json.loads(samspil("pools").out)
    assert {f"system_{TOWN}_{system}" for system in ("jobcenter", "journal", "star")} == set(pools)
    assert {"slots", "description", "include_deferred"} == set(pools[f"system_{TOWN}_star"])


STAR = """\
# star: Activity ↔ activity

Version {version}

| Their field | Required | Our field | Dansk | Conversion | Code list | Note |
| --- | --- | --- | --- | --- | --- | --- |
| ExternalIdentifier | yes | id | aktivitetens nøgle | text |  |  |
| PersonCivilRegistrationIdentifier | yes | cpr | personnummer | cpr |  |  |
| ActivationTypeIdentifier.CodeListItemIdentifier | yes | kind | aktivitetstype | code: 10 → guidance; 20 → education; \
25 → stu; 30 → placement; 40 → wage-subsidy; 50 → mentor; 60 → resource-course; 61 → job-clarification; \
70 → rehabilitation | activity_kind |  |
| ActivityTitle | yes | title | tilbud | text |  |  |
| ProductionUnitIdentifier | yes | provider | leverandørens P-nummer | text |  |  |
| StartDate | yes | start | startdato | date |  |  |
| EndDate |  | end | slutdato | date |  |  |
| HoursPerWeek | yes | hours_per_week | timer pr. uge | decimal_point |  |  |
| CaseWorkerName |  | case_worker | sagsbehandler | text |  |  |

For the one: ________________  Date: ____________

For the other: ________________  Date: ____________
"""


def test_a_small_mapping_as_the_page_to_sign(samspil):
    answer = samspil("mapping", "show", "star", "activity", "--markdown")
    version = re.search(r"^Version ([0-9a-f]{32})$", answer.out, re.MULTILINE)[1]
    assert (0, STAR.format(version=version)) == (answer.code, answer.out)


def test_a_mapping_as_a_table_with_what_is_lost_and_why_and_nothing_cut_off(samspil):
    wide = samspil("mapping", "show", "jobcenter", "course_order").out
    assert wide.startswith("jobcenter: Bestilling ↔ course_order\n")
    for words in ("Maalgruppe", "målgruppe", "target_group, code: 6.1 → 1", "not exchanged: internal to the jobcenter"):
        assert words in wide


@pytest.mark.parametrize("columns", [80, 100])
def test_a_mapping_on_a_terminal_is_folded_and_not_cut(columns):
    code, shown = on_a_terminal("mapping", "show", "jobcenter", "course_order", columns=columns)
    assert 0 == code
    assert "…" not in shown
    assert max(map(len, plain(shown).split("\r\n"))) <= columns


def test_a_mapping_with_a_municipalitys_own_rows_takes_its_name_or_its_digits(town_on_sqlite, samspil):
    shown = [samspil("mapping", "show", "jobcenter", "attendance", "--municipality", name) for name in (TOWN, "760")]
    assert 0 == shown[0].code
    assert shown[0] == shown[1]
    assert 2 == samspil("mapping", "show", "jobcenter", "attendance", "--municipality", "nowhere").code


def test_a_full_disk_behind_the_output_is_no_fault_of_ours():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([SAMSPIL, "schemas"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "No space left on device" in done.stderr) == (1, True)
    assert "a fault in Samspil" not in done.stderr
