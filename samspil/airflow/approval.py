"""A person's approval of a plan that the guard stopped, asked for in Airflow itself.

The task waits in the state ``awaiting_input`` and holds no worker and no slot of a pool. It is answered in Airflow's
pages or over its API; whether the plan may be sent is decided by the run's state in the store, as everywhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from airflow.providers.standard.operators.hitl import ApprovalOperator

from samspil.airflow import tasks
from samspil.airflow.deadline import starts
from samspil.errors import GuardTripped, SamspilError

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_COUNTS = ("read", "creates", "updates", "deletions", "withdrawals", "held_new", "unchanged", "filtered")


def patience(schedule: str) -> timedelta:
    """How long an answer is waited for: three quarters of the time to the next start, which must not be held up."""
    times = starts(schedule)
    gaps = [later - earlier for earlier, later in zip(times, [*times[1:], times[0] + _DAY], strict=True)]
    return min(gaps) * 3 / 4


class Approval(ApprovalOperator):
    """Ask whether a run's plan may be sent. Reached only when the guard has stopped it.

    ``path`` is the municipality's file, ``run`` the plan's run. Nothing is passed on to other tasks; the question has
    counts and an address in it, never a value of a record.
    """

    template_fields: Sequence[str] = (*ApprovalOperator.template_fields, "run")

    def __init__(self, *, path: str, run: Any, **settings: Any) -> None:
        super().__init__(subject="A plan waits for a person", do_xcom_push=False, **settings)
        self.path, self.run = path, run

    def execute(self, context: Context) -> Any:
        """Ask, unless somebody has decided already."""
        seen = tasks.look_at(self.path, self.run)
        if not seen.waits:
            return self._go_on(context, sends=seen.sends)
        self.subject = f"{seen.flow.name}: may run {self.run} be sent?"
        self.body = question(seen, context["ti"].dag_id)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Carry the answer out. Without one nothing is sent, and the plan goes on waiting until the next night."""
        if "error" in event:
            seen = tasks.look_at(self.path, self.run)
            if not seen.waits:
                return self._go_on(context, sends=seen.sends)
            silence = f"nobody has decided on run {self.run} in time, and nothing of it was sent"
            raise GuardTripped(
                f"{silence}. Clear this task to be asked again; the next night plans afresh", run=self.run
            )
        self.validate_chosen_options(event["chosen_options"])
        approve = event["chosen_options"] == [self.APPROVE]
        tasks.decide(self.path, self.run, approve=approve, who=_who(event), answered=event["responded_at"].isoformat())
        return self._go_on(context, sends=approve)

    def _go_on(self, context: Context, *, sends: bool) -> None:
        if not sends:
            log.info("run %s was refused or replaced: nothing of it is sent", self.run)
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))


def question(seen: Any, dag_id: str) -> str:
    """The plan in Markdown: why it waits, its counts, and where its fields can be looked at."""
    counts = "\n".join(f"| {name.replace('_', ' ')} | {seen.run.counts.get(name, 0)} |" for name in _COUNTS)
    page = f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/samspil/plan/{dag_id}/{seen.run.id}"
    return (
        f"Nothing of run {seen.run.id} was sent, because it {seen.why or 'was stopped by the guard'}.\n\n"
        f"| | records |\n| --- | ---: |\n{counts}\n| held by the target now | {seen.held_by_target} |\n\n"
        f"[Look at its changes, field by field]({page}).\n\n"
        "**Approve** sends exactly this plan. **Reject** drops it; the next night plans afresh.\n"
    )


def _who(event: dict[str, Any]) -> str:
    """Who answered, as Airflow knows them."""
    user = event["responded_by_user"]
    if not user:
        raise SamspilError("Airflow does not say who answered; clear this task to be asked again", reason="answer")
    return f"{user['name']} (Airflow user {user['id']})"
