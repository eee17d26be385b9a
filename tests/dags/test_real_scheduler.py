"""One municipality's nights under Airflow as it runs in earnest: scheduler, executor, DAG processor, triggerer, API.

``dag.test()`` neither masks secrets nor keeps tasks from Airflow's database; only this shows both.
"""

from __future__ import annotations

import base64
import json
import math
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from samspil.agreement import load_municipality
from samspil.airflow import pools
from samspil.demo.installation import PARTS, Installation
from samspil.demo.systems import Systems
from samspil.registry import schemas

ROOT = Path(__file__).parent.parent.parent
SLUG = "randers"
NEVER = "0 2 29 2 *"  # so that the run that is started here is the only one
WITHIN = 300  # seconds for one night; 20 to 30 are usual on two cores with nothing beside

# A task that does what ours never do: print its account.
LEAKY = """
from pathlib import Path
from airflow.sdk import DAG, task
from samspil.agreement import load_municipality
from samspil.airflow.accounts import account
from samspil.registry import schemas

with DAG("leaky", schedule=None):
    @task
    def leak():
        file = load_municipality(Path(__file__).parent / "municipalities" / "SLUG.yaml", schemas())
        for system in file.systems.values():
            found = account(system.connection, file)
            print("account", found.id, "password", found.password, "extra", found.extra)
    leak()
""".replace("SLUG", SLUG)


def until(true: Callable[[], Any], what: str) -> Any:
    """The first true answer. The other side is a process: there is nothing to wait on but its answers."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if answer := true():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {WITHIN} s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("night")


@pytest.fixture(scope="module")
def dags(folder: Path) -> Path:
    """The DAG folder with one municipality in it."""
    copy = folder / "dags"
    shutil.copytree(ROOT / "dags", copy, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    text = (ROOT / "dags" / "municipalities" / f"{SLUG}.yaml").read_text(encoding="utf-8")
    schedule = next(line for line in text.splitlines() if line.startswith("schedule:"))
    (copy / "municipalities" / f"{SLUG}.yaml").write_text(text.replace(schedule, f'schedule: "{NEVER}"'), "utf-8")
    (copy / "leaky.py").write_text(LEAKY, "utf-8")
    return copy


@pytest.fixture(scope="module")
def systems(dags: Path) -> Iterator[Systems]:
    file = load_municipality(dags / "municipalities" / f"{SLUG}.yaml", schemas())
    with Systems([file], citizens=60) as running:
        yield running


@pytest.fixture(scope="module")
def night(folder: Path, dags: Path, systems: Systems) -> Iterator[SimpleNamespace]:
    """Airflow, after two runs of the municipality's DAG that were started over its API; STAR refused the second."""
    file = load_municipality(dags / "municipalities" / f"{SLUG}.yaml", schemas())
    own = {
        "SAMSPIL_STORE": f"sqlite:///{folder}/store-{{municipality}}.db",
        "SAMSPIL_KEY": base64.b64encode(bytes(range(32))).decode(),
        "PYTHONPATH": str(ROOT),
        **systems.environment,
    }
    with Installation(folder / "airflow", dags, own) as airflow:
        airflow.run("db", "migrate")
        wanted = folder / "pools.json"
        wanted.write_text(json.dumps({pool["name"]: {**pool} for pool in pools([file])}), "utf-8")
        airflow.run("pools", "import", str(wanted))
        parts = (*PARTS, "triggerer")
        airflow.start(*parts)
        airflow.wait(*parts)
        for dag in (SLUG, "leaky"):
            until(lambda dag=dag: dag in {each["dag_id"] for each in airflow.api("GET", "dags")["dags"]}, dag)
            airflow.api("PATCH", f"dags/{dag}", is_paused=False)
        ran = _run(airflow, SLUG)
        systems.to_night(2)
        systems.sandboxes[SLUG, "star"].faults.add("fault:1012", times=math.inf)  # logon failed
        refused = _run(airflow, SLUG)
        said = _logs(airflow)
        leaked = _run(airflow, "leaky")
        systems.sandboxes[SLUG, "star"].faults.clear()
        systems.sandboxes[SLUG, "star"].faults.add("status:429", times=math.inf, retry_after=600)
        pause = _paused(airflow)
        yield SimpleNamespace(
            airflow=airflow, file=file, tasks=ran, refused=refused, logs=said, leaked=leaked, pause=pause
        )


def _run(airflow: Installation, dag: str) -> list[dict[str, Any]]:
    """Start a run whose deadline has passed, wait until it has ended and return its task instances."""
    begun = datetime.now(UTC) - timedelta(hours=30)
    run = airflow.api("POST", f"dags/{dag}/dagRuns", logical_date=begun.isoformat())["dag_run_id"]
    path = f"dags/{dag}/dagRuns/{run}"
    until(lambda: airflow.api("GET", path)["state"] in ("success", "failed"), path)
    return list(airflow.api("GET", f"{path}/taskInstances")["task_instances"])


