"""quarantine list, show, replay and drop: what was held back, why, and sending it through again."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from samspil.cli import failure, show
from samspil.cli.arguments import LARGEST, Limit, Municipality, OneFlow, Why, user
from samspil.errors import SamspilError, SettingsError, shown

group = typer.Typer(
    help="What was held back, why, and sending it through again.\n\nExample: `samspil quarantine list randers`",
    no_args_is_help=True,
)

_ENTRY = "The entry's number, from `samspil quarantine list`."
Entry = Annotated[int, typer.Argument(help=_ENTRY, min=1, max=LARGEST)]


@group.command("list")
def list_entries(municipality: Municipality, flow: OneFlow = None, limit: Limit = 50) -> None:
    """List what is held back, newest first. Shows no person's data.

    Example: `samspil quarantine list randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.store import quarantine  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        _known(hub, flow)
        with hub.store.transaction() as connection:
            found = quarantine.entries(connection, hub.file.municipality.code, flow=flow)
        slug, name = hub.file.slug, hub.file.municipality.name
    if not found:
        show.line(f"{name}: nothing is held back")
        return
    rows = [(e.id, e.flow, e.stage, *map(shown, (e.reason, e.field, e.hint)), show.moment(e.at)) for e in found[:limit]]
    columns = ("entry", "flow", "stage", "reason", "field", "hint", "since")
    show.table(f"{name}: {len(found)} held back", columns, rows, ("entry",))
    if len(found) > limit:
        show.line(f"… and {len(found) - limit} more (--limit)")
    if pages := sum(e.stage == "read" for e in found):
        show.line(f"Stage read: {pages} pages that could not be cut into records. {_NEXT_READ}.")
    show.line(f"Look at one: samspil quarantine show {slug} {found[0].id} --why …")
    if pages < len(found):
        show.line(f"Mended? Send all through again: samspil quarantine replay {slug}")


@group.command("show")
def show_entry(
    municipality: Municipality,
    entry: Entry,
    why: Why,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes as they came and nothing else, for a file.")] = False,
) -> None:
    """Show one record that is held back. It is personal data: that you saw it is in the ledger.

    Example: `samspil quarantine show randers 3 --why "case 2026-114, wrong date from the centre"`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = replay.entry_of(hub, entry)
        payload = replay.reveal(hub, found.flow, found, who=user(), why=why)
        slug = hub.file.slug
    if raw:
        show.document(payload)
        return
    show.line(shown(f"{found.flow}, {found.stage}: {found.reason} {found.field} {found.hint}".rstrip()))
    show.line(_readable(payload))
    if found.stage == "read":
        show.line(f"A page that could not be cut into records. {_NEXT_READ}.")
    else:
        show.line(
            f"Mended? samspil quarantine replay {slug} {entry}  Not to be sent? samspil quarantine drop {slug} {entry}"
        )


@group.command("replay")
def replay_entries(
    municipality: Municipality,
    entry: Annotated[list[int] | None, typer.Argument(help="Entries; without any, all that are held back.")] = None,
    flow: OneFlow = None,
) -> None:
    """Send what was held back through again, after the cause was mended: the mapping, a code list, the target.

    Pages that could not be cut into records cannot be sent: the next run reads them again.

    Example: `samspil quarantine replay randers 3 4`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    rows: list[tuple[object, ...]] = []
    staying: list[str] = []
    problems: list[SamspilError] = []
    with Hub.find(municipality) as hub:
        slug = hub.file.slug
        hub.try_again()
        for name, entries in _chosen(hub, entry, flow).items():
            try:
                with show.working(f"{name}: replay"):
                    done = replay.replay(hub, name, entries)
            except SamspilError as error:
                problems.append(error)
                failure.tell(error, name)
                continue
            delivered, again = (done.counts.delivered, done.counts.held_back) if done.counts else (0, 0)
            rows.append((name, len(entries), delivered, again, len(done.staying)))
            staying += [f"entry {number} stays: {refused}" for number, refused in done.staying]
    if not rows and not problems:
        show.line("Nothing is held back.")
    if rows:
        columns = ("flow", "entries", "delivered", "held back", "staying")
        show.table("sent through again", columns, rows, columns[1:])
    for each in staying:
        show.line(each)
    if staying or any(row[3] for row in rows):
        show.line(f"What is left: samspil quarantine list {slug}")
    raise typer.Exit(failure.exit_code(problems))


@group.command("drop")
def drop_entry(municipality: Municipality, entry: Entry, why: Why) -> None:
    """Close an entry that is not to be sent. The decision and its reason are in the ledger.

    Example: `samspil quarantine drop randers 3 --why "test record at the centre"`
    """
    from samspil.flow import replay  # noqa: PLC0415
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        found = replay.entry_of(hub, entry)
        replay.drop(hub, found.flow, entry, who=user(), why=why)
    show.line(f"Entry {entry} was dropped; what waited behind it may go. {_NEXT_DROPPED}.")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="quarantine")


def _known(hub: Any, flow: str | None) -> None:
    names = [each.name for each in hub.file.flows]
    if flow is not None and flow not in names:
        raise SettingsError(f"no such flow; there are: {', '.join(names)}", field=flow)


def _chosen(hub: Any, numbers: list[int] | None, flow: str | None) -> dict[str, list[Any]]:
    """Entries by flow, the oldest first. Raises SamspilError for a number that is not open."""
    from samspil.store import quarantine  # noqa: PLC0415

    _known(hub, flow)
    with hub.store.transaction() as connection:
        found = quarantine.entries(connection, hub.file.municipality.code, flow=flow)
    if missing := set(numbers or ()) - {each.id for each in found}:
        many = ", ".join(map(str, sorted(missing)))
        raise SamspilError(f"no open entry {many}: samspil quarantine list {hub.file.slug}", reason="no-entry")
    chosen: dict[str, list[Any]] = defaultdict(list)
    for each in reversed(found):
        if not numbers or each.id in numbers:
            chosen[each.flow].append(each)
    return chosen


def _readable(payload: bytes) -> str:
    """The record over several lines, if it is JSON, XML or a line of a file with its heading."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode("cp1252", errors="backslashreplace")  # what Danish systems use that don't use UTF-8
    if text.lstrip().startswith(("{", "[")):
        try:
            return msgspec.json.format(text, indent=2)
        except msgspec.DecodeError:
            return text
    if text.lstrip().startswith("<"):
        return "\n".join(_indented(re.split(r"(?<=>)\s*(?=<)", text)))
    return text.replace("\x1e", "\n")


def _indented(lines: list[str]) -> Iterator[str]:
    depth = 0
    for line in lines:
        opens = len(re.findall(r"<[^/?!][^>]*[^/]>|<[^/?!]>", line))
        closes = line.count("</")
        depth -= closes > opens
        yield "  " * max(depth, 0) + line
        depth += opens > closes


_NEXT_READ = "They are not sent through again: the next run reads the source anew"
_NEXT_DROPPED = "If the source still has the record, the next run meets it again: it must be put right or removed there"
