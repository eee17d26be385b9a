"""person show and erase: what is held about a person and was sent, and destroying it.

The CPR number is asked for, or read from a file: arguments of a program are seen by everybody on the machine, and stay
in the shell's history.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality, Why, user
from samspil.cli.store import unwiped
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.rights.finding import Event, Found

group = typer.Typer(
    help="What is held about a person and was sent, or erase it.\n\nExample: `samspil person show randers --why …`",
    no_args_is_help=True,
)

Number = Annotated[
    Path | None,
    typer.Option("--cpr-file", help="A file with the CPR number, - for the standard input; else it is asked for."),
]


@group.command("show")
def show_person(
    municipality: Municipality,
    why: Why,
    cpr_file: Number = None,
    data: Annotated[bool, typer.Option("--data", help="Show what is held as well: the records themselves.")] = False,
) -> None:
    """List everything held about a person and everything sent: when, to whom, which fields, why. You are in the ledger.

    Example: `samspil person show randers --why "request for access, case 2026-114"`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.rights.finding import find, note  # noqa: PLC0415

    number = _number(cpr_file)
    with Hub.find(municipality) as hub:
        slug = hub.file.slug
        with show.working(f"{slug}: looking") as say:
            found = find(hub, number, lambda n: say(f"{slug}: {n} batches of the ledger read"))
        note(hub, number, found, who=user(), why=why)
    if found.erased:
        show.line("This person was erased and is not taken in again.")
    elif not found.handle:
        show.line("No record about this person was ever read or sent under this number.")
    else:
        show.line(f"To us this person is {found.handle}")
    _held(found)
    _events(found)
    if data:
        for each in found.held:
            show.line(f"\n{each.where}, {each.flow}, {show.moment(each.at)}, {each.state}")
            show.line(_readable(each.payload))
    elif found.held:
        show.line("The records themselves: --data")
    if found.handle:
        show.line(f"Erase it: samspil person erase {slug} --why …")


@group.command("erase")
def erase_person(
    municipality: Municipality,
    why: Why,
    cpr_file: Number = None,
    who: Annotated[str | None, typer.Option("--who", help="Who decided, if not you; it is kept in the ledger.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; needed where nobody can answer.")] = False,
) -> None:
    """Destroy a person's key and every row, for good, and take nothing of that person in again.

    Not while a flow runs. Copies at other systems stay: they are listed, and must be told. Backups of the store have
    the key until they are thrown away; after restoring one, erase again.

    Example: `samspil person erase randers --why "request for erasure, case 2026-115, approved"`
    """
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.rights.erasure import erase  # noqa: PLC0415

    number = _number(cpr_file)
    with Hub.find(municipality) as hub:
        slug = hub.file.slug
        if not yes and not typer.confirm("This cannot be undone. Erase this person?", err=True):
            raise typer.Exit(1)
        with show.working(f"{slug}: erasing") as say:
            done = erase(
                hub, number, who=who or user(), why=why, done=lambda n: say(f"{slug}: {n} batches of the ledger read")
            )
    rows = [("outbox", done.rows.outbox), ("links", done.rows.links), ("quarantine", done.rows.quarantine)]
    show.line("Destroyed, with the person's key, for good:")
    unwiped(hub.store)
    show.table("rows", ("table", "rows"), rows, ("rows",))
    if done.told:
        show.line("These have copies, are controllers of their own, and must be told (GDPR article 19):")
        show.table("copies", ("system", "sent on the legal basis"), sorted(done.told.items()))
        show.line("The hub deletes nothing there: the person may ask each of them for erasure, and the source as well.")
        show.line("Nor does it know these records any more: a change or deletion at the source goes no further.")
    show.line(f"It is in the ledger as {done.handle or 'a person of whom nothing was held'}: samspil verify {slug}")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="person")


def _number(file: Path | None) -> str:
    from samspil.rights.number import parse  # noqa: PLC0415

    if file is None:
        return parse(typer.prompt("CPR number", hide_input=True, err=True))
    if str(file) == "-":
        return parse(sys.stdin.readline())
    try:
        return parse(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError("cannot be read", file=str(file), field="--cpr-file") from None


def _held(found: Found) -> None:
    rows = [(each.where, each.flow, show.moment(each.at), each.state) for each in found.held]
    if rows:
        show.table("held here", ("where", "flow", "since", "state"), rows)
    there = sorted(found.at_targets.items())
    if there:
        show.table("held there", ("flow of which the target holds", "records"), there, ("records",))


def _events(found: Found) -> None:
    """When and what, and below why: purpose and fields are the same for many of them."""
    if not found.events:
        return
    grounds: dict[tuple[str, ...], int] = {}
    rows = []
    for event in found.events:
        said = _ground(event)
        ground = grounds.setdefault(said, len(grounds) + 1) if any(said) else ""
        said_by = event.context.get("who", "")
        parties = (event.context.get("from", ""), event.context.get("to", ""))
        rows.append((show.moment(event.context["at"]), event.what, *parties, ground, said_by, event.receipt))
    show.table("what was done", ("when", "what", "from", "to", "ground", "who", "receipt"), rows, ("ground",))
    columns = ("ground", "agreement", "purpose", "legal basis", "fields it may carry")
    show.table("on what ground", columns, [(n, *said) for said, n in grounds.items()], ("ground",))


def _ground(event: Event) -> tuple[str, ...]:
    context = event.context
    fields = ", ".join(context.get("fields", ()))
    return context.get("agreement", ""), context.get("purpose", ""), context.get("legal_basis", ""), fields


def _readable(payload: bytes) -> str:
    try:
        return msgspec.json.format(payload, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return payload.decode("utf-8", errors="backslashreplace")
