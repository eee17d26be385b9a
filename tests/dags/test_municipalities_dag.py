"""The DAGs as they are made from the municipalities' files, without running them."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest

from samspil.account import SECRET, Settings
from samspil.agreement import load_all
from samspil.airflow import pools
from samspil.errors import AccessError, GuardTripped, SamspilError, SettingsError, Unavailable
from samspil.registry import schemas

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "dags" / "municipalities"
FILES = load_all(FOLDER, schemas())
STEPS = ["plan", "guard", "approve", "deliver", "reconcile"]


class Secretive(Settings):
    api_key_of_ours: Annotated[str, SECRET] | None = None
    tenant: str = ""


@pytest.fixture(scope="module")
def bag(airflow_home):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(params=FILES, ids=[file.slug for file in FILES])
def file(request):
    return request.param


@pytest.fixture
def dag(bag, file):
    return bag.dags[file.slug]


def test_every_municipality_has_its_dag_and_nothing_fails_to_import(bag):
    assert bag.import_errors == {}
    assert {file.slug for file in FILES} <= set(bag.dags)


def test_a_dag_has_a_check_per_system_and_five_steps_per_flow(dag, file):
    checks = {f"check_{system}" for system in file.systems}
    steps = {f"{flow.name}.{step}" for flow in file.flows for step in STEPS}
    assert checks | steps == set(dag.task_ids)


def test_a_flow_waits_for_its_own_systems_and_the_flows_it_names_only(dag, file):
    for flow in file.flows:
        before = {f"check_{flow.source}", f"check_{flow.target}"} | {f"{name}.reconcile" for name in flow.after}
        chain = [dag.get_task(f"{flow.name}.{step}") for step in STEPS]
        assert before == chain[0].upstream_task_ids
        assert all(later.task_id in earlier.downstream_task_ids for earlier, later in itertools.pairwise(chain))
        later_flows = {f"{other.name}.plan" for other in file.flows if flow.name in other.after}
        assert later_flows == chain[-1].downstream_task_ids


def test_a_flow_runs_when_nothing_before_it_failed_and_its_steps_only_after_success(dag, file):
    rules = {
        "plan": "none_failed",
        "guard": "all_success",
        "approve": "all_success",
        "deliver": "none_failed_min_one_success",  # also where no approval was needed
        "reconcile": "all_success",
    }
    for flow in file.flows:
        assert rules == {step: dag.get_task(f"{flow.name}.{step}").trigger_rule.value for step in STEPS}


def test_what_the_guard_lets_through_goes_past_the_approval(dag, file):
    for flow in file.flows:
        guard = dag.get_task(f"{flow.name}.guard")
        assert {f"{flow.name}.approve", f"{flow.name}.deliver"} == guard.downstream_task_ids
        assert {f"{flow.name}.deliver"} == dag.get_task(f"{flow.name}.approve").downstream_task_ids


@pytest.mark.parametrize(
    ("schedule", "hours"), [("0 2 * * *", 18), ("0 2,12 * * *", 7.5), ("*/20 * * * *", 0.25), ("0 22 * * 1-5", 18)]
)
def test_an_answer_is_not_waited_for_until_the_next_start(airflow_home, schedule, hours):
    from samspil.airflow.approval import patience

    assert timedelta(hours=hours) == patience(schedule)


def test_a_flow_that_was_refused_or_not_due_is_not_late(airflow_home):
    from samspil.airflow.deadline import late_flows

    assert late_flows({"a": "a.reconcile"}, {"a.reconcile": "skipped"}) == []


def test_what_talks_to_a_system_is_in_its_pool_and_the_pool_is_offered(dag, file):
    offered = {pool["name"]: pool["slots"] for pool in pools(FILES)}
    for name, system in file.systems.items():
        assert dag.get_task(f"check_{name}").pool == f"system_{system.connection}"
        assert offered[f"system_{system.connection}"] == system.pool_slots
    for flow in file.flows:
        systems = [file.systems[flow.source], None, None, file.systems[flow.target], None]
        expected = [f"system_{system.connection}" if system else "default_pool" for system in systems]
        assert expected == [dag.get_task(f"{flow.name}.{step}").pool for step in STEPS]


def test_only_a_run_s_id_is_passed_between_tasks(dag):
    assert {task.task_id.endswith(".plan") for task in dag.tasks if task.do_xcom_push} == {True}


def test_one_run_at_a_time_no_catching_up_at_local_danish_time(dag, file):
    assert (1, False) == (dag.max_active_runs, dag.catchup)
    assert (file.schedule, "Europe/Copenhagen") == (dag.timetable.expression, str(dag.timetable.timezone))


def test_the_page_of_a_dag_says_purpose_legal_basis_and_fields(dag, file):
    for flow in file.flows:
        assert flow.agreement.purpose in dag.doc_md
        assert flow.agreement.legal_basis in dag.doc_md
        assert ", ".join(sorted(flow.fields_sent)) in dag.doc_md


def test_the_deadline_is_counted_from_the_night_s_start(dag, file):
    alert = dag.deadline[0]
    hour, minute = (int(part) for part in file.deadline.split(":"))
    start = file.schedule.split()
    begun = timedelta(hours=int(start[1]), minutes=int(start[0]))
    assert timedelta(hours=hour, minutes=minute) - begun == alert.interval
    assert alert.callback.path == "samspil.airflow.deadline.missed"
    assert set(alert.callback.kwargs["flows"].values()) == {f"{flow.name}.reconcile" for flow in file.flows}


@pytest.mark.parametrize(
    ("schedule", "deadline", "hours"),
    [
        ("0 2 * * *", "06:00", 4),
        ("30 22 * * 1-5", "06:00", 7.5),
        ("0 2,12 * * *", "06:00", 4),
        ("0 6 * * *", "06:00", 24),
        ("*/20 1-3 * * *", "06:00", 2 + 1 / 3),
        ("15 22/1 * * *", "06:00", 6.75),
    ],
)
def test_a_deadline_counts_from_the_last_start_before_it(airflow_home, schedule, deadline, hours):
    from samspil.airflow.deadline import deadline_alert

    assert timedelta(hours=hours) == deadline_alert("x", schedule, deadline, {}).interval


def test_a_missed_deadline_names_the_flows_that_are_not_done(airflow_home):
    from samspil.airflow.deadline import late_flows

    flows = {"a": "a.reconcile", "b": "b.reconcile", "c": "c.reconcile"}
    states = {"a.reconcile": "success", "b.reconcile": "upstream_failed"}
    assert late_flows(flows, states) == ["b (upstream_failed)", "c (waiting)"]


@pytest.mark.parametrize(
    ("error", "action", "seconds"),
    [
        (SettingsError("x"), "fail", None),
        (AccessError("x", system="s"), "fail", None),
        (GuardTripped("x", run=1), "fail", None),
        (SamspilError("x", reason="unbalanced"), "fail", None),
        (Unavailable("x", system="s"), "retry", None),
        (Unavailable("x", system="s", retry_after=90), "retry", 90),
        (Unavailable("x", system="s", retry_after=600), "retry", 600),
        (Unavailable("x", system="s", retry_after=600.2), "retry", 601),
        (Unavailable("x", system="s", retry_after=7200), "retry", 7200),
        (Unavailable("x", system="s", retry_after=-5), "retry", 60),
        (Unavailable("x", system="s", retry_after=86_400), "fail", None),
        (RuntimeError("x"), "default", None),
    ],
)
def test_an_error_is_tried_again_only_when_that_can_help(bag, error, action, seconds):
    for dag in bag.dags.values():
        for task in dag.tasks:
            decision = task.retry_policy.evaluate(error, 1, task.retries)
            assert decision.action.value == action
            assert decision.retry_delay == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("rhythm", "night", "expected"),
    [
        ("nightly", "2026-11-24", True),
        ("on-change", "2026-11-24", True),
        ("weekly", "2026-11-23", True),
        ("weekly", "2026-11-24", False),
        ("monthly", "2026-12-01", True),
        ("monthly", "2026-11-23", False),
    ],
)
def test_a_scheduled_run_carries_the_flows_that_are_due(airflow_home, rhythm, night, expected):
    from types import SimpleNamespace

    import pendulum

    from samspil.airflow.tasks import due

    start = pendulum.parse(f"{night}T02:00", tz="Europe/Copenhagen").in_timezone("UTC")
    context = {"dag_run": SimpleNamespace(run_type="scheduled"), "logical_date": start}
    assert due(rhythm, context) is expected
    assert due(rhythm, {**context, "dag_run": SimpleNamespace(run_type="manual")}) is True


def test_counts_in_a_log_are_names_and_numbers(airflow_home):
    from samspil.airflow.tasks import in_words

    counts = {"read": 200, "held_back": 3, "filtered": 0, "complete": True, "reasons": {"bad-date": 2, "bad-cpr": 1}}
    assert in_words(counts) == "read 200, held back 3, reasons (bad-date 2, bad-cpr 1)"


def test_an_error_leaves_a_task_without_what_caused_it(airflow_home, monkeypatch, tmp_path):
    """A driver's or a parser's message may quote a value; the task's log must not."""
    from samspil.airflow import tasks

    def leak(*arguments, **named):
        raise ValueError("0107551234")

    monkeypatch.setattr("samspil.hub.Hub.open", leak)
    with pytest.raises(tasks.UnexpectedError) as caught:
        tasks.guard("x.yaml", 1, "deliver", "approve")
    assert str(caught.value) == "ValueError"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_parsing_is_quick_and_reads_files_only():
    """No network, no database, no store, no process; under a second besides Airflow itself."""
    program = """
import json, sys, time
from airflow.sdk import DAG, AsyncCallback, CronTriggerTimetable, DeadlineAlert, RetryRule, TaskGroup, task
DAG("warm", schedule=CronTriggerTimetable("0 2 * * *", timezone="Europe/Copenhagen"), start_date=None)
FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.system")
seen = []
def watch(event, arguments):
    if event in FORBIDDEN or event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append([event, str(arguments)])
sys.addaudithook(watch)
import runpy
begun = time.process_time()
made = runpy.run_path(sys.argv[1])
seconds = time.process_time() - begun
heavy = [name for name in sys.modules if name.startswith(("samspil.store", "samspil.hub", "samspil.flow", "connectors."))]
dags = [value.dag_id for value in made.values() if isinstance(value, DAG)]
print(json.dumps({"seen": seen, "heavy": heavy, "dags": dags, "seconds": seconds}))
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(ROOT / "dags" / "municipalities.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert {file.slug for file in FILES} == set(said["dags"])
    assert (said["seen"], said["heavy"]) == ([], [])
    assert said["seconds"] < 1


@pytest.fixture
def copied(tmp_path) -> Path:
    """The DAG folder, to be broken."""
    folder = tmp_path / "dags"
    shutil.copytree(ROOT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_broken_file_stops_its_municipality_only_and_says_why(airflow_home, copied):
    from airflow.dag_processing.dagbag import DagBag

    path = copied / "municipalities" / f"{FILES[0].slug}.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("rhythm: nightly", "rhythm: sometimes", 1), encoding="utf-8"
    )
    bag = DagBag(dag_folder=str(copied))
    broken = bag.dags[FILES[0].slug]
    assert bag.import_errors == {}
    assert {"samspil", "file-error"} == set(broken.tags)
    assert ["municipality_file"] == broken.task_ids
    assert "write nightly, weekly, monthly or on-change" in broken.doc_md
    assert all(len(bag.dags[file.slug].tasks) > 1 for file in FILES[1:])
    with pytest.raises(SettingsError, match=r"yaml:\d+: .*rhythm: write nightly"):
        broken.tasks[0].python_callable(*(getattr(argument, "value", argument) for argument in broken.tasks[0].op_args))


def test_two_files_of_one_municipality_do_not_both_run(airflow_home, copied):
    from airflow.dag_processing.dagbag import DagBag

    folder = copied / "municipalities"
    shutil.copy(folder / f"{FILES[0].slug}.yaml", folder / "zz_copy.yaml")
    bag = DagBag(dag_folder=str(copied))
    assert "file-error" in bag.dags["zz_copy"].tags
    assert f"is already in {FILES[0].slug}.yaml" in bag.dags["zz_copy"].doc_md
    assert "file-error" not in bag.dags[FILES[0].slug].tags


def test_a_dag_survives_the_way_through_airflow_s_database(bag):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in bag.dags.values():
        again = DagSerialization.deserialize_dag(json.loads(json.dumps(DagSerialization.serialize_dag(dag))))
        assert set(dag.task_ids) == set(again.task_ids)


def test_an_account_is_an_airflow_connection_with_its_secrets_masked(airflow_home, monkeypatch):
    from samspil.airflow import accounts

    file = FILES[0]
    use = next(iter(file.systems.values()))
    masked: list[object] = []
    monkeypatch.setattr(accounts, "mask_secret", masked.append)
    monkeypatch.setattr(accounts, "_settings", lambda connector: Secretive)
    fields = {"conn_type": "https", "host": "example.dk", "port": 8443, "schema": "ws", "login": "us", "password": "pw"}
    extra = {"api_key_of_ours": "very-secret", "tenant": "randers"}
    monkeypatch.setenv(f"AIRFLOW_CONN_{use.connection.upper()}", json.dumps({**fields, "extra": extra}))
    found = accounts.account(use.connection, file)
    assert {"id": use.connection, **fields, "extra": extra} == {
        name: getattr(found, name) for name in found.__struct_fields__
    }
    assert masked == ["very-secret"]


def test_a_connection_that_is_missing_is_a_setting_to_correct(airflow_home):
    from samspil.airflow.accounts import account

    assert "AIRFLOW_CONN_NOWHERE" not in os.environ
    with pytest.raises(SettingsError, match="AIRFLOW_CONN_NOWHERE"):
        account("nowhere", FILES[0])


def test_what_a_run_in_one_process_prints_is_told_apart_by_task():
    from samspil.airflow.inprocess import task_logs

    text = """before
