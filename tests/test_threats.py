"""docs/threats.md names a test for every threat, and each of them is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "threats.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text):
    """The tables' rows as lists of cells, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("threat", "---")]


def missing(text):
    """The tests that are named and not there."""
    found = []
    for file, name in TEST.findall(text):
        path = ROOT / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        if name not in names:
            found.append(f"{file}::{name}")
    return found


def test_every_test_that_is_named_is_there():
    assert [] == missing(PAGE.read_text(encoding="utf-8"))


def test_a_test_that_is_not_there_is_noticed():
    assert 2 == len(missing("`tests/test_threats.py::test_nobody` `tests/test_nowhere.py::test_x`"))


def test_every_threat_has_a_control_a_default_and_a_test():
    found = rows(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 30
    for row in found:
        assert 4 == len(row), row
        assert all(row), row
        assert TEST.search(row[3]), row[0]
        assert "" == TEST.sub("", row[3]).strip(" ,"), row[0]


@pytest.mark.parametrize("door", ["Certificates and signatures", "HTTP", "XML and SOAP", "Files", "Settings"])
def test_every_door_is_there(door):
    assert f"\n## {door}\n" in PAGE.read_text(encoding="utf-8")


def test_it_says_what_is_not_protected():
    assert "\n## Not protected against\n\n- " in PAGE.read_text(encoding="utf-8")
