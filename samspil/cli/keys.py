"""keys check and rotate: whether the master key opens everything, and changing it while the nights go on."""

from __future__ import annotations

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality, user

group = typer.Typer(
    help="Check the master key, or change it.\n\nExample: `samspil keys check randers`", no_args_is_help=True
)


@group.command("check")
def check(municipality: Municipality) -> None:
    """Open every key of a municipality with the master key that is given, and say which versions are needed.

    Example: `samspil keys check randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.vault import rotation  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        slug, given = hub.file.slug, hub.vault.master.versions
        with show.working(f"{slug}: opening every key"):
            now = rotation.standing(hub)
            opened = rotation.require_open(hub)
    versions = sorted({*now.roots, *now.persons, *given})
    rows = [(v, "✓" if v in given else "", "✓" if v in now.roots else "", now.persons.get(v, 0)) for v in versions]
    show.table(f"{slug}: versions of the master key", ("version", "given", "municipality", "persons"), rows, _NUMBERS)
    show.line(f"✓ the municipality's key and the keys of {opened} persons open")
    if older := [v for v in versions if v < now.newest and v in (*now.roots, *now.persons)]:
        show.line(f"Version {', '.join(map(str, older))} is still in use; change it: samspil keys rotate {slug}")
    elif spare := sorted(given.keys() - {now.newest}):
        show.line(f"Version {', '.join(map(str, spare))} opens nothing any more here; it may be taken away")


@group.command("rotate")
def rotate(municipality: Municipality) -> None:
    """Put every key under the newest version of the master key that is given. Nights may run meanwhile.

    First give all workers both versions: SAMSPIL_KEY="1:…,2:…" (a new one: openssl rand -base64 32). May be stopped and
    started again. Afterwards take the older version away everywhere.

    Example: `samspil keys rotate randers`
    """
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.vault import rotation  # noqa: PLC0415

    with Hub.find(municipality) as hub, show.working(f"{hub.file.slug}: keys") as say:
        slug, newest = hub.file.slug, hub.vault.master.newest
        count = rotation.rotate(hub, who=user(), done=lambda n: say(f"{slug}: {n} persons' keys"))
    show.line(f"✓ everything of {slug} is under version {newest}; {count} persons' keys were wrapped anew")
    show.line(f"Next: give all workers version {newest} only, then samspil keys check {slug}")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="keys")


_NUMBERS = ("version", "persons")
