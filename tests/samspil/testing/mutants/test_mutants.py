"""The kit cannot be fooled: each promise has a mutant that breaks it, and is broken by it."""

import json
import subprocess
import sys

import pytest

from samspil.errors import SettingsError
from samspil.testing.conformance import promises
from samspil.testing.mutants import mutants, subjects
from samspil.testing.mutants.breaking import Done, Task, run, tasks
from samspil.testing.mutants.report import Report

ON_REFERENCE = [task for task in tasks(["reference"]) if task.mutant]


@pytest.mark.filterwarnings("ignore")  # a mutant that closes nothing leaves its sockets to the garbage collector
@pytest.mark.parametrize("task", ON_REFERENCE, ids=[task.mutant for task in ON_REFERENCE])
def test_a_mutant_is_noticed_by_every_promise_that_it_is_aimed_at(task):
    done = run(task)
    assert done.promises
    assert {"killed"} == set(done.promises.values()), done.promises


def test_every_promise_has_a_mutant():
    assert set(promises()) == {aim for one in mutants().values() for aim in one.aims}


def test_every_mutant_says_what_it_does_and_runs_on_the_reference_or_on_the_connector_it_is_for():
    assert all(one.text and one.aims for one in mutants().values())
    assert set(mutants()) - {task.mutant for task in ON_REFERENCE} == {
        name for name, one in mutants().items() if one.only and one.only != "reference"
    }


def test_a_mutant_is_broken_for_the_length_of_a_block_only():
    subject = subjects.subject("reference")
    with mutants()["guards_nothing"].of(subject) as broken:
        assert broken.connector is subject.connector
    assert {"guard": "survived"} != run(Task("reference", promise="a_mass_deletion_stops")).promises
    assert {"a_mass_deletion_stops": ""} == run(Task("reference", promise="a_mass_deletion_stops")).promises


def test_a_survivor_or_an_idle_promise_or_a_broken_baseline_is_told():
    noticed = dict.fromkeys(promises(), "killed")
    alive = Report([Done("star", "has_no_title", {"it_has_a_title": "survived"}, 0.1)], whole=False)
    broken = Report([Done("star", "", {"it_has_a_title": "✗ no title"}, 0.1)], whole=False)
    every = [Done("reference", name, noticed, 0.1) for name in mutants()]
    assert (1, False) == (len(alive.survivors), alive.good)
    assert (["star: ✗ no title"], False) == (broken.unkept, broken.good)
    assert Report(every, whole=True).good
    assert Report([one for one in every if one.mutant != "has_no_title"], whole=True).survivors


def test_the_command_writes_what_it_found_and_fails_for_an_unknown_connector(tmp_path):
    command = [sys.executable, "-m", "samspil.testing.mutants"]
    out = tmp_path / "mutants.json"
    chosen = [*command, "reference", "--mutant", "hostile_target", "--out", str(out)]
    done = subprocess.run(chosen, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    found = json.loads(out.read_text())
    assert {"killed"} == set(found["table"]["hostile_target"]["reference"].values())
    assert 2 == subprocess.run([*command, "nobody"], capture_output=True, check=False).returncode


def test_an_unknown_subject_names_those_there_are():
    with pytest.raises(SettingsError, match="reference"):
        subjects.subject("nobody")
