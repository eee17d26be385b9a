"""What the tasks do. Each opens the hub, does one step and says in its log what was counted and what to do next."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import stamina
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from samspil.airflow.accounts import account
from samspil.airflow.keys import master
from samspil.errors import GuardTripped, SamspilError, SettingsError, Unavailable

log = logging.getLogger(__name__)


class UnexpectedError(Exception):
    """An error that is ours. Its own message is left out: it may quote a value from a record."""


def check(path: str, system: str) -> None:
    """Reach one system and log in; warn of what this rests on and runs out soon."""
    with _hub(path) as (hub, steps):
        warnings = steps.check(hub, system)
    log.info("%s answers and lets us in", system)
    for warning in warnings:
        log.warning("%s: %s", system, warning)


def plan(path: str, flow: str, rhythm: str) -> int:
    """Read, keep what changed and plan. Returns the run's id, the only thing that is passed on."""
    context = get_current_context()
    if not due(rhythm, context):
        raise AirflowSkipException(f"{flow} is {rhythm}: not due tonight")
    with _hub(path) as (hub, steps):
        run: int = steps.plan(hub, flow, str(context["run_id"]))
        _report(hub, run)
    return run


def guard(path: str, run: int, within: str, beyond: str) -> str:
    """Stop a plan that is larger than the agreement allows. Returns the task that follows."""
    try:
        with _hub(path) as (hub, steps):
            steps.guard(hub, run)
    except GuardTripped as stopped:
        log.warning("%s", stopped)
        return beyond
    log.info("run %s is within what the agreement allows, or was approved", run)
    return within


def look_at(path: str, run: int) -> Any:
    """A run that a person may have to decide on; see ``samspil.flow.look``."""
    from samspil.flow.look import look  # noqa: PLC0415

    with _hub(path) as (hub, _):
        return look(hub, run)


@stamina.retry(on=Unavailable, attempts=8, timeout=300, wait_max=60)  # an answer cannot be asked for twice
def decide(path: str, run: int, *, approve: bool, who: str, answered: str) -> None:
    """Enter a person's answer. One that agrees with what was decided elsewhere meanwhile is none of its own."""
    from samspil.flow.look import look  # noqa: PLC0415

    with _hub(path) as (hub, steps):
        try:
            steps.decide(hub, run, approve=approve, who=who, why="answered in Airflow", answered=answered)
        except SamspilError as error:
            seen = look(hub, run)
            if error.reason != "nothing-to-decide" or seen.waits or seen.sends != approve:
                raise
            log.info("run %s was decided on already, in the same way", run)


def deliver(path: str, run: int) -> None:
    """Send the outbox and keep the receipts."""
    with _hub(path) as (hub, steps):
        steps.deliver(hub, run)
        _report(hub, run)


def reconcile(path: str, run: int) -> None:
    """Every record read is delivered, unchanged, filtered, held back or blocked, or the task is red."""
    with _hub(path) as (hub, steps):
        counts = steps.reconcile(hub, run)
        with hub.store.transaction() as connection:
            head = hub.ledger.head(connection)
    log.info("the ledger's head, for samspil verify --head: %s", head.line().decode())
    log.info("run %s balances: %s", run, in_words(msgspec.structs.asdict(counts)))
    if counts.held_back:
        log.warning("%s records in quarantine: samspil quarantine list %s", counts.held_back, hub.file.slug)
    if counts.deletions_held_back:
        log.warning("%s deletions were refused: samspil quarantine list %s", counts.deletions_held_back, hub.file.slug)
    if not counts.complete:
        log.warning("the source could not be read in full, so nothing was deleted at the target tonight")


def refuse(message: str) -> None:
    """The one task of a municipality whose file cannot be used: it fails with what is wrong."""
    raise SettingsError(message)


def due(rhythm: str, context: Mapping[str, Any]) -> bool:
    """Whether a scheduled run carries the flow: weekly ones on Monday, monthly ones on the 1st, others always.

    A run that a person starts carries every flow.
    """
    if context["dag_run"].run_type != "scheduled":
        return True
    night = context["logical_date"].in_timezone("Europe/Copenhagen")
    return not (rhythm == "weekly" and night.isoweekday() != 1) and not (rhythm == "monthly" and night.day != 1)


def in_words(counts: Mapping[str, Any]) -> str:
    """``read 200, unchanged 180, reasons (bad-date 2)``: what is not zero."""
    return (
        ", ".join(
            f"{name.replace('_', ' ')} ({in_words(number)})"
            if isinstance(number, Mapping)
            else f"{name.replace('_', ' ')} {number}"
            for name, number in counts.items()
            if number and not isinstance(number, bool)
        )
        or "nothing"
    )


def _report(hub: Any, run: int) -> None:
    from samspil.store import runs  # noqa: PLC0415

    with hub.store.transaction() as connection:
        log.info("run %s: %s", run, in_words(runs.get(connection, run).counts))


@contextmanager
def _hub(path: str) -> Iterator[tuple[Any, Any]]:
    """The open hub and its steps; errors come out without what caused them, which may quote a value.

    Imported here, not at the top: Airflow reads DAGs every few seconds and must not load the engine for that.
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    try:
        with Hub.open(Path(path), account=lambda connection: account(connection, hub.file), master=master) as hub:
            yield hub, steps
    except SamspilError as error:
        raise error from None
    except Exception as error:  # noqa: BLE001  # whatever it is, its message must not reach the log
        raise UnexpectedError(type(error).__name__).with_traceback(error.__traceback__) from None
