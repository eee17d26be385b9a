"""A flow's steps: check → plan → guard → deliver → reconcile. Each can be run again, at any time, in any process.

What passes between the steps is the run's id, never a record. Airflow calls them as tasks; ``samspil apply`` calls
them in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from samspil.errors import GuardTripped, SamspilError, Unavailable
from samspil.expiry import Expiry, expiries
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


def check(hub: Hub, system: str) -> Sequence[Expiry]:
    """Reach one system and log in, changing nothing. Raises SettingsError, AccessError or Unavailable.

    The warnings: what this access rests on and will run out soon. They are noted before the call, since a system that
    turns down a certificate that has run out is told of nothing else.
    """
    connector = hub.connector(system)
    found = expiries(connector.settings, datetime.now(UTC))
    hub.note_expiries(system, found)
    connector.check()
    return found


def plan(hub: Hub, name: str, key: str) -> int:
    """Plan a run of the flow and return its id. The same ``key`` is the same run: planned once, then only returned.

    First what an earlier run left undone is finished, with the same idempotency keys. Raises AccessError or
    Unavailable; then nothing of this plan counts, and planning again with the same key starts it afresh.
    """
    flow = hub.flow(name)
    with lock.exclusive(hub.store, flow.lock):
        with hub.store.transaction() as connection:
            run = runs.start(connection, flow.id, key)
            if run.state is not State.PLANNING:
                return run.id
            outbox.discard(connection, run.id)
            quarantine.discard(connection, run.id)
        _finish_earlier(hub, flow, run)
        if flow.both:  # what the other direction has sent may be read here: first its receipts
            Delivery(hub, flow.both.opposite).run()
        if flow.gate is not None:
            with hub.store.transaction() as connection:
                flow.gate.open(connection)
        with hub.persons.making(), Comparison(hub.store, flow.id) as comparison:
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
            held, last = runs.held_by_target(connection, run.flow_id), runs.last_snapshot(connection, run.flow_id)
            why = objection(flow.flow.guard, run.planned, held, last)
            state = State.TRIPPED if why else State.APPROVED
            if not runs.change(connection, run.id, was=State.PLANNED, state=state):
                raise _moved_on(run)
    elif run.state is State.TRIPPED:
        why = "still waits for a decision"
    else:
        why = None
    if why:
        raise _waits(hub, flow, run, why)


def decide(hub: Hub, run_id: int, *, approve: bool, who: str, why: str, answered: str = "") -> None:
    """A person's decision on a run the guard stopped; ``answered`` is when, if that was earlier (ISO 8601).

    Raises SamspilError when there is nothing to decide, or the plan was made under what was agreed before.
    """
    run, flow = _run(hub, run_id)
    if run.state is not State.TRIPPED:
        waits = f"run {run.id} does not wait for a decision ({run.state}): samspil runs {hub.file.slug}"
        raise SamspilError(waits, reason="nothing-to-decide")
    if approve and run.agreement != flow.agreement:
        old = f"run {run.id} was planned under what was agreed before; refuse it, and plan afresh"
        raise SamspilError(f"{old}: samspil refuse {hub.file.slug} {run.id}", reason="agreement-changed")
    with hub.store.transaction() as connection:
        state = State.APPROVED if approve else State.DROPPED
        if not runs.change(connection, run.id, was=State.TRIPPED, state=state):
            raise _moved_on(run)
        decision = {"what": "approve" if approve else "refuse", "run": run.id, "who": who, "why": why}
        if answered:
            decision["answered"] = answered
        hub.ledger.append(connection, {**decision, **flow.context}, ())


def deliver(hub: Hub, run_id: int) -> None:
    """Send what the flow has pending. Raises AccessError or Unavailable; then calling again goes on from there."""
    run, flow = _run(hub, run_id)
    _require_kept(run)
    if run.state in (State.APPROVED, State.DONE):
        with lock.exclusive(hub.store, flow.lock):
            Delivery(hub, flow).run()


def reconcile(hub: Hub, run_id: int) -> Counts:
    """Count the run from its rows and close it; then let the source know.

    Raises SamspilError (unbalanced) when a record is unaccounted for, AccessError or Unavailable when the source cannot
    be told: calling again does that again.
    """
    run, flow = _run(hub, run_id)
    counts = _reconciled(hub, flow, run)
    if run.state in (State.APPROVED, State.DONE) and run.counts.get("complete"):
        flow.source.settled(flow.flow.schema)
    return counts


def _reconciled(hub: Hub, flow: CompiledFlow, run: Run) -> Counts:
    _require_kept(run)
    if run.state is State.TRIPPED:
        raise _waits(hub, flow, run, "still waits for a decision")
    with hub.store.transaction() as connection:
        counts = count(connection, run)
        require_balance(run, counts)
        if run.state is State.APPROVED:
            require_sent(connection, run)
            if runs.finish(connection, run):
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


def _waits(hub: Hub, flow: CompiledFlow, run: Run, why: str) -> GuardTripped:
    place = f"samspil approve {hub.file.slug} {run.id}"
    return GuardTripped(f"{flow.flow.name}: run {run.id} {why}. Look at it and decide: {place}", run=run.id)


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
            _reconciled(hub, flow, old)


def _since(hub: Hub, flow: CompiledFlow) -> str | None:
    if flow.reads.mode != "incremental":
        return None
    with hub.store.transaction() as connection:
        version, _, since = (runs.cursor(connection, flow.id) or "").partition(" ")
    return since if version == flow.version else None  # what was read in another version must be mapped again
