"""quarantine list, show, replay and drop: what was held back, why, and sending it through again."""

from __future__ import annotations

import getpass
from collections import defaultdict
from typing import Annotated, Any

import typer

from samspil.cli import show
from samspil.cli.flows import Municipality, OneFlow, Why

group = typer.Typer(help="What was held back, why, and sending it through again.", no_args_is_help=True)

Entry = Annotated[int, typer.Argument(help="The entry's number, from `samspil quarantine list`.")]


@group.command("list")
def list_entries(municipality: Municipality, flow: OneFlow = None) -> None:
    """List what is held back. Shows no person's data.

    Example: `samspil quarantine list randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.store import quarantine  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        found = quarantine.entries(connection, hub.file.municipality.code, flow=flow)
        slug = hub.file.slug
    show.table(
        f"{slug}: {len(found)} held back",
        ("entry", "flow", "stage", "reason", "field", "hint", "since"),
        [(e.id, e.flow, e.stage, e.reason, e.field, e.hint, show.moment(e.at)) for e in found],
        ("entry",),
    )
    if found:
        show.line(f"Look at one: samspil quarantine show {slug} {found[0].id} --why …")
        show.line(f"Mended? Send all through again: samspil quarantine replay {slug}")


@group.command("show")
def show_entry(municipality: Municipality, entry: Entry, why: Why) -> None:
    """Show one record that is held back, as it came. It is personal data: that you saw it is in the ledger.

    Example: `samspil quarantine show randers 3 --why "case 2026-114, wrong date from the centre"`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = replay.entry_of(hub, entry)
        payload = replay.reveal(hub, found.flow, found, who=getpass.getuser(), why=why)
    show.line(f"{found.flow}, {found.stage}: {found.reason} {found.field} {found.hint}".rstrip())
    show.line(payload.decode("utf-8", errors="backslashreplace"))


@group.command("replay")
def replay_entries(
    municipality: Municipality,
    entry: Annotated[list[int] | None, typer.Argument(help="Entries; without any, all that are held back.")] = None,
    flow: OneFlow = None,
) -> None:
    """Send what was held back through again, after the cause was mended: the mapping, a code list, the target.

    Example: `samspil quarantine replay randers 3 4`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.store import quarantine  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    with Hub.find(municipality) as hub:
        with hub.store.transaction() as connection:
            found = quarantine.entries(connection, hub.file.municipality.code, flow=flow)
        chosen: dict[str, list[Any]] = defaultdict(list)
        for each in reversed(found):
            if not entry or each.id in entry:
                chosen[each.flow].append(each)
        for name, entries in chosen.items():
            done = replay.replay(hub, name, entries)
            delivered, again = (done.counts.delivered, done.counts.held_back) if done.counts else (0, 0)
            rows.append((name, len(entries), delivered, again + len(done.staying)))
            for number, refused in done.staying:
                show.line(f"entry {number} stays: {refused}")
    show.table("replayed", ("flow", "entries", "delivered", "held back again"), rows, ("entries", "delivered"))


@group.command("drop")
def drop_entry(municipality: Municipality, entry: Entry, why: Why) -> None:
    """Close an entry that will never be sent. The decision and its reason are in the ledger.

    Example: `samspil quarantine drop randers 3 --why "test record at the centre"`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = replay.entry_of(hub, entry)
        replay.drop(hub, found.flow, entry, who=getpass.getuser(), why=why)
    show.line(f"Entry {entry} was dropped.")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="quarantine")
