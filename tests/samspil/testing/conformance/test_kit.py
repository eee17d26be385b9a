"""How the kit is used: subjects, skips, levels and results."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points

import msgspec
import pytest

from samspil.errors import SettingsError
from samspil.testing.conformance import Broken, Skip, Subject, cases, promises, require
from samspil.testing.conformance.levels import CHANGED, LEVELS, NONE, NOT_TRIED, level, missing
from samspil.testing.conformance.promise import GROUPS, promise
from samspil.testing.conformance.results import Result, digest, read, write
from samspil.testing.mutants.reference import Reference, reference
from samspil.testing.mutants.reference_sandbox import ReferenceSandbox


def today():
    """Asked when it is wanted: the tests may begin before midnight and end after it."""
    return datetime.now(UTC).date()


def result(**lists):
    return Result(engine="0.1.0", digest="d", date="2026-11-22", **lists)


def test_there_are_promises_in_every_group_and_each_says_what_it_is():
    assert 60 <= len(promises())
    assert set(GROUPS) == {one.group for one in promises().values()}
    assert all(one.text.endswith(".") and one.keep.__name__ == name for name, one in promises().items())


def test_a_promise_without_a_docstring_or_outside_a_group_is_refused():
    def nameless(_trial):
        require(True, "")

    with pytest.raises(ValueError, match="docstring"):
        promise()(nameless)


def test_a_broken_promise_says_what_was_wrong():
    with pytest.raises(Broken, match="no title"):
        require(False, "it has no title")


def test_what_does_not_concern_a_subject_has_a_reason():
    found, apart = cases(reference())
    assert {"an_expired_certificate_is_an_access_error"} <= {one.promise for one in apart}
    assert all(one.why for one in apart)
    assert not {(case.promise.name, case.schema) for case in found} & {(one.promise, one.schema) for one in apart}


def test_a_case_can_be_read():
    found, _ = cases(reference())
    assert "reading.keys_are_unique[assessment]" in {case.id for case in found}


@pytest.mark.parametrize(
    ("promise", "reason", "days", "problem"),
    [
        ("check_succeeds", "the vendor mends it", 30, ""),
        ("check_succeeds", "the vendor mends it", 0, ""),
        ("check_succeeds", "the vendor mends it", -1, "ran out"),
        ("check_succeeds", "the vendor mends it", 367, "at most"),
        ("check_succeeds", "the vendor mends it", 2_900_000, "at most"),
        ("check_succeeds", " ", 0, "says why"),
        ("no_such_promise", "the vendor mends it", 0, "no promise"),
    ],
)
def test_a_skip_needs_a_reason_and_a_day_that_comes(promise, reason, days, problem):
    skip = Skip(promise, reason, today() + timedelta(days=days))
    assert problem in skip.problem()
    assert bool(problem) == bool(skip.problem())


def test_a_skip_of_a_promise_that_is_none_is_told_at_once():
    skips = [Skip("no_such_promise", "the vendor mends it", today())]
    with pytest.raises(SettingsError, match="no_such_promise"):
        cases(Subject(Reference, ReferenceSandbox, name="reference", mappings=reference().mappings, skips=skips))


def test_a_level_is_what_passed_and_nothing_else():
    every = list(promises())
    groups = {one.group for one in promises().values()}
    assert groups == {group for one in LEVELS for group in one.groups}
    assert "trustworthy" == level(result(passed=every), "d")
    assert NOT_TRIED == level(None, "d")
    assert CHANGED == level(result(passed=every), "another")
    assert NONE == level(result(passed=[name for name in every if name != "it_has_a_title"]), "d")


@pytest.mark.parametrize("where", ["failed", "skipped"])
def test_one_promise_that_did_not_pass_costs_its_level(where):
    others = [name for name in promises() if name != "the_store_shows_no_person"]
    found = result(passed=others, **{where: ["the_store_shows_no_person"]})
    assert "reliable" == level(found, "d")
    assert ["the_store_shows_no_person"] == missing(found, LEVELS[-1])


def test_a_promise_that_does_not_concern_the_connector_costs_nothing():
    others = [name for name in promises() if name != "the_rate_is_kept"]
    assert "trustworthy" == level(result(passed=others, apart=["the_rate_is_kept"]), "d")


def test_a_promise_passes_if_it_does_for_every_schema():
    outcomes = {"one": {"passed"}, "two": {"passed", "failed"}, "three": {"passed", "skipped"}}
    found = Result.of("d", outcomes, ["four", "one"])
    assert (["one"], ["two"], ["three"], ["four"]) == (found.passed, found.failed, found.skipped, found.apart)


def test_results_are_kept_beside_those_of_others(tmp_path):
    file = tmp_path / "results" / "conformance.json"
    assert {} == read(file)
    write(file, {"b": result(passed=["x"])})
    write(file, {"a": result(failed=["x"])})
    assert ["a", "b"] == list(msgspec.json.decode(file.read_bytes()))
    file.write_text("{")
    with pytest.raises(SettingsError, match=r"conformance\.json"):
        read(file)


def test_the_digest_follows_the_mapping(tmp_path):
    (tmp_path / "reference").mkdir()
    before = digest("reference", Reference, tmp_path)
    (tmp_path / "reference" / "meeting.yaml").write_text("record: Meeting")
    assert before != digest("reference", Reference, tmp_path)


TEST_FILE = """
from datetime import date
from samspil.testing.conformance import Skip, Subject, conformance
from samspil.testing.mutants import mutants
from samspil.testing.mutants.reference import reference

plain = reference()
skips = [Skip("check_succeeds", "the vendor mends it", date(2020, 1, 1))]
skips.append(Skip("it_has_a_title", "the vendor names it", date({year}, 12, 31)))
test_conformance = conformance(
    Subject(plain.connector, plain.sandbox, name="reference", mappings=plain.mappings, skips=skips)
)
"""


def _plugin():
    """Nothing to say where the package's entry point is installed."""
    installed = {point.value for point in entry_points(group="pytest11")}
    return [] if "samspil.testing.plugin" in installed else ["-p", "samspil.testing.plugin"]


def test_pytest_shows_the_table_and_writes_the_results(tmp_path):
    file = tmp_path / "test_it.py"
    file.write_text(TEST_FILE.format(year=today().year))
    out = tmp_path / "results.json"
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-k",
        "check. or contract.",
        "-c",
        str(tmp_path / "x.ini"),
    ]
    (tmp_path / "x.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *_plugin(),
            *options,
            "--samspil-results",
            str(out),
            "--samspil-why",
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "the skip ran out on 2020-01-01" in done.stdout
    assert "an_expired_certificate_is_an_access_error: no expired-certificate" in done.stdout
    found = read(out)["reference"]
    assert (["check_succeeds"], ["it_has_a_title"]) == (found.failed, found.skipped)
    assert "making_one_contacts_nobody" in found.passed
    assert "keys_are_unique" not in found.passed
