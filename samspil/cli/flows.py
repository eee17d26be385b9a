"""check, plan, apply, runs, approve and refuse: a municipality's flows without Airflow's scheduler."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.errors import SamspilError

if TYPE_CHECKING:
    from samspil.flow import Counts
    from samspil.hub import Hub

Municipality = Annotated[str, typer.Argument(help="File name in dags/municipalities without .yaml, or a path.")]
OneFlow = Annotated[str | None, typer.Option("--flow", help="Only this flow; see `samspil runs` for the names.")]
Why = Annotated[str, typer.Option(help="The reason; it is written in the ledger.")]
RunId = Annotated[int, typer.Argument(help="The run's number, from `samspil runs`.")]

_COUNTS = ("read", "unchanged", "filtered", "delivered", "deleted", "held back")


def check(municipality: Municipality) -> None:
    """Reach every system of a municipality and log in, changing nothing.

    Example: `samspil check randers`
    """
    from samspil import flow as steps  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        failed = 0
        for system in hub.file.systems:
            try:
                steps.check(hub, system)
            except SamspilError as error:
                failed += 1
                show.problem(f"✗ {system}: {error}")
            else:
                show.line(f"✓ {system}")
        for flow in hub.file.flows:
            hub.flow(flow.name)
        show.line(f"✓ {len(hub.file.flows)} flows: mappings and agreements fit together")
    raise typer.Exit(1 if failed else 0)


def plan(
    municipality: Municipality, flow: OneFlow = None, limit: Annotated[int, typer.Option(help="Changes shown.")] = 20
) -> None:
    """Show what a run would change now, field by field. Writes nothing anywhere.

    Example: `samspil plan randers --flow journal-attendance-jobcenter`
    """
    from samspil.flow.preview import Preview  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        for name in _names(hub, flow):
            preview = Preview(hub, name)
            rows: list[tuple[object, ...]] = []
            for change in preview:
                if len(rows) < limit:
                    fields = [f"{field.path}: {field.before} → {field.after}" for field in change.fields]
                    rows.append((change.what, change.key[:12], "\n".join(fields) or change.reason))
            counts = preview.counts
            show.table(
                f"{name}: {counts['create']} to create, {counts['update']} to update, {counts['delete']} to delete, "
                f"{counts['hold back']} to hold back; {counts['unchanged']} unchanged, {counts['filtered']} filtered "
                f"of {counts['read']} read",
                ("what", "record", "fields"),
                rows,
            )
            hidden = sum(counts[what] for what in ("create", "update", "delete", "hold back")) - len(rows)
            if hidden > 0:
                show.line(f"… and {hidden} more (--limit)")
            if not preview.complete:
                show.line("The read was not complete, so nothing would be deleted.")
            if preview.objection:
                show.line(f"The guard would stop it: {preview.objection}")
    show.line(f"Nothing was written. Carry it out: samspil apply {municipality}" + (f" --flow {flow}" if flow else ""))


def apply(municipality: Municipality, flow: OneFlow = None) -> None:
    """Run a municipality's flows now: plan, guard, deliver, reconcile, one after the other.

    Example: `samspil apply randers`
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    key = f"manual {datetime.now(UTC).isoformat(timespec='microseconds')}"
    rows: list[tuple[object, ...]] = []
    problems: list[SamspilError] = []
    held_back = 0
    with Hub.find(municipality) as hub:
        for name in _names(hub, flow):
            with show.console.status(name):
                try:
                    run = steps.plan(hub, name, key)
                    steps.guard(hub, run)
                    steps.deliver(hub, run)
                    counts = steps.reconcile(hub, run)
                    rows.append((name, *_numbers(counts)))
                    held_back += counts.held_back
                except SamspilError as error:
                    problems.append(error)
                    show.problem(f"✗ {name}: {error}")
        show.table(hub.file.municipality.name, ("flow", *_COUNTS, "balance"), rows, _COUNTS)
        slug = hub.file.slug
    if held_back:
        show.line(f"Some records were held back: samspil quarantine list {slug}")
    if problems:
        raise problems[0]


def runs(municipality: Municipality) -> None:
    """List each flow's latest run and what it counted.

    Example: `samspil runs randers`
    """
    from samspil.flow.reconciliation import count  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.store import runs as stored  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        for flow in hub.file.flows:
            number = stored.find_flow(connection, hub.file.municipality.code, flow.name)
            run = stored.latest(connection, number) if number is not None else None
            if run is None:
                rows.append((flow.name, "", "never run", "", *[""] * len(_COUNTS), ""))
            else:
                rows.append((flow.name, run.id, run.state, show.moment(run.started), *_numbers(count(connection, run))))
    show.table(municipality, ("flow", "run", "state", "started", *_COUNTS, "balance"), rows, ("run", *_COUNTS))


def approve(municipality: Municipality, run: RunId, why: Why) -> None:
    """Let a run go on that the guard stopped: exactly the plan that was made.

    Example: `samspil approve randers 17 --why "the centre closed two teams"`
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        steps.decide(hub, run, approve=True, who=getpass.getuser(), why=why)
        steps.deliver(hub, run)
        counts = steps.reconcile(hub, run)
    show.line(f"Run {run}: {counts.delivered} delivered, {counts.deleted} deleted, {counts.held_back} held back.")


def refuse(municipality: Municipality, run: RunId, why: Why) -> None:
    """Drop a plan that the guard stopped; the next run plans afresh.

    Example: `samspil refuse randers 17 --why "the export was cut off"`
    """
    from samspil import flow as steps  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        steps.decide(hub, run, approve=False, who=getpass.getuser(), why=why)
    show.line(f"Run {run} was dropped; nothing of it was sent.")


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (check, plan, apply, runs, approve, refuse):
        app.command()(command)


def _names(hub: Hub, flow: str | None) -> list[str]:
    return [flow] if flow else [each.name for each in hub.file.flows]


def _numbers(counts: Counts) -> tuple[object, ...]:
    return (
        counts.read,
        counts.unchanged,
        counts.filtered,
        counts.delivered,
        counts.deleted,
        counts.held_back,
        "✓" if counts.balances else "✗",
    )
