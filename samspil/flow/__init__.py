"""A flow's steps: check → plan → guard → deliver → reconcile. Each can be run again, at any time, in any process.

What passes between the steps is the run's id, never a record. Airflow calls them as tasks; ``samspil apply`` calls
them in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samspil.errors import GuardTripped, SamspilError, Unavailable
from samspil.flow.delivery import Delivery
from samspil.flow.draft import Draft
from samspil.flow.guarding import objection
from samspil.flow.planning import read_into
from samspil.flow.reconciliation import Counts, count, require_balance, require_sent
from samspil.ledger.head import keep
from samspil.store import lock, outbox, quarantine, runs
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
    with lock.exclusive(hub.store, flow.id):
        with hub.store.transaction() as connection:
            run = runs.start(connection, flow.id, key)
            if run.state is not State.PLANNING:
                return run.id
            outbox.discard(connection, run.id)
            quarantine.discard(connection, run.id)
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
    _require_kept(run)
    if run.state is State.PLANNED:
        with hub.store.transaction() as connection:
            why = objection(flow.flow.guard, run.planned, runs.held_by_target(connection, run.flow_id))
            state = State.TRIPPED if why else State.APPROVED
            if not runs.change(connection, run.id, was=State.PLANNED, state=state):
                raise _moved_on(run)
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
        waits = f"run {run.id} does not wait for a decision ({run.state}): samspil runs {hub.file.slug}"
        raise SamspilError(waits, reason="nothing-to-decide")
    with hub.store.transaction() as connection:
        state = State.APPROVED if approve else State.DROPPED
        if not runs.change(connection, run.id, was=State.TRIPPED, state=state):
            raise _moved_on(run)
        decision = {"what": "approve" if approve else "refuse", "run": run.id, "who": who, "why": why}
        hub.ledger.append(connection, {**decision, **flow.context}, ())


def deliver(hub: Hub, run_id: int) -> None:
    """Send what the flow has pending. Raises AccessError or Unavailable; then calling again goes on from there."""
    run, flow = _run(hub, run_id)
    _require_kept(run)
    if run.state in (State.APPROVED, State.DONE):
        with lock.exclusive(hub.store, flow.id):
            Delivery(hub, flow).run()


def reconcile(hub: Hub, run_id: int) -> Counts:
    """Count the run from its rows and close it. Raises SamspilError (unbalanced) when a record is unaccounted for."""
    run, flow = _run(hub, run_id)
    _require_kept(run)
    with hub.store.transaction() as connection:
        counts = count(connection, run)
        require_balance(run, counts)
        if run.state is State.APPROVED:
            require_sent(connection, run)
            runs.finish(connection, run)
            hub.ledger.append(connection, {"what": "reconcile", "run": run.id, **flow.context}, ())
            head = hub.ledger.head(connection)
    if run.state is State.APPROVED:
        keep(head)
    return counts


def _run(hub: Hub, run_id: int) -> tuple[Run, CompiledFlow]:
    with hub.store.transaction() as connection:
        try:
            run = runs.get(connection, run_id)
        except LookupError:
            raise _no_run(hub, run_id) from None
        name = runs.flow_name(connection, run.flow_id)
    flow = hub.flow(name)
    if run.flow_id != flow.id:  # municipalities may share a store, and their flows have the same names
        raise _no_run(hub, run_id)
    return run, flow


def _require_kept(run: Run) -> None:
    if run.state is State.DROPPED:
        raise SamspilError(f"run {run.id} was dropped and nothing of it is sent; start a new one", reason="dropped")


def _moved_on(run: Run) -> Unavailable:
    return Unavailable(f"another process has just decided on run {run.id}", system="store", reason="store-conflict")


def _no_run(hub: Hub, run_id: int) -> SamspilError:
    return SamspilError(f"there is no run {run_id}: samspil runs {hub.file.slug}", reason="no-run")


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
                if not runs.change(connection, old.id, was=old.state, state=State.DROPPED, pending=False):
                    raise _moved_on(old)
                outbox.discard(connection, old.id)
                if old.state is State.PLANNING:
                    quarantine.discard(connection, old.id)
    if any(old.state in (State.PLANNED, State.APPROVED, State.DONE) for old in earlier):
        Delivery(hub, flow).run()
    for old in earlier:
        if old.state in (State.PLANNED, State.APPROVED):
            reconcile(hub, old.id)


def _since(hub: Hub, flow: CompiledFlow) -> str | None:
    if flow.reads.mode != "incremental":
        return None
    with hub.store.transaction() as connection:
        version, _, since = (runs.cursor(connection, flow.id) or "").partition(" ")
    return since if version == flow.version else None  # what was read in another version must be mapped again
