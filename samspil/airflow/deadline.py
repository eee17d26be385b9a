"""The morning's deadline: what must be known when a municipality's night is not done in time."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import (  # type: ignore[attr-defined]  # they are there; its stub does not list them
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
)
from asgiref.sync import sync_to_async

log = logging.getLogger(__name__)

DONE = ("success", "skipped")
_DAY = timedelta(days=1)


def deadline_alert(slug: str, schedule: str, deadline: str, last_tasks: dict[str, str]) -> DeadlineAlert:
    """An alert at ``deadline`` (HH:MM), counted from the last start before it that ``schedule`` has.

    ``last_tasks`` is flow → id of the task that ends it. Counted in hours since the start, because that is what
    Airflow can count: in the night when the clocks go back the alert comes an hour early, in spring an hour late.
    """
    at = timedelta(hours=int(deadline[:2]), minutes=int(deadline[3:]))
    times = starts(schedule)
    begun = max((start for start in times if start < at), default=max(times) - _DAY)
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=at - begun,
        callback=AsyncCallback(missed, kwargs={"municipality": slug, "deadline": deadline, "flows": last_tasks}),
        name=f"done by {deadline}",
    )


def starts(schedule: str) -> list[timedelta]:
    """When in a day the schedule starts a run, counted from midnight, in order."""
    minute, hour = (_times(field, high) for field, high in zip(schedule.split(), (59, 23), strict=False))
    return [timedelta(hours=h, minutes=m) for h in hour for m in minute]


def _times(field: str, high: int) -> list[int]:
    """The numbers a cron field stands for, from 0 to ``high``: ``*``, ``n``, ``n-m``, each with ``/step``, listed."""
    times: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = 0 if first == "*" else int(first)
        top = int(last) if last else low if first != "*" and not step else high
        times.update(range(low, top + 1, int(step or 1)))
    return sorted(times)


async def missed(municipality: str, deadline: str, flows: dict[str, str], context: dict[str, Any]) -> str:
    """Say in the triggerer's log which flows are not done. Airflow calls this when the deadline has passed."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance  # noqa: PLC0415  # not for reading a DAG

    run_id = context["dag_run"]["dag_run_id"]
    states = await sync_to_async(RuntimeTaskInstance.get_task_states)(dag_id=municipality, run_ids=[run_id])
    late = late_flows(flows, states.get(run_id, {}))
    message = f"{municipality}: not done by {deadline}: {', '.join(late)} (run {run_id})"
    if late:
        log.error(message)
    return message


def late_flows(flows: dict[str, str], states: dict[str, Any]) -> list[str]:
    """The flows whose last task has not ended well, each with that task's state. Skipped: not due, or refused."""
    return [f"{flow} ({states.get(task) or 'waiting'})" for flow, task in flows.items() if states.get(task) not in DONE]
