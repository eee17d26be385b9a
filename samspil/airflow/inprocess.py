"""Runs DAGs one after another in this process, as another process tells it to: ``python -m samspil.airflow.inprocess``.

For demonstrations and tests: Airflow's own ``dag.test()`` schedules and runs the tasks, without a scheduler and
without the seconds that each task's own process costs. Commands come as JSON lines on standard input and are
answered, one line each, on standard output; everything else that is printed goes to the command's log file.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from samspil.airflow import APPROVE


def prepare(pools: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
    """Create Airflow's database with the pools and the DAGs: two first runs at once would both create the DAGs."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager  # noqa: PLC0415  # all of Airflow: late
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db  # noqa: PLC0415
    from airflow.models.pool import Pool  # noqa: PLC0415
    from airflow.utils.db import initdb  # noqa: PLC0415

    initdb()
    for pool in pools:
        Pool.create_or_update_pool(**pool)
    bundles = DagBundlesManager()  # type: ignore[no-untyped-call]  # Airflow's
    bundles.sync_bundles_to_db()
    for bundle in bundles.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(bag, bundle.name, bundle.version)
    return {}


def load(**_: Any) -> dict[str, Any]:
    """Import all that the first run needs, so that it can be done while something else is prepared."""
    import airflow.api_fastapi.execution_api.app  # noqa: PLC0415
    import airflow.dag_processing.dagbag  # noqa: PLC0415
    import airflow.sdk.execution_time.supervisor  # noqa: F401, PLC0415

    return {}


def run(dag: str, environment: dict[str, str], log: str) -> dict[str, Any]:
    """Run a DAG once. Returns the run's id, its state and the tasks that did not succeed with their state.

    ``log`` is where the run's output goes; each task's part of it is kept where Airflow's pages look for it.
    """
    os.environ.update(environment)
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

    bag = DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if dag not in bag.dags:
        return {"error": f"there is no DAG {dag}: {'; '.join(bag.import_errors.values()) or 'no import errors'}"}
    begun = time.monotonic()
    bag.dags[dag].deadline = None  # in 3.3 dag.test() takes the alert itself for the id of its row and stumbles
    done = bag.dags[dag].test(mark_success_pattern=rf".*\.{APPROVE}")  # nobody is there to be asked
    failed = {ti.task_id: str(ti.state) for ti in done.get_task_instances() if ti.state not in ("success", "skipped")}
    seconds = round(time.monotonic() - begun, 2)
    sys.stdout.flush()
    folder = Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"]) / f"dag_id={dag}" / f"run_id={done.run_id}"
    for task, text in task_logs(Path(log).read_text(encoding="utf-8", errors="replace")):
        place = folder / f"task_id={task}"
        place.mkdir(parents=True, exist_ok=True)
        with (place / "attempt=1.log").open("a", encoding="utf-8") as file:
            file.write(text)
    return {"run_id": done.run_id, "state": str(done.state.value), "failed": failed, "seconds": seconds}


def task_logs(text: str) -> Iterator[tuple[str, str]]:
    """Each task's part of what ``dag.test()`` printed, in the order in which they began."""
    parts: dict[str, list[str]] = {}
    part: list[str] = []
    for line in text.splitlines(keepends=True):
        _, begins, rest = line.partition("[DAG TEST] starting task_id=")
        if begins:
            part = parts.setdefault(rest.split()[0], [])
        elif "[DAG TEST]" not in line:
            part.append(line)
    for task, lines in parts.items():
        yield task, "".join(lines)


_COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "load": load, "run": run}


def main() -> None:
    """Answer commands until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    for line in sys.stdin:
        command = json.loads(line)
        log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        os.close(log)
        try:
            answer = _COMMANDS[command.pop("do")](**command)
        except Exception as error:  # noqa: BLE001  # the other process must learn of whatever it was
            traceback.print_exc()
            answer = {"error": type(error).__name__}
        sys.stdout.flush()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
