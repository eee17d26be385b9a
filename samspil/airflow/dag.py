"""Municipalities' files as DAGs. Nothing is read here but the files: no network, no database, no store."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronTriggerTimetable, TaskGroup, TriggerRule, get_parsing_context, literal, task

from samspil.agreement import Flow, MunicipalityFile, load_municipality
from samspil.agreement.in_airflow import InAirflow
from samspil.airflow import APPROVE, tasks
from samspil.airflow.approval import Approval, patience
from samspil.airflow.deadline import deadline_alert
from samspil.airflow.documentation import dag_text
from samspil.airflow.pool import pool_name
from samspil.airflow.retries import FIRST_DELAY, LONGEST_DELAY, RETRIES, RetryByKind
from samspil.errors import SettingsError
from samspil.registry import schemas

DANISH_TIME = "Europe/Copenhagen"
BROKEN = "file-error"  # the tag to look for: municipalities whose file cannot be used
_NIGHTLY = "0 2 * * *"
_GUARDED = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS  # the approval is skipped when it is not needed


def municipality_dags(folder: Path) -> dict[str, DAG]:
    """A DAG for every ``*.yaml`` of a folder, by its id, which is the file's name without ``.yaml``.

    A file that cannot be used becomes a DAG with the same id, the tag ``file-error`` and one task that fails with
    the error: the municipality stands still and is red in the morning, the others are untouched.
    """
    dags: dict[str, DAG] = {}
    codes: dict[str, Path] = {}
    wanted = get_parsing_context().dag_id  # set in a task's process, which needs one DAG only
    for path in sorted(folder.glob("*.yaml")):
        dag_id = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)
        try:
            file = load_municipality(path, schemas())
            _first_of_its_code(file, path, codes)
            if wanted in (None, dag_id):
                dags[dag_id] = _dag(file, path)
        except SettingsError as error:
            dags[dag_id] = _broken_dag(dag_id, str(error))
    return dags


def _first_of_its_code(file: MunicipalityFile, path: Path, codes: dict[str, Path]) -> None:
    first = codes.setdefault(file.municipality.code, path)
    if first is not path:
        raise SettingsError(f"is already in {first.name}", file=str(path), field="municipality.code")


def municipality_dag(path: Path) -> DAG:
    """The DAG of one municipality's file. Raises SettingsError."""
    return _dag(load_municipality(path, schemas()), path)


def _dag(file: MunicipalityFile, path: Path) -> DAG:
    settings = dict(_ALWAYS)
    if file.airflow.queue:
        settings["default_args"] = {**_ALWAYS["default_args"], "queue": file.airflow.queue}
    with DAG(
        file.slug,
        description=f"{file.municipality.name}: {len(file.flows)} flows between {', '.join(file.systems)}",
        schedule=CronTriggerTimetable(file.schedule, timezone=DANISH_TIME),
        deadline=deadline_alert(
            file.slug, file.schedule, file.deadline, {flow.name: f"{flow.name}.reconcile" for flow in file.flows}
        ),
        doc_md=dag_text(file),
        tags=["samspil", file.municipality.code, *sorted({system.connector for system in file.systems.values()})],
        **settings,
    ) as dag:
        # As an argument it brings a warning with each reading that Airflow 4 will do without; Airflow 3's FAB needs it.
        dag.access_control = _rights(file.airflow)
        checks = {name: _task(tasks.check, f"check_{name}", file, name)(str(path), name) for name in file.systems}
        groups = {flow.name: _flow(file, path, flow) for flow in file.flows}
        for flow in file.flows:
            begin, _ = groups[flow.name]
            [checks[flow.source], checks[flow.target], *(groups[name][1] for name in flow.after)] >> begin
    return dag


def _rights(said: InAirflow) -> dict[str, dict[str, Collection[str]]] | None:
    """What FAB's roles may do with this DAG; None, which leaves their rights as they are, if the file names none."""
    return dict.fromkeys(said.read, _READ) | dict.fromkeys(said.operate, _OPERATE) or None


def _flow(file: MunicipalityFile, path: Path, flow: Flow) -> tuple[Any, Any]:
    """One flow's tasks in a group of the flow's name. Returns the first and the last."""
    with TaskGroup(flow.name, tooltip=flow.agreement.purpose):
        plan = _task(tasks.plan, "plan", file, flow.source, trigger_rule=TriggerRule.NONE_FAILED)
        run = plan(str(path), flow.name, flow.rhythm)
        guard = _task(tasks.guard, "guard", file, kind=task.branch)
        guarded = guard(str(path), run, f"{flow.name}.deliver", f"{flow.name}.{APPROVE}")
        approved = Approval(
            task_id=APPROVE, path=str(path), run=run, response_timeout=patience(file.schedule), doc_md=Approval.__doc__
        )
        deliver = _task(tasks.deliver, "deliver", file, flow.target, trigger_rule=_GUARDED)
        delivered = deliver(str(path), run)
        reconciled = _task(tasks.reconcile, "reconcile", file)(str(path), run)
        guarded >> approved >> delivered
        guarded >> delivered >> reconciled
    return run, reconciled


def _task(
    do: Callable[..., Any],
    task_id: str,
    file: MunicipalityFile,
    system: str | None = None,
    *,
    kind: Callable[..., Any] = task,
    **settings: Any,
) -> Callable[..., Any]:
    """A task; if it talks to a system, in that system's pool. Only a plan's result (the run's id) is kept."""
    if system is not None:
        settings["pool"] = pool_name(file.systems[system].connection)
    made: Callable[..., Any] = kind(task_id=task_id, do_xcom_push=do is tasks.plan, doc_md=do.__doc__, **settings)(do)
    return made


def _broken_dag(dag_id: str, message: str) -> DAG:
    with DAG(
        dag_id,
        description=message,
        schedule=CronTriggerTimetable(_NIGHTLY, timezone=DANISH_TIME),
        doc_md=f"# This municipality stands still\n\nIts file cannot be used:\n\n`{message}`\n",
        tags=["samspil", BROKEN],
        **_ALWAYS,
    ) as dag:
        task(task_id="municipality_file", doc_md=tasks.refuse.__doc__)(tasks.refuse)(
            cast("str", literal(message))  # not a template, whatever the file has in it
        )
    return dag


_READ: dict[str, Collection[str]] = {"DAGs": {"can_read"}, "DAG Runs": {"can_read"}}
_OPERATE: dict[str, Collection[str]] = {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_read", "can_create"}}
_ALWAYS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo(DANISH_TIME)),
    "catchup": False,  # a missed night is caught up by the next: what changed is found by comparing, not by date
    "max_active_runs": 1,
    "default_args": {
        "owner": "samspil",
        "retries": RETRIES,
        "retry_delay": FIRST_DELAY,
        "retry_exponential_backoff": 2,
        "max_retry_delay": LONGEST_DELAY,
        "retry_policy": RetryByKind(),
    },
}
