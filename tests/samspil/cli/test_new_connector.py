"""The command that makes a connector's folder: what it makes, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from samspil.scaffold import scaffold

ROOT = Path(__file__).parents[3]
CONTRACTS = Path(__file__).parent / "contracts"
WSDL = ("--from-wsdl", str(CONTRACTS / "portal/portal.wsdl"), "--schema", "placement=Praktik")
OPENAPI = ("--from-openapi", str(CONTRACTS / "notes.yaml"), "--schema", "journal_note")
CSV = ("--csv", str(CONTRACTS / "Virksomheder_20261030.csv"), "--schema", "company")
PYTHON = ("--python", "--schema", "case=Sag")


@pytest.fixture
def new(samspil, tmp_path):
    """Run the command with a folder of its own."""

    def call(name, *words):
        return samspil("new", "connector", name, *words, "--into", str(tmp_path))

    return call


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (WSDL, {"portal.wsdl", "xsd/praktik.xsd", "xsd/numre.xsd", "connector.yaml"}),
        (OPENAPI, {"openapi.yaml", "connector.yaml"}),
        (CSV, {"connector.yaml"}),
        (PYTHON, {"connector.py"}),
    ],
)
def test_it_makes_the_folder_the_mappings_and_the_tests_and_says_what_comes_next(new, tmp_path, arguments, own):
    answer = new("other_system", *arguments)
    assert 0 == answer.code, answer.err
    schema = arguments[-1].partition("=")[0]
    expected = {f"connectors/other_system/{file}" for file in {*own, "README.md", "__init__.py", "sandbox.py"}}
    expected |= {f"mappings/other_system/{schema}.yaml", "connectors/__init__.py"}
    expected |= {"tests/connectors/other_system/test_other_system_conformance.py"}
    assert expected == set(tree(tmp_path))
    assert all(path in answer.out for path in expected - {"connectors/__init__.py"})
    assert "to decide. Next: write each decision in the place of its TODO" in answer.out


def test_a_contract_is_copied_as_it_is(new, tmp_path):
    new("portal", *WSDL)
    for name in ("portal.wsdl", "xsd/praktik.xsd", "xsd/numre.xsd"):
        assert (CONTRACTS / "portal" / name).read_bytes() == (tmp_path / "connectors/portal" / name).read_bytes()


def test_of_a_sample_file_no_row_is_kept(new, tmp_path):
    new("firms", *CSV)
    assert not [path for path, data in tree(tmp_path).items() if b"Snedkeriet" in data or b"29189609" in data]


def test_sandbox_and_tests_are_a_dozen_lines(new, tmp_path):
    for name, arguments in (("a_portal", WSDL), ("b_notes", OPENAPI), ("c_firms", CSV)):
        new(name, *arguments)
        tests = tmp_path / f"tests/connectors/{name}/test_{name}_conformance.py"
        for file in (tmp_path / f"connectors/{name}/sandbox.py", tests):
            assert len(file.read_text("utf-8").splitlines()) <= 15


def test_the_readme_asks_the_vendor_what_the_contract_does_not_say(new, tmp_path):
    new("notes", *OPENAPI)
    readme = (tmp_path / "connectors/notes/README.md").read_text("utf-8")
    asked = ("Deletions", "page", "idempotency key", "429", "Test system", "dataansvarlig", "no list takes a time")
    assert [] == [word for word in asked if word not in readme.partition("## To ask the vendor")[2]]


def test_two_schemas_are_two_mappings(new, tmp_path):
    answer = new(
        "archive",
        "--from-wsdl",
        "connectors/case_archive/case_archive.wsdl",
        "--schema",
        "case=Sag",
        "--schema",
        "document=Dokument",
    )
    assert 0 == answer.code
    assert {"case.yaml", "document.yaml"} == {path.name for path in (tmp_path / "mappings/archive").iterdir()}


@pytest.mark.parametrize(
    "name", ["../evil", "Other", "a/b", "a b", "1st", "class", "døgn", "a__b", "a-b", "_a", "", "x" * 51, "a\n"]
)
def test_a_name_that_is_none_is_refused(new, tmp_path, name):
    answer = new(name, *PYTHON)
    assert 2 == answer.code
    assert "a connector's name is snake_case" in answer.err
    assert {} == tree(tmp_path)


def test_nothing_is_overwritten(new, tmp_path):
    new("portal", *WSDL)
    before = tree(tmp_path)
    answer = new("portal", *OPENAPI)
    assert (2, before) == (answer.code, tree(tmp_path))
    assert "there is a folder connectors/portal already; nothing was changed" in answer.err


@pytest.mark.parametrize("taken", ["mappings/portal", "tests/connectors/portal"])
def test_neither_are_mappings_and_tests(new, tmp_path, taken):
    (tmp_path / taken).mkdir(parents=True)
    answer = new("portal", *WSDL)
    assert 2 == answer.code
    assert f"there is a folder {taken} already" in answer.err
    assert {} == tree(tmp_path)


def test_a_connector_of_the_project_is_not_overwritten(samspil):
    answer = samspil("new", "connector", "jobcenter", *PYTHON)
    assert 2 == answer.code
    assert "there is a folder connectors/jobcenter already" in answer.err


def test_a_failure_leaves_nothing_behind(new, tmp_path, monkeypatch):
    rename, moved = Path.rename, []

    def second_fails(self, target):
        moved.append(target)
        if len(moved) == 2:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    answer = new("portal", *WSDL)
    assert 2 == answer.code
    assert "cannot be written (No space left on device)" in answer.err
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(samspil, tmp_path):
    (tmp_path / "file").write_text("")
    answer = samspil("new", "connector", "portal", *WSDL, "--into", str(tmp_path / "file"))
    assert 2 == answer.code
    assert "cannot be written" in answer.err


def test_without_a_schema_it_lists_them(new):
    answer = new("portal", *WSDL[:2])
    assert 2 == answer.code
    assert "--schema NAME or NAME=RECORD; there are action_plan, activity, assessment" in answer.err


def test_a_schema_nobody_has_is_told(new):
    answer = new("portal", *WSDL[:2], "--schema", "weather")
    assert "weather: no such schema; there are action_plan" in answer.err


def test_a_schema_twice_is_told(new):
    assert "a schema is given twice" in new("portal", *PYTHON, "--schema", "case=X").err


def test_a_record_that_could_be_several_is_asked_for(new):
    answer = new("portal", *WSDL[:2], "--schema", "placement")
    assert 2 == answer.code
    assert (
        "portal.wsdl: say which record is placement: --schema placement=RECORD; there is Praktik, Virksomhed"
        in answer.err
    )


def test_a_record_that_is_not_there_is_told(new):
    assert "portal.wsdl: has no record Sag; there is Praktik" in new("portal", *WSDL[:2], "--schema", "case=Sag").err
    assert "notes.yaml: has no record Sag; there is Note" in new("notes", *OPENAPI[:2], "--schema", "case=Sag").err


@pytest.mark.parametrize("arguments", [("--schema", "case"), (*WSDL, "--python")])
def test_exactly_one_contract_is_given(new, arguments):
    answer = new("portal", *arguments)
    assert 2 == answer.code
    assert "give exactly one of --from-wsdl, --from-openapi, --csv and --python" in answer.err


def test_what_is_open_is_listed_with_file_line_and_question(new):
    new("portal", *WSDL)
    answer = new("portal", "--open")
    first, *_, last = answer.out.splitlines()
    assert "connectors/portal/connector.yaml:7: login: to decide: how does one log in? none, basic, bearer" in first
    assert last.startswith("20 to decide. Next: ")


def test_what_is_open_in_python_is_listed_too(new):
    new("byhand", *PYTHON)
    out = new("byhand", "--open").out
    assert "connectors/byhand/connector.py:37: check: to decide: which call changes nothing" in out
    assert "mappings/byhand/case.yaml:6: rows[0].theirs: to decide: which of their fields is id (sagsnummer)?" in out


def test_nothing_is_listed_of_what_is_not_there(new, samspil):
    assert "nosuch: there is no such connector" in new("nosuch", "--open").err
    assert "a connector's name is snake_case" in new("../jobcenter", "--open").err


def test_a_connector_of_the_project_has_nothing_open(samspil):
    answer = samspil("new", "connector", "case_archive", "--open")
    told = "Nothing is left to decide. Next: pytest tests/connectors/case_archive --samspil-results connectors/conformance.json\n"
    assert told == answer.out


def test_what_it_makes_is_in_the_projects_style(new, tmp_path):
    for name, arguments in (("a_portal", WSDL), ("b_notes", OPENAPI), ("c_firms", CSV), ("d_byhand", PYTHON)):
        new(name, *arguments)
    ruff = [Path(sys.executable).parent / "ruff"]
    style = ["--no-cache", "--config", str(ROOT / "pyproject.toml"), "."]
    for words in (
        ["check", "--ignore", "ARG", *style],
        ["format", "--check", *style],
    ):  # what is not written uses nothing
        run = subprocess.run([*ruff, *words], cwd=tmp_path, check=False, capture_output=True)
        assert 0 == run.returncode, run.stdout.decode()


def test_without_a_folder_it_goes_into_the_project_one_stands_in(samspil, tmp_path, monkeypatch):
    for folder in ("connectors", "mappings"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    assert 0 == samspil("new", "connector", "portal", *WSDL).code
    assert (tmp_path / "connectors/portal/connector.yaml").is_file()


def test_among_the_projects_own_connectors_tests_and_sandbox_are_like_theirs(new, tmp_path, monkeypatch):
    monkeypatch.setattr(scaffold, "PROJECT", tmp_path)
    new("portal", *WSDL)
    tests = (tmp_path / "tests/connectors/portal/test_portal_conformance.py").read_text("utf-8")
    last = 'test_conformance = undecided("portal", PortalSandbox) or conformance(Subject("portal", PortalSandbox))'
    assert last == tests.splitlines()[-1]
    assert "mappings" not in (tmp_path / "connectors/portal/sandbox.py").read_text("utf-8")
    assert not (tmp_path / "connectors/__init__.py").exists()
    style = ["--no-cache", "--config", str(ROOT / "pyproject.toml"), "."]
    assert (
        0
        == subprocess.run(
            [Path(sys.executable).parent / "ruff", "format", "--check", *style], cwd=tmp_path, check=False
        ).returncode
    )
