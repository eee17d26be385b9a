import subprocess
import sys
from datetime import date

from samspil.codes import Code, CodeList
from samspil.connector import Field
from samspil.mapping import converter


def test_the_digest_is_sixteen_bytes_and_the_same_each_time(workshop):
    first = workshop.load().digest
    assert 16 == len(first)
    assert first == workshop.load().digest


PROGRAM = """
import sys
sys.path.insert(0, "tests/samspil/mapping")
import tempfile, pathlib, conftest
print(conftest.Workshop(pathlib.Path(tempfile.mkdtemp())).load().digest.hex())
"""


def test_the_digest_is_the_same_in_another_process(workshop, request):
    printed = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=request.config.rootpath,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert [workshop.load().digest.hex()] * 2 == printed


def test_the_digest_changes_with_a_row(workshop):
    digest = workshop.load().digest
    assert digest != workshop.edited("date: dd-mm-yyyy", "date: yyyymmdd").digest
    assert digest != workshop.edited('"2.2": "2", "2.3": "3"', '"2.2": "3", "2.3": "2"').digest
    assert digest != workshop.edited("constant: samspil", "constant: hub").digest


def test_the_digest_changes_with_the_contract(workshop, fields):
    digest = workshop.load().digest
    assert digest != workshop.load(fields=fields | {"InternNote": Field(required=True)}, directions=["to_ours"]).digest


def test_the_digest_does_not_change_with_what_decides_nothing(workshop, rows):
    digest = workshop.load().digest
    assert digest == workshop.edited("why: says nothing", "why: a colour says nothing").digest
    moved = rows.replace("  - {theirs: BestillingId, ours: id}\n", "").replace(
        "lost:\n", "  - {theirs: BestillingId, ours: id}\nlost:\n"
    )
    assert digest == workshop.load(moved).digest


def test_the_digest_changes_with_a_code_list_in_use_and_no_other(workshop, lists):
    digest = workshop.load().digest
    more = CodeList("status", [*lists["status"].codes, Code("late", date(2026, 1, 1), None, "sen", "late")])
    assert digest != workshop.load(lists={**lists, "status": more}).digest
    assert digest == workshop.load(lists={**lists, "other": more}).digest


def test_the_digest_changes_with_the_converters(workshop, monkeypatch):
    digest = workshop.load().digest
    monkeypatch.setattr(converter, "VERSION", converter.VERSION + 1)
    assert digest != workshop.load().digest
