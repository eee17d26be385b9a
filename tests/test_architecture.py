"""What the architecture promises, read from the syntax trees: who may import whom, and that records and targets say so."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"samspil", "connectors", "schemas", "mappings", "dags", "plugins", "tests", "benchmarks", "chaos", "tools"}

AIRFLOW = {("samspil", "airflow"), ("samspil", "airflow.py")}  # the only place that imports it besides dags and plugins


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path, text: str | None = None) -> Iterator[str]:
    """Every module a file imports, at its top or inside a function, with relative imports written out."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8") if text is None else text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from (f"{module}.{name.name}" for name in node.names)


def allowed(path: Path) -> tuple[str, ...]:
    """The modules of ours that a file may import from."""
    top, *rest = path.relative_to(ROOT).parts
    if top == "connectors":
        own = f"connectors.{rest[0].removesuffix('.py')}"
        return ("samspil", own)
    return {"schemas": ("schemas",), "samspil": ("samspil",)}.get(top, ("samspil",))


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def strays(path: Path, text: str | None = None) -> list[str]:
    """The imports by which a file breaks the direction."""
    ours = [module for module in imported(path, text) if module.partition(".")[0] in OURS]
    wrong = [module for module in ours if not within(module, allowed(path))]
    inside = path.relative_to(ROOT).parts
    if inside[0] in ("samspil", "connectors", "schemas") and inside[:2] not in AIRFLOW:
        wrong += [module for module in imported(path, text) if module.partition(".")[0] == "airflow"]
    return wrong


@pytest.mark.parametrize("folder", ["schemas", "samspil", "connectors", "dags", "plugins"])
def test_imports_go_in_one_direction(folder):
    """schemas → nothing; samspil → nothing of ours, Airflow in one place; connectors, dags, plugins → samspil."""
    files = sources(folder)
    assert files, f"{folder}/ has no Python file: has it moved?"
    wrong = {str(path.relative_to(ROOT)): strays(path) for path in files}
    assert {path: modules for path, modules in wrong.items() if modules} == {}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("schemas/x.py", "from samspil.errors import Refused"),
        ("samspil/x.py", "import schemas"),
        ("samspil/store/x.py", "def f():\n    from connectors.star import connector"),
        ("samspil/flow/x.py", "import airflow.sdk"),
        ("connectors/star/x.py", "from connectors.jobcenter import message"),
        ("connectors/star/x.py", "from ..jobcenter import message"),
        ("connectors/star/x.py", "from schemas import SCHEMAS"),
        ("dags/x.py", "from connectors.star import connector"),
        ("plugins/x.py", "import dags.municipalities"),
    ],
)
def test_a_stray_import_is_seen(file, line):
    assert len(strays(ROOT / file, line)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("samspil/airflow/dag.py", "from airflow.sdk import DAG"),
        ("samspil/flow/x.py", "from ..errors import Refused"),
        ("connectors/star/x.py", "from . import message"),
        ("connectors/star/x.py", "from connectors.star.message import Envelope"),
        ("dags/x.py", "from airflow.sdk import DAG\nfrom samspil.airflow import dag"),
    ],
)
def test_an_import_in_the_right_direction_passes(file, line):
    assert strays(ROOT / file, line) == []


def test_every_decision_record_says_how_a_violation_is_noticed():
    """The last words of a record are: A change violates this when …"""
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert records, "docs/decisions/ has no record"
    for record in records:
        before, found, last = record.read_text(encoding="utf-8").rpartition("A change violates this when")
        assert before, record.name
        assert found, record.name
        assert last.strip(" .…*_:\n"), record.name
        assert "\n#" not in last, f"{record.name}: something follows"


def test_every_make_target_is_documented():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    helped = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert targets >= {"demo", "test", "lint", "bench", "docs", "help"}
    assert set(re.findall(r"make (\S+) +\S", helped.stdout)) == targets
    assert set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()) == targets


def test_every_program_a_make_target_starts_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for program in re.findall(r"(?:\$\(PYTHON\)|/python) (\S+\.py)", makefile):
        assert (ROOT / program).is_file(), program
    for module in re.findall(r"-m ([\w.]+)", makefile):
        if module.partition(".")[0] in OURS:
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file(), module


_SEARCHED = re.compile(r"""pattern=r?f?(["'])\^.*?\$\1""")


@pytest.mark.parametrize("folder", ["connectors", "samspil", "schemas", "dags", "plugins"])
def test_no_pattern_lets_a_final_newline_pass(folder):
    r"""In Python ``$`` also fits before a newline at the end; ``\Z`` does not."""
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _SEARCHED.search(line)
    ]
    assert not wrong
    assert _SEARCHED.search('Meta(pattern=r"^[0-9]{4}$", max_length=4)')


def test_every_link_between_the_project_s_pages_leads_somewhere():
    folders = ("connectors", "dags", "docker", "docs", "mappings", "samspil", "schemas")
    pages = [*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md"))]
    links = [(page, link) for page in pages for link in _LINK.findall(page.read_text(encoding="utf-8"))]
    assert len(links) > 50
    assert not [(str(page.relative_to(ROOT)), link) for page, link in links if not (page.parent / link).exists()]


_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)(?:#[^)]*)?\)")
