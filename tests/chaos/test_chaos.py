"""The faults on purpose, a few of them; and an engine that is broken in one place shows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.broken import BROKEN
from chaos.kinds import KINDS

ROOT = Path(__file__).parents[2]
SHOWN_BY = {  # broken engine → a kind of fault that shows it
    "receipts-first": "answer-lost",
    "new-keys": "answer-lost",
    "cursor-first": "committed-late",
    "links-at-plan": "killed-between-writes",
    "no-order": "duplicated",
    "nothing-resumed": "killed-between-writes",
    "half-settled": "killed-between-writes",
    "swallowed": "half-accepted",
    "one-kept-back": "duplicated",
}


def chaos(folder, *arguments):
    """Run it in a folder: the exit code, and what it wrote."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "chaos", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    written = folder / "build" / "chaos.json"
    assert written.exists(), done.stdout + done.stderr
    return done, json.loads(written.read_text())


def test_a_fault_of_each_kind_on_each_database_leaves_nothing_lost_doubled_or_out_of_order(tmp_path):
    done, written = chaos(tmp_path, "--faults", "11")
    assert done.returncode == 0, done.stdout
    assert "all zero" in done.stdout
    assert {(cell["kind"], cell["database"]) for cell in written["cells"]} == {
        (kind, database) for kind in KINDS for database in ("sqlite", "postgresql")
    }
    assert all(cell["faults"] > 0 for cell in written["cells"])


@pytest.mark.parametrize("name", BROKEN)
def test_an_engine_that_is_broken_shows(name, tmp_path):
    kind = SHOWN_BY[name]
    done, written = chaos(
        tmp_path, "--broken", name, "--kind", kind, "--database", "sqlite", "--faults", "150", "--until-failed"
    )
    assert done.returncode == 1, done.stdout
    (cell,) = written["cells"]
    assert sum(cell[column] for column in ("lost", "doubled", "disordered", "unbalanced", "stuck"))
    assert f"--kind {kind} --database sqlite --broken {name}" in done.stdout