def _paused(airflow: Installation) -> SimpleNamespace:
    """A run in which STAR asks for a pause of ten minutes: when it is asked again, and what the others did meanwhile."""
    run = airflow.api("POST", f"dags/{SLUG}/dagRuns", logical_date=None)["dag_run_id"]
    path = f"dags/{SLUG}/dagRuns/{run}/taskInstances?limit=200"

    def settled() -> Any:
        tasks = {task["task_id"]: task for task in airflow.api("GET", path)["task_instances"]}
        if tasks["check_star"]["state"] != "up_for_retry":
            return None
        late = {name for name, task in tasks.items() if task["state"] not in ("success", "skipped")}
        return tasks if all(name == "check_star" or "star" in name for name in late) else None

    tasks = until(settled, path)
    with closing(sqlite3.connect(airflow.home / "airflow.db", timeout=60)) as database:
        query = "SELECT retry_delay_override FROM task_instance WHERE task_id = 'check_star' AND state = 'up_for_retry'"
        (seconds,) = database.execute(query).fetchone()
    return SimpleNamespace(tasks=tasks, seconds=seconds)


def _logs(airflow: Installation) -> dict[str, str]:
    """Every log file as it is now: those of the tasks and those of Airflow's parts."""
    files = [path for path in airflow.home.rglob("*.log") if path.is_file()]
    return {str(path.relative_to(airflow.home)): path.read_text("utf-8", "replace") for path in files}


def _found(words: set[str], logs: dict[str, str]) -> list[str]:
    return [name for name, text in logs.items() if any(word in text for word in words)]


def test_every_task_of_the_night_succeeds_at_the_first_try(night):
    assert len(night.file.systems) + 5 * len(night.file.flows) == len(night.tasks)
    asked = [task for task in night.tasks if task["task_id"].endswith(".approve")]
    assert {"skipped"} == {task["state"] for task in asked}
    assert {("success", 1)} == {(task["state"], task["try_number"]) for task in night.tasks if task not in asked}


def test_a_system_that_refuses_us_fails_at_once_and_stops_its_own_flows_only(night):
    outcome = {task["task_id"]: (task["state"], task["try_number"]) for task in night.refused}
    theirs = {flow.name for flow in night.file.flows if "star" in (flow.source, flow.target)}
    waiting = {f"{flow}.{step}" for flow in theirs for step in ("plan", "guard", "approve", "deliver", "reconcile")}
    assert theirs
    assert outcome.pop("check_star") == ("failed", 1)
    assert {("upstream_failed", 0)} == {outcome.pop(task) for task in waiting}
    assert {("success", 1), ("skipped", 0)} == set(outcome.values())
    said = "".join(text for name, text in night.logs.items() if "check_star" in name)
    assert "credentials, a certificate or a permission must be renewed" in said


def test_a_pause_that_a_system_asks_for_is_airflow_s_too_and_the_other_flows_go_on(night, systems):
    assert 600 <= night.pause.seconds < 700
    others = {flow.name for flow in night.file.flows if "star" not in (flow.source, flow.target)}
    assert others
    assert {"success"} == {night.pause.tasks[f"{flow}.reconcile"]["state"] for flow in others}


def test_tasks_ran_in_their_systems_pools(night):
    offered = {pool["name"] for pool in pools([night.file])}
    assert offered == {task["pool"] for task in night.tasks} - {"default_pool"}


def test_the_systems_hold_what_was_delivered(night, systems):
    for flow in night.file.flows:
        assert systems.sandboxes[SLUG, flow.target].held(flow.schema), flow.name


def test_only_run_ids_pass_between_tasks(night):
    path = f"dags/{SLUG}/dagRuns/~/taskInstances/~/xcomEntries?limit=200"
    entries = night.airflow.api("GET", path)["xcom_entries"]
    passed = [entry for entry in entries if entry["key"] != "skipmixin_key"]  # which tasks follow the guard
    assert {f"{flow.name}.plan" for flow in night.file.flows} == {entry["task_id"] for entry in passed}
    for entry in passed:
        value = night.airflow.api(
            "GET", f"dags/{SLUG}/dagRuns/{entry['run_id']}/taskInstances/{entry['task_id']}/xcomEntries/{entry['key']}"
        )["value"]
        assert str(value).isdecimal()


def test_a_log_shows_the_counts_and_what_to_do_next(night):
    said = "".join(text for name, text in night.logs.items() if "reconcile" in name)
    assert "balances: read" in said
    assert f"samspil quarantine list {SLUG}" in said


def test_no_log_has_a_cpr_number_of_anyone(night, systems):
    worlds = {sandbox.world.municipality: sandbox.world for sandbox in systems.sandboxes.values()}
    numbers = {fact["cpr"] for world in worlds.values() for fact in world.records("person")}
    assert len(numbers) > 50
    assert _found(numbers | {f"{number[:6]}-{number[6:]}" for number in numbers}, night.logs) == []


@pytest.fixture
def secrets(systems: Systems) -> set[str]:
    passwords = {account.password for account in systems.accounts.values()}
    passwords |= {account.extra.get("certificate_password", "") for account in systems.accounts.values()}
    return {password for password in passwords if password}


def test_no_log_has_a_secret(night, secrets):
    assert secrets
    assert _found(secrets, night.logs) == []


def test_a_task_s_log_masks_secrets_even_when_it_prints_its_account(night, secrets):
    """Airflow masks the task's log. What is printed, not logged, also reaches its worker's own output unmasked."""
    assert ["success"] == [task["state"] for task in night.leaked]
    printed = {name: text for name, text in _logs(night.airflow).items() if "dag_id=leaky" in name}
    assert [len(night.file.systems)] == [text.count("password ") for text in printed.values()]
    assert _found(secrets, printed) == []


def test_a_missed_deadline_is_said_in_the_triggerer_s_log(night):
    said = f"{SLUG}: not done by {night.file.deadline}: "
    until(lambda: said in _logs(night.airflow)["triggerer.log"], said)
