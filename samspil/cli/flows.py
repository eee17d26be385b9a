"""check, plan and apply: a municipality's flows without Airflow's scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from samspil.cli import failure, show
from samspil.cli.arguments import Limit, Municipality, OneFlow
from samspil.cli.runs import COUNTS, numbers
from samspil.errors import GuardTripped, SamspilError, shown

if TYPE_CHECKING:
    from samspil.agreement import Flow
    from samspil.flow.preview import Change, Preview
    from samspil.hub import Hub

_PLANNED = ("read", "create", "update", "delete", "hold back", "unchanged", "filtered", "blocked")
_NONE = {"blocked": ""}  # a column that is seldom needed


def check(municipality: Municipality) -> None:
    """Reach every system of a municipality and log in, changing nothing.

    Warns of certificates and revocation lists that run out soon, 30 days ahead.

    Example: `samspil check randers`
    """
    from samspil import flow as steps  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.hub import Hub  # noqa: PLC0415

    problems: dict[str, SamspilError] = {}
    with Hub.find(municipality, write=False) as hub:
        for system in hub.file.systems:
            try:
                with show.working(system):
                    warnings = steps.check(hub, system)
                show.line(f"✓ {system}")
                for warning in warnings:
                    show.warning(f"! {system}: {warning}")
            except SamspilError as error:
                problems[system] = error
                failure.tell(error, system)
        fitting = 0
        for flow in hub.file.flows:
            if flow.source in problems or flow.target in problems:
                continue
            try:
                hub.flow(flow.name)
                fitting += 1
            except SamspilError as error:
                problems[flow.name] = error
                failure.tell(error, flow.name)
        show.line(f"{fitting} of {len(hub.file.flows)} flows: mapping and agreement fit together")
        slug = hub.file.slug
    if problems:
        raise typer.Exit(failure.exit_code(problems.values()))
    show.line(f"Next: samspil plan {slug}")


def plan(municipality: Municipality, flow: OneFlow = None, limit: Limit = 10) -> None:
    """Show what a run would change now, field by field. Writes nothing anywhere.

    What the target will refuse cannot be foreseen. `--limit 0` shows the numbers only.

    Example: `samspil plan randers --flow journal-attendance-jobcenter`
    """
    from samspil.flow.preview import Preview  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    remarks: list[str] = []
    problems: list[SamspilError] = []
    with Hub.find(municipality, write=False) as hub:
        for each in _flows(hub, flow):
            try:
                with show.working(f"{each.name}: reading") as say:
                    preview = Preview(hub, each.name)
                    changes, many = _first(preview, limit, say)
            except SamspilError as error:
                problems.append(error)
                failure.tell(error, each.name)
                continue
            if changes:
                show.table(each.name, ("what", "record", "fields"), [_row(change) for change in changes])
                show.line(f"… and {many - len(changes)} more (--limit)\n" if many > len(changes) else "")
            rows.append((each.name, *(preview.counts[what] or _NONE.get(what, 0) for what in _PLANNED)))
            remarks += [f"{each.name}: {remark}" for remark in _remarks(preview, hub.file.slug)]
        slug = hub.file.slug
    if rows:
        show.table(f"{hub.file.municipality.name}: what a run would do now", ("flow", *_PLANNED), rows, _PLANNED)
    for remark in remarks:
        show.line(remark)
    show.line(f"Nothing was written. Carry it out: samspil apply {slug}" + (f" --flow {flow}" if flow else ""))
    raise typer.Exit(failure.exit_code(problems))


def apply(municipality: Municipality, flow: OneFlow = None) -> None:
    """Run a municipality's flows now: plan, guard, deliver, reconcile, one after the other.

    May be stopped and run again at any time: what a system has acknowledged is not sent twice.

    Example: `samspil apply randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    problems: dict[str, SamspilError] = {}
    held_back = 0
    with Hub.find(municipality) as hub:
        slug, name = hub.file.slug, hub.file.municipality.name
        hub.try_again()
        for each in _flows(hub, flow):
            if missing := [other for other in each.after if other in problems]:
                problems[each.name] = problems[missing[0]]
                show.problem(f"✗ {each.name}: not run, it comes after {missing[0]}")
                continue
            try:
                row, held = _run(hub, each.name)
                rows.append(row)
                held_back += held
            except SamspilError as error:
                problems[each.name] = error
                failure.tell(error, each.name)
                if isinstance(error, GuardTripped):
                    show.note(
                        f"Look: samspil plan {slug} --flow {each.name}  Or drop it: samspil refuse {slug} {error.run}"
                    )
    if rows:
        show.table(name, ("flow", *COUNTS, "balance"), rows, COUNTS)
    if held_back:
        show.line(f"{held_back} records are held back: samspil quarantine list {slug}")
    raise typer.Exit(failure.exit_code(problems.values()))


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (check, plan, apply):
        app.command()(command)


def _flows(hub: Hub, name: str | None) -> Sequence[Flow]:
    """The flow of that name, or all: in the file's order, but each behind those it comes after."""
    if name:
        return [hub.flow(name).flow]
    waiting, done = list(hub.file.flows), set[str]()
    ordered: list[Flow] = []
    while waiting:
        flow = next(flow for flow in waiting if done.issuperset(flow.after))
        waiting.remove(flow)
        ordered.append(flow)
        done.add(flow.name)
    return ordered


def _run(hub: Hub, name: str) -> tuple[tuple[object, ...], int]:
    from samspil import flow as steps  # noqa: PLC0415

    with show.working(f"{name}: plan") as say:
        run = steps.plan(hub, name, f"manual {datetime.now(UTC).isoformat(timespec='microseconds')}")
        steps.guard(hub, run)
        say(f"{name}: deliver")
        steps.deliver(hub, run)
        say(f"{name}: reconcile")
        counts = steps.reconcile(hub, run)
    return (name, *numbers(counts)), counts.held_back


def _first(preview: Preview, limit: int, say: show.Say) -> tuple[list[Change], int]:
    """The first changes, each as it finally is, and how many there are; not those held back since earlier."""
    from samspil.flow.preview import HELD  # noqa: PLC0415

    shown: list[Change] = []
    places: dict[str, int] = {}
    known = 0
    for change in preview:
        known += change.reason == HELD  # nobody needs to read it again each night
        if change.key in places and change.key:
            shown[places[change.key]] = change
        elif len(shown) < limit and change.reason != HELD:
            places[change.key] = len(shown)
            shown.append(change)
        say(f"{preview.name}: {preview.counts['read']} read")
    return shown, sum(preview.counts[what] for what in ("create", "update", "delete", "hold back")) - known


def _row(change: Change) -> tuple[object, ...]:
    if change.what == "create":  # one line: all of it is new
        fields = " · ".join(shown(f"{field.path}: {field.after}") for field in change.fields)
    else:
        fields = "\n".join(shown(f"{field.path}: {field.before} → {field.after}") for field in change.fields)
    said = "\n".join(text for text in (fields, change.reason) if text)
    return change.what, change.key[:12] or "(a page)", said


def _remarks(preview: Preview, slug: str) -> Iterable[str]:
    if not preview.complete:
        yield "the read was not complete, so nothing would be deleted"
    if kept := preview.counts["kept by target"]:
        yield f"{kept} are gone at the source, but the target has no way to delete"
    if waiting := preview.counts["deletions held back"]:
        yield f"{waiting} deletions would wait behind a refused record"
    if preview.objection:
        yield f"the guard would stop it: {preview.objection}"
    for run in preview.unfinished:
        if run.state == "tripped":
            yield f"run {run.id} waits for a decision; a new run drops it (samspil runs {slug})"
        elif run.state in ("planned", "approved"):
            yield f"run {run.id} is not finished; a new run first delivers the rest of it"
