"""conflicts list, show and settle: fields that two systems want otherwise, and a person's decision."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from samspil.cli import show
from samspil.cli.arguments import LARGEST, Limit, Municipality, OneFlow, Why, user
from samspil.errors import SettingsError

group = typer.Typer(
    help="Fields that two systems want otherwise, and a person's decision.\n\nExample: `samspil conflicts list randers`",
    no_args_is_help=True,
)

Conflict = Annotated[
    int, typer.Argument(help="The conflict's number, from `samspil conflicts list`.", min=1, max=LARGEST)
]


@group.command("list")
def list_conflicts(municipality: Municipality, flow: OneFlow = None, limit: Limit = 50) -> None:
    """List what a person must settle, newest first. Shows no person's data.

    Source and target are those of the flow: the target owns the field.

    Example: `samspil conflicts list randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.store import conflicts  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        names = [each.name for each in hub.file.flows]
        if flow is not None and flow not in names:
            raise SettingsError(f"no such flow; there are: {', '.join(names)}", field=flow)
        with hub.store.transaction() as connection:
            found = conflicts.entries(connection, hub.file.municipality.code, flow=flow)
        slug, name = hub.file.slug, hub.file.municipality.name
    if not found:
        show.line(f"{name}: no conflicts")
        return
    rows = [(e.id, e.flow, e.field or _WHOLE, e.reason, show.moment(e.at)) for e in found[:limit]]
    columns = ("conflict", "flow", "field", "reason", "since")
    show.table(f"{name}: {len(found)} to settle", columns, rows, ("conflict",))
    if len(found) > limit:
        show.line(f"… and {len(found) - limit} more (--limit)")
    show.line(f"Look at one: samspil conflicts show {slug} {found[0].id} --why …")


@group.command("show")
def show_conflict(municipality: Municipality, conflict: Conflict, why: Why) -> None:
    """Show what each system has. It is personal data: that you saw it is in the ledger.

    Example: `samspil conflicts show randers 3 --why "case 2026-114, two times for one meeting"`
    """
    from samspil.flow import conflicts  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = conflicts.conflict_of(hub, conflict)
        (source, its), (target, theirs) = conflicts.reveal(hub, found, who=user(), why=why).values
        slug = hub.file.slug
    show.line(f"{found.flow}, {found.field or _WHOLE}: {found.reason}")
    show.line(f"{source}: {_readable(its)}")
    show.line(f"{target}: {_readable(theirs)}")
    show.line(f"Decide: samspil conflicts settle {slug} {conflict} --take {source}|{target}|both --why …")


@group.command("settle")
def settle_conflict(
    municipality: Municipality,
    conflict: Conflict,
    why: Why,
    take: Annotated[
        str,
        typer.Option(help="Whose value counts: a system's name, source or target of the flow, or both: each its own."),
    ],
    who: Annotated[str | None, typer.Option(help="Who decided; without it, who runs the command.")] = None,
) -> None:
    """Decide a conflict. The next run carries it out; the decision and its reason are in the ledger.

    It counts until the field changes again at either system.

    Example: `samspil conflicts settle randers 3 --take jobcenter --why "the citizen confirmed the time"`
    """
    from samspil.flow import conflicts  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = conflicts.conflict_of(hub, conflict)
        taken = conflicts.settle(hub, found, take, who=who or user(), why=why)
        slug = hub.file.slug
    if taken == "both":
        show.line(f"Conflict {conflict} is settled: each system keeps its own until one of them changes it.")
    else:
        show.line(f"Conflict {conflict} is settled: what {taken} has counts. Carry it out: samspil apply {slug}")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="conflicts")


def _readable(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


_WHOLE = "(the whole record)"
