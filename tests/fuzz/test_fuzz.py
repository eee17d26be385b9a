"""A short run of ``make fuzz``, and whether it would notice what it looks for."""

import json
import random
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fuzz(monkeypatch):
    """The package beside ``samspil``; it is installed nowhere."""
    monkeypatch.syspath_prepend(str(ROOT))
    from fuzz import running

    return running


NAMES = ["XML", "signed SOAP", "multipart", "JSON", "CSV", "fixed width", "XLSX", "YAML settings"]


def test_every_parser_is_tried(fuzz):
    assert NAMES == list(fuzz.PARSERS)


@pytest.mark.parametrize("name", NAMES)
def test_every_mangled_input_ends_as_records_or_with_a_reason(fuzz, name):
    tally = fuzz.run(name, 20261122, range(200))
    assert [] == tally.found
    assert tally.outcome["records"]
    assert tally.outcome["rejected"] + tally.outcome["refused"] + tally.outcome["stopped"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "signed SOAP"])
def test_an_input_is_the_same_for_the_same_seed_and_number(fuzz, name):
    made = [fuzz.PARSERS[name]().input(fuzz.chance_of(name, seed, 7)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def _planted(fuzz, monkeypatch, tried):
    """What is found when JSON is tried like this."""

    class Planted(fuzz.PARSERS["JSON"]):
        def tried(self, chance, number, data):
            return tried(super().tried(chance, number, data))

    outcome, found = fuzz.one(Planted(), 1, 5)
    return outcome, found


def test_a_crash_is_found_with_its_number(fuzz, monkeypatch):
    def crash(_outcome):
        raise KeyError("x")

    _, found = _planted(fuzz, monkeypatch, crash)
    assert ("JSON", 1, 5) == found[:3]
    assert found.what.startswith("KeyError")


def test_endless_work_is_found(fuzz, monkeypatch):
    def endless(_outcome):
        while True:
            re.match("(a+)+$", "a" * 40 + "b")

    monkeypatch.setattr(fuzz, "WORK", 0.1)
    _, found = _planted(fuzz, monkeypatch, endless)
    assert found.what.startswith("Hang")


@pytest.mark.parametrize("name", ["XML", "JSON", "CSV", "fixed width", "XLSX"])
def test_a_parser_that_loses_a_record_is_found(fuzz, monkeypatch, name):
    """Each parser's second look notices a record less."""
    import samspil.cut
    import samspil.files.csvfile
    import samspil.files.fixed
    import samspil.files.sheet
    import samspil.json

    def one_less(rows):
        def fewer(*arguments):
            for n, row in enumerate(rows(*arguments)):
                if n != 1:
                    yield row

        return fewer

    slices = samspil.cut.Cut._slice

    def sliced(self, block):
        found = slices(self, block)
        return found and (samspil.cut.Slices(found[0].raws[1:], found[0].keys[1:], found[0].rejected), found[1])

    page = samspil.json.Keyed.page
    monkeypatch.setattr(samspil.cut.Cut, "_slice", sliced)
    monkeypatch.setattr(samspil.json.Keyed, "page", lambda self, raws: page(self, raws[1:]))
    for kind in (samspil.files.csvfile.CsvFile, samspil.files.fixed.FixedFile, samspil.files.sheet.SheetFile):
        monkeypatch.setattr(kind, "rows", one_less(kind.rows))
    tally = fuzz.run(name, 1, range(30))
    assert any(found.what.startswith("Lost") for found in tally.found)


def test_the_table_and_the_file_say_what_happened(fuzz, tmp_path, capsys):
    from rich.console import Console

    from fuzz.report import Report

    report = Report(["JSON"], 1)
    report.add(fuzz.run("JSON", 1, range(20)))
    report.add(fuzz.Tally("JSON", 1, fuzz.Outcome(), [fuzz.Found("JSON", 1, 20, "KeyError: x", "json.py:1")]))
    report.show(Console(width=150))
    report.write(tmp_path / "build" / "fuzz.json")
    row = json.loads((tmp_path / "build" / "fuzz.json").read_text())["parsers"]["JSON"]
    assert (21, 1) == (row["inputs"], row["crashes"])
    said = capsys.readouterr().out
    assert "--parser 'JSON' --seed 1 --number 20" in said


def test_changes_keep_within_their_limit(fuzz):
    from fuzz.mutation import LARGEST, Mutator

    mutator = Mutator([b"a" * LARGEST], (b"b" * 1_000,), rb"(a)a*")
    assert all(len(mutator.mangled(random.Random(n), mutator.samples[0])) <= LARGEST for n in range(50))
