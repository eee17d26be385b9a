"""From a contract to a connector that reads, as a person does it: scaffold, decide, run. What is changed by hand is counted.

The contracts are used by no connector; the patches are what a person changed, and nothing else was touched.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import pytest

import connectors
from samspil import mapping, registry
from samspil.declared.soap.contract import Contract
from samspil.scaffold.names import class_name
from samspil.testing.conformance.world import SteadyWorld

CONTRACTS = Path(__file__).parent / "contracts"


class Example(NamedTuple):
    """A contract, the arguments that make a scaffold of it, and the most lines that may be changed by hand."""

    name: str
    arguments: tuple[str, ...]
    schema: str
    most: int


EXAMPLES = {
    example.name: example
    for example in (
        Example(
            "placement_portal",
            ("--from-wsdl", str(CONTRACTS / "portal/portal.wsdl"), "--schema", "placement=Praktik"),
            "placement",
            59,
        ),
        Example(
            "journal_notes",
            ("--from-openapi", str(CONTRACTS / "notes.yaml"), "--schema", "journal_note"),
            "journal_note",
            40,
        ),
        Example(
            "company_files",
            ("--csv", str(CONTRACTS / "Virksomheder_20261030.csv"), "--schema", "company"),
            "company",
            40,
        ),
    )
}


@pytest.fixture(params=EXAMPLES)
def example(request):
    return EXAMPLES[request.param]


@pytest.fixture
def fresh(example, samspil, tmp_path):
    """The folder of a scaffold nobody has touched."""
    answer = samspil("new", "connector", example.name, *example.arguments, "--into", str(tmp_path))
    assert 0 == answer.code, answer.err
    return tmp_path


@pytest.fixture
def decided(fresh, example):
    """The same after a person has decided."""
    patch(fresh, (CONTRACTS / f"{example.name}.patch").read_text("utf-8"))
    return fresh


def test_a_fresh_scaffolds_tests_fail_with_the_open_decisions_and_nothing_else(fresh, example, samspil):
    passed, failed = outcomes(fresh, example.name)
    listed = samspil("new", "connector", example.name, "--open", "--into", str(fresh)).out.splitlines()
    assert ["test_conformance[the_sandbox_answers]"] == passed
    assert listed[:-1] == failed
    for line in failed:
        assert re.fullmatch(r"(connectors|mappings)/\S+\.yaml:\d+: [^:]+: to decide: .+", line), line
    assert f"{len(failed)} to decide." in listed[-1]


def test_few_lines_are_changed_by_hand(fresh, example):
    before = texts(fresh)
    patch(fresh, (CONTRACTS / f"{example.name}.patch").read_text("utf-8"))
    changed = sum(lines_changed(before[path], text) for path, text in texts(fresh).items())
    assert 0 < changed <= example.most


def test_what_was_decided_checks_and_reads_over_the_wire(decided, example, monkeypatch):
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(decided / "connectors")])
    module = importlib.import_module(f"connectors.{example.name}.sandbox")
    kind, struct = registry.connector(example.name), registry.schema(example.schema)
    to_ours = mapping.load(
        example.name,
        example.schema,
        fields=kind.fields(example.schema),
        struct=struct,
        folder=decided / "mappings",
        directions=("to_ours",),
    ).to_ours
    with getattr(module, f"{class_name(example.name)}Sandbox")(SteadyWorld("760", citizens=40)) as sandbox:
        connector = kind(sandbox.account)
        connector.check()
        found = {}
        for page in connector.read(example.schema):
            assert not page.rejected
            found |= {one.id: one for one in map(to_ours, connector.decode(example.schema, page.raws))}
        connector.close()
        facts = sandbox.world.records(example.schema)
    assert {fact["id"]: msgspec.convert(fact, struct) for fact in facts} == found
    assert found


def test_what_was_decided_keeps_the_promises_of_check_and_read(decided, example, samspil):
    passed, failed = outcomes(decided, example.name, "-k", "check. or reading.")
    assert [] == failed
    assert len(passed) > 15
    listed = samspil("new", "connector", example.name, "--open", "--into", str(decided)).out
    assert listed.startswith(
        f"Nothing is left to decide. Next: pytest tests/connectors/{example.name} --samspil-results "
    )


def test_a_declared_rest_connector_has_at_most_forty_lines():
    declared = [*Path(connectors.__path__[0]).glob("*/connector.yaml")]
    rest = [file for file in declared if "kind: rest" in file.read_text("utf-8")]
    assert rest
    for file in rest:
        assert len(file.read_text("utf-8").splitlines()) <= 40, file


@pytest.mark.parametrize("example", ["journal_notes"], indirect=True)
def test_so_has_one_from_a_scaffold(decided, example):
    assert len((decided / f"connectors/{example.name}/connector.yaml").read_text("utf-8").splitlines()) <= 40


def test_the_wsdl_has_ten_operations():
    assert 10 == len(Contract(CONTRACTS / "portal/portal.wsdl").names)


@pytest.fixture(autouse=True)
def forgotten():
    """The next test imports its own sandbox."""
    yield
    for name in [name for name in sys.modules if name.split(".")[:2][-1] in EXAMPLES]:
        del sys.modules[name]


def outcomes(folder, name, *options):
    """What pytest says of a connector's own test file: (tests passed, messages of those that failed)."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error"]
    run = subprocess.run(
        [*command, "-o", "junit_family=legacy", f"--junitxml={report}", *options, f"tests/connectors/{name}"],
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder,
        check=False,
        capture_output=True,
        timeout=300,
    )
    assert run.returncode in (0, 1), run.stdout.decode()
    cases = list(ET.parse(report).getroot().iter("testcase"))
    failures = [one for case in cases for one in case if one.tag in ("failure", "error")]
    return [case.get("name") for case in cases if len(case) == 0 or not failures], [
        one.get("message").removeprefix("Failed: ") for one in failures
    ]


def texts(folder):
    """The files a person may edit."""
    return {
        file.relative_to(folder): file.read_text("utf-8").splitlines()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in (".yaml", ".py", ".md")
    }


def lines_changed(before, after):
    """Lines that are new, gone, or another: a line written in the place of one counts once."""
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in steps if tag != "equal")


def patch(folder, text):
    """Apply a unified diff; every line that it takes away or goes by must be there."""
    for part in re.split(r"^--- ", text, flags=re.MULTILINE)[1:]:
        names, *hunks = re.split(r"^@@ -(\d+).*@@.*\n", part, flags=re.MULTILINE)
        file = folder / names.splitlines()[0].strip()
        lines, made, at = file.read_text("utf-8").splitlines(), [], 0
        for start, hunk in zip(hunks[::2], hunks[1::2], strict=True):
            made += lines[at : int(start) - 1]
            at = int(start) - 1
            for line in hunk.splitlines():
                if line[0] != "+":
                    assert lines[at] == line[1:], f"{file.name}:{at + 1}"
                    at += 1
                if line[0] != "-":
                    made.append(line[1:])
        file.write_text("".join(f"{line}\n" for line in [*made, *lines[at:]]), "utf-8")
