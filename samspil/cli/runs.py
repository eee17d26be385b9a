"""runs, approve and refuse: what ran last, and a person's decision on what the guard stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from samspil.cli import failure, show
from samspil.cli.arguments import Municipality, RunId, Why, user
from samspil.errors import AccessError, Unavailable

if TYPE_CHECKING:
    from samspil.agreement import Flow
    from samspil.flow import Counts
    from samspil.store.runs import Run
    from samspil.store.waiting import Waiting

COUNTS = ("read", "unchanged", "filtered", "withheld", "delivered", "deleted", "held back", "blocked")


def runs(municipality: Municipality) -> None:
    """List each flow's latest run and what it counted.

    Withheld: of what was filtered, for want of the citizen's consent. Blocked: of persons who were erased.

    Example: `samspil runs randers`
    """
    from samspil.flow.reconciliation import count  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.store import runs as stored  # noqa: PLC0415
    from samspil.store.runs import State  # noqa: PLC0415
    from samspil.store.waiting import waiting  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    steps: list[str] = []
    waits: list[str | None] = []
    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        slug = hub.file.slug
        for flow in hub.file.flows:
            number = stored.find_flow(connection, hub.file.municipality.code, flow.name)
            run = stored.latest(connection, number) if number is not None else None
            waits.append(_waits(flow, waiting(connection, hub.file, flow, number)))
            if run is None:
                rows.append((flow.name, "", "never", "", *[""] * len(COUNTS), ""))
                continue
            row = (flow.name, run.id, run.state, show.moment(run.started))
            if run.state in (State.APPROVED, State.DONE):
                counts = count(connection, run)
                rows.append((*row, *numbers(counts)))
                if counts.held_back:
                    steps.append(f"Held back: samspil quarantine list {slug} --flow {flow.name}")
            else:
                rows.append((*row, run.counts.get("read", ""), *[""] * len(COUNTS)))
            steps += _decision(slug, flow, run)
        name = hub.file.municipality.name
    show.table(f"{name}: the latest runs", ("flow", "run", "state", "started", *COUNTS, "balance"), rows, _NUMBERS)
    for line in filter(None, waits):
        show.line(line)
    if len(steps) > _MANY_STEPS and all(step.startswith("Held back") for step in steps):
        steps = [f"Held back: samspil quarantine list {slug}"]
    for step in steps or ([f"Next: samspil plan {slug}"] if all(row[2] == "never" for row in rows) else []):
        show.line(step)


def approve(municipality: Municipality, run: RunId, why: Why) -> None:
    """Let a run go on that the guard stopped: exactly the plan that was made.

    Example: `samspil approve randers 17 --why "the centre closed two teams"`
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        slug = hub.file.slug
        steps.decide(hub, run, approve=True, who=user(), why=why)
        hub.try_again()
        try:
            with show.working(f"run {run}: deliver"):
                steps.deliver(hub, run)
                counts = steps.reconcile(hub, run)
        except (AccessError, Unavailable) as error:
            failure.tell(error)
            show.note(f"Run {run} is approved all the same; send the rest of it: samspil apply {slug}")
            raise typer.Exit(failure.exit_code([error])) from None
    show.line(f"Run {run}: {counts.delivered} delivered, {counts.deleted} deleted, {counts.held_back} held back.")
    if counts.held_back:
        show.line(f"Held back: samspil quarantine list {slug}")


def refuse(municipality: Municipality, run: RunId, why: Why) -> None:
    """Drop a plan that the guard stopped; the next run plans afresh.

    Example: `samspil refuse randers 17 --why "the export was cut off"`
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        slug = hub.file.slug
        steps.decide(hub, run, approve=False, who=user(), why=why)
    show.line(f"Run {run} was dropped; nothing of it was sent. Plan afresh: samspil plan {slug}")


def numbers(counts: Counts) -> tuple[object, ...]:
    """Counts in the order of COUNTS, and whether they balance."""
    return (
        counts.read,
        counts.unchanged,
        counts.filtered,
        counts.withheld or "",
        counts.delivered,
        counts.deleted,
        counts.held_back,
        counts.blocked or "",
        "✓" if counts.balances else "✗",
    )


def _decision(slug: str, flow: Flow, run: Run) -> Iterator[str]:
    """What a person has to do about a run that does not go on by itself."""
    if run.state == "tripped":
        wants = f"would change {run.planned.updates} and delete {run.planned.deletions} records"
        yield f"Run {run.id} {wants}; decide: samspil approve {slug} {run.id} --why …, or samspil refuse"
    elif run.state in ("planned", "approved"):
        yield f"Run {run.id} is not finished; go on: samspil apply {slug} --flow {flow.name}"


def _waits(flow: Flow, what: Waiting | None) -> str | None:
    """What of a flow waits, for whom and since when, in one line."""
    if what is None:
        return None
    since = show.moment(what.since)
    unsent = f"{what.changes} changes are not sent"
    if what.system:
        return f"{flow.name} waits for {what.system}, away since {since}" + (f": {unsent}" if what.changes else "")
    return f"{flow.name}: {unsent}, since {since}"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (runs, approve, refuse):
        app.command()(command)


_NUMBERS = ("run", *COUNTS)
_MANY_STEPS = 1
