"""retention: what the agreements let the hub keep no longer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality, user
from samspil.cli.store import unwiped
from samspil.errors import SettingsError


def retention(
    municipality: Municipality,
    apply: Annotated[bool, typer.Option("--apply", help="Destroy it; without this it is only counted.")] = False,
    why: Annotated[str, typer.Option(help="The reason, with --apply; it is kept in the ledger.", metavar="text")] = "",
) -> None:
    """Count what is older than its agreement's retention, and with --apply destroy it. Not while a flow runs.

    The years count from the last change about a person under the agreement. Agreements without `retention` keep all.

    Example: `samspil retention randers --apply --why "yearly clean-up, decided 2026-01-07"`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.rights import retention as times  # noqa: PLC0415

    if apply and not why.strip():
        raise SettingsError("say why; it is kept in the ledger", field="--why")
    with Hub.find(municipality, write=apply) as hub, show.working(f"{hub.file.slug}: looking"):
        slug, now = hub.file.slug, datetime.now(UTC)
        found = times.apply(hub, now, who=user(), why=why.strip()) if apply else times.due(hub, now)
    rows = [(each.agreement, each.years or "no limit", each.persons, *each.rows) for each in found]
    columns = ("agreement", "years", "persons", "outbox", "links", "quarantine")
    show.table(f"{slug}: {'destroyed' if apply else 'to be destroyed'}", columns, rows, columns[2:])
    unwiped(hub.store)
    if not any(each.years for each in found):
        show.line("No agreement sets a time: write retention: {years: 5} in the municipality's file")
    elif not apply and any(each.persons or any(each.rows) for each in found):
        show.line(f"Nothing was changed. Destroy it: samspil retention {slug} --apply --why …")


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(retention)
