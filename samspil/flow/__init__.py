"""A flow's steps: check → plan → guard → deliver → reconcile. Each can be run again, at any time, in any process.

What passes between the steps is the run's id, never a record. Airflow calls them as tasks; ``samspil apply`` calls
them in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samspil.errors import GuardTripped, SamspilError
from samspil.flow.delivery import Delivery
from samspil.flow.draft import Draft
from samspil.flow.guarding import objection
from samspil.flow.planning import read_into
from samspil.flow.reconciliation import Counts, count, require_balance
from samspil.store import outbox, runs
from samspil.store.comparison import Comparison
from samspil.store.runs import Run, State

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow
    from samspil.hub import Hub

__all__ = ["Counts", "check", "deliver", "guard", "plan", "reconcile"]


def check(hub: Hub, system: str) -> None:
    """Reach one system and log in, changing nothing. Raises SettingsError, AccessError or Unavailable."""
    hub.connector(system).check()


def plan(hub: Hub, name: str, key: str) -> int:
    """Plan a run of the flow and return its id. The same ``key`` is the same run: planned once, then only returned.

    First what an earlier run left undone is finished, with the same idempotency keys. Raises AccessError or
    Unavailable; then nothing of this plan counts, and planning again with the same key starts it afresh.
    """
    flow = hub.flow(name)
    with hub.store.transaction() as connection:
        run = runs.start(connection, flow.id, key)
        if run.state is not State.PLANNING:
            return run.id
        outbox.discard(connection, run.id)
    _finish_earlier(hub, flow, run)
    with Comparison(hub.store, flow.id) as comparison:
        draft = Draft(hub, flow, run.id, comparison.connection)
        since = _since(hub, flow)
        read_into(draft, comparison, since)
        draft.finish(snapshot=since is None)
    return run.id


def guard(hub: Hub, run_id: int) -> None:
    """Let the run go on, or raise GuardTripped: then ``samspil approve`` or ``samspil refuse`` decides."""
    run, flow = _run(hub, run_id)
    if run.state is State.PLANNED:
        with hub.store.transaction() as connection:
            why = objection(flow.flow.guard, run.planned, runs.held_by_target(connection, run.flow_id))
            runs.change(connection, run.id, state=State.TRIPPED if why else State.APPROVED)
    elif run.state is State.TRIPPED:
        why = "still waits for a decision"
    else:
        why = None
    if why:
        place = f"samspil approve {hub.file.slug} {run.id}"
        raise GuardTripped(f"{flow.flow.name}: run {run.id} {why}. Look at it and decide: {place}", run=run.id)


def decide(hub: Hub, run_id: int, *, approve: bool, who: str, why: str) -> None:
    """A person's decision on a run the guard stopped. Raises SamspilError when there is nothing to decide."""
    run, flow = _run(hub, run_id)
    if run.state is not State.TRIPPED:
        raise SamspilError(f"run {run.id} does not wait for a decision ({run.state})", reason="nothing-to-decide")
    with hub.store.transaction() as connection:
        runs.change(connection, run.id, state=State.APPROVED if approve else State.DROPPED)
        decision = {"what": "approve" if approve else "refuse", "run": run.id, "who": who, "why": why}
        hub.ledger.append(connection, {**decision, **flow.context}, ())


def deliver(hub: Hub, run_id: int) -> None:
    """Send what the flow has pending. Raises AccessError or Unavailable; then calling again goes on from there."""
    run, flow = _run(hub, run_id)
    if run.state in (State.APPROVED, State.DONE):
        Delivery(hub, flow).run()


def reconcile(hub: Hub, run_id: int) -> Counts:
    """Count the run from its rows and close it. Raises SamspilError (unbalanced) when a record is unaccounted for."""
    run, flow = _run(hub, run_id)
    with hub.store.transaction() as connection:
        counts = count(connection, run)
        require_balance(run, counts)
        if run.state is State.APPROVED:
            runs.finish(connection, run)
            hub.ledger.append(connection, {"what": "reconcile", "run": run.id, **flow.context}, ())
    return counts


def _run(hub: Hub, run_id: int) -> tuple[Run, CompiledFlow]:
    with hub.store.transaction() as connection:
        run = runs.get(connection, run_id)
        name = runs.flow_name(connection, run.flow_id)
    return run, hub.flow(name)


def _finish_earlier(hub: Hub, flow: CompiledFlow, run: Run) -> None:
    """Settle what earlier runs left: deliver the approved, drop the unapproved (this plan is newer than theirs)."""
    with hub.store.transaction() as connection:
        earlier = runs.unfinished(connection, flow.id, besides=run.id)
    for old in earlier:
        if old.state is State.PLANNED:
            try:
                guard(hub, old.id)
            except GuardTripped:
                old.state = State.TRIPPED
        if old.state in (State.PLANNING, State.TRIPPED):
            with hub.store.transaction() as connection:
                outbox.discard(connection, old.id)
                runs.change(connection, old.id, state=State.DROPPED, pending=False)
    if any(old.state in (State.PLANNED, State.APPROVED, State.DONE) for old in earlier):
        Delivery(hub, flow).run()
    for old in earlier:
        if old.state in (State.PLANNED, State.APPROVED):
            reconcile(hub, old.id)


def _since(hub: Hub, flow: CompiledFlow) -> str | None:
    if flow.reads.mode != "incremental":
        return None
    with hub.store.transaction() as connection:
        return runs.cursor(connection, flow.id)
