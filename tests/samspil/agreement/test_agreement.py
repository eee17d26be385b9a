"""A municipality's file and what it gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from samspil.agreement import Guard, Municipality, SystemUse, Terms, load_all, load_municipality
from samspil.errors import SettingsError
from schemas import SCHEMAS


def test_a_flow_knows_its_name_its_agreement_and_its_municipality(write, good):
    flow = load_municipality(write(good), SCHEMAS).flow("journal-attendance-jobcenter")
    assert flow.municipality == Municipality(code="730", name="Randers", cvr="29189668")
    assert flow.agreement == Terms(
        name="stu", between=("jobcenter", "journal"), purpose="courses", legal_basis="an act, a section"
    )
    assert flow.fields_sent == {"id", "cpr", "order_id", "date", "status", "hours"}
    assert flow.after == ("jobcenter-course_order-journal",)


def test_what_is_left_out_has_a_safe_default(write, good):
    file = load_municipality(write(good), SCHEMAS)
    order, attendance, _ = file.flows
    assert order.protected_addresses == "withheld"
    assert order.guard == Guard(changes=20, deletions=5)
    assert attendance.guard == Guard(changes=30, deletions=5)
    assert file.systems["jobcenter"] == SystemUse(connector="jobcenter", connection="randers_jobcenter", pool_slots=4)
    assert file.slug == "randers"


def digest(path: Path) -> bytes:
    return load_municipality(path, SCHEMAS).flows[0].digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("provider, start, consent]", "provider, start, end, consent]"),
        ("consent: [true]}", "consent: [true, false]}"),
        ('only: {provider: ["1003730001"], consent: [true]}', "only: {consent: [true]}"),
        ("        guard: {changes: 20}", "        protected_addresses: sent"),
    ],
)
def test_the_digest_changes_with_what_changes_a_record(old, new, write, good, changed):
    assert digest(write(good)) != digest(write(changed(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schedule: "0 2 * * *"', 'schedule: "0 4 * * *"'),
        ("[id, cpr, provider, start, consent]", "[consent, start, provider, cpr, id]"),
        ("guard: {changes: 20}", "guard: {changes: 50}"),
        ("purpose: courses", "purpose: other words for it"),
        ("        rhythm: nightly", "        rhythm: weekly"),
    ],
)
def test_the_digest_stays_when_no_record_changes(old, new, write, good, changed):
    assert digest(write(good)) == digest(write(changed(old, new)))


def test_the_digest_is_the_same_in_every_process_and_release(write, good):
    """Changing how it is made sends every record of every municipality anew, so it may not change by accident."""
    assert digest(write(good)).hex() == "fbf84b6fc1b94065208de5f585f30b6b"


def test_a_mistake_in_cron_is_refused_and_all_usual_forms_pass(write, changed):
    for cron in ("*/15 0-6 1,15 jan-mar mon-fri", "0 2 * * 7", "5,35 2-6/2 * * *"):
        load_municipality(write(changed("0 2 * * *", cron)), SCHEMAS)
    for cron in (
        "0 2 * *",
        "60 2 * * *",
        "0 24 * * *",
        "0 2 0 * *",
        "0 2 * 13 *",
        "0 2 * * 8",
        "0 6-2 * * *",
        "x 2 * * *",
    ):
        with pytest.raises(SettingsError, match="cron"):
            load_municipality(write(changed("0 2 * * *", cron)), SCHEMAS)


def test_a_file_name_becomes_part_of_other_names_so_it_is_plain(write, good):
    with pytest.raises(SettingsError, match="a-z"):
        load_municipality(write(good, "Ringkøbing.yaml"), SCHEMAS)


def test_a_missing_file_is_a_settings_error(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_municipality(tmp_path / "nowhere.yaml", SCHEMAS)


def test_a_folder_is_read_by_file_name_and_holds_a_municipality_once(tmp_path, write, good):
    other = good.replace('"730"', '"751"').replace('"29189668"', '"55133018"')
    write(good)
    write(other, "aarhus.yaml")
    assert [file.slug for file in load_all(tmp_path, SCHEMAS)] == ["aarhus", "randers"]
    write(good, "zealand.yaml")
    with pytest.raises(SettingsError, match=r"already in randers\.yaml"):
        load_all(tmp_path, SCHEMAS)


def test_reading_it_imports_nothing_heavy():
    """Airflow's DAG parser imports this every few seconds."""
    heavy = {"airflow", "sqlalchemy", "zeep", "lxml", "requests", "cryptography", "paramiko", "typer"}
    code = "import sys, samspil.agreement; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(ran.stdout.split())


def test_who_does_and_sees_it_in_airflow_is_said_in_the_file(write, changed):
    plain = load_municipality(write(changed("0 2 * * *", "0 3 * * *")), SCHEMAS).airflow
    assert (None, (), ()) == (plain.queue, plain.read, plain.operate)
    told = 'deadline: "06:00"\nairflow: {queue: randers, read: [Randers læser], operate: [Randers drift]}'
    said = load_municipality(write(changed('deadline: "06:00"', told)), SCHEMAS).airflow
    assert ("randers", ("Randers læser",), ("Randers drift",)) == (said.queue, said.read, said.operate)


@pytest.mark.parametrize("said", ["{queue: 'a b'}", "{read: ['']}", "{operate: everybody}", "{workers: randers}"])
def test_what_airflow_could_not_use_is_refused(write, changed, said):
    with pytest.raises(SettingsError, match="airflow"):
        load_municipality(write(changed('deadline: "06:00"', f'deadline: "06:00"\nairflow: {said}')), SCHEMAS)