[info] [DAG TEST] starting task_id=check_star map_index=-1 [x]
[info] [DAG TEST] running task <TaskInstance>
[info] star answers
[info] [DAG TEST] end task task_id=check_star map_index=-1
[info] [DAG TEST] starting task_id=a.plan map_index=-1 [x]
[info] run 1: read 2
"""
    assert list(task_logs(text)) == [("check_star", "[info] star answers\n"), ("a.plan", "[info] run 1: read 2\n")]


def test_a_municipality_may_have_workers_and_roles_of_its_own(airflow_home, tmp_path):
    """Every task of it goes to its queue; a file that says nothing changes nothing of Airflow's own rights."""
    from samspil.airflow.dag import municipality_dag

    path = tmp_path / "randers.yaml"
    text = (FOLDER / "randers.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}\nairflow: {{queue: randers, read: [reads], operate: [runs]}}\n", encoding="utf-8")
    dag = municipality_dag(path)
    assert {"randers"} == {task.queue for task in dag.tasks}
    assert {
        "reads": {"DAGs": {"can_read"}, "DAG Runs": {"can_read"}},
        "runs": {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_read", "can_create"}},
    } == dag.access_control
    plain = municipality_dag(FOLDER / "randers.yaml")
    assert (None, {"default"}) == (plain.access_control, {task.queue for task in plain.tasks})
