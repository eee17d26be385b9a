"""store separate, admit, dismiss and roles: several municipalities in one PostgreSQL database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.store import Store

group = typer.Typer(
    help="Keep several municipalities apart in one PostgreSQL database. Run these as the owner of its tables.\n\n"
    "Example: `SAMSPIL_STORE=postgresql://owner@host/samspil samspil store separate`",
    no_args_is_help=True,
)

Role = Annotated[str, typer.Argument(help="A role of the database that may log in.")]


@group.command("separate")
def separate() -> None:
    """Put every table under row-level security, making those that are missing. Again after each new version of Samspil.

    From then on the owner sees everything and others only what their municipality has.

    Example: `samspil store separate`
    """
    from samspil.store import separation  # noqa: PLC0415  # a command pays only for what it uses

    with _owners() as store:
        tables = separation.separate(store)
    show.line(f"✓ {tables} tables show each role its own municipality's rows only")
    show.line("Next, for each municipality a role: samspil store admit randers ROLE; then samspil store roles")


@group.command("admit")
def admit(
    municipality: Municipality,
    role: Role,
    read: Annotated[bool, typer.Option("--read", help="It may look and change nothing: for Airflow's pages.")] = False,
) -> None:
    """Let a role in to one municipality's rows; one that could get at others' as well is refused.

    Make it first, in PostgreSQL: CREATE ROLE samspil_730 LOGIN PASSWORD '…'

    Example: `samspil store admit randers samspil_730`
    """
    from samspil.agreement import load_municipality  # noqa: PLC0415
    from samspil.hub import file_of  # noqa: PLC0415
    from samspil.registry import schemas  # noqa: PLC0415
    from samspil.store import separation  # noqa: PLC0415

    code = load_municipality(file_of(municipality), schemas()).municipality.code
    with _owners() as store:
        separation.admit(store, code, role, writes=not read)
    show.line(f"✓ {role} {'reads' if read else 'reads and writes'} what {code} has, and nothing else")
    show.line(f"Next: where it works, its name in SAMSPIL_STORE, and samspil runs {municipality}")


@group.command("dismiss")
def dismiss(role: Role) -> None:
    """Take every right in the store from a role. The role itself stays: DROP ROLE is PostgreSQL's.

    Example: `samspil store dismiss samspil_730`
    """
    from samspil.store import separation  # noqa: PLC0415

    with _owners() as store:
        code = separation.dismiss(store, role)
    show.line(f"✓ {role} sees nothing of {code} any more")


@group.command("roles")
def roles() -> None:
    """List who is admitted for which municipality, and what may let somebody past the rules; then the exit code is 1.

    Example: `samspil store roles`
    """
    from samspil.store import separation  # noqa: PLC0415

    with _owners() as store:
        found, open_tables = separation.roles(store)
    rows = [(each.municipality, each.role, "reads, writes" if each.writes else "reads") for each in found]
    show.table("roles of the store", ("municipality", "role", "may"), rows)
    for each in found:
        for doubt in each.doubts:
            show.problem(f"✗ {each.role}: it {doubt}: take that from it, or samspil store dismiss {each.role}")
    if open_tables:
        show.problem(f"✗ without a rule: {', '.join(open_tables)}: samspil store separate")
    if open_tables or any(each.doubts for each in found):
        raise typer.Exit(1)
    show.line("✓ every table has its rule, and no role can get past it")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="store")


@contextmanager
def _owners() -> Iterator[Store]:
    """The store as SAMSPIL_STORE says, for all municipalities; nothing is made in it."""
    from samspil.store import DEFAULT, Store  # noqa: PLC0415

    url = os.environ.get("SAMSPIL_STORE", DEFAULT)
    if "{municipality}" in url:
        raise SettingsError(
            "has {municipality} in it; for this command give the one database as the owner of its tables: "
            "postgresql://OWNER@host/name",
            field="SAMSPIL_STORE",
        )
    with closing(Store(url, create=False)) as store:
        yield store


def unwiped(store: Store) -> None:
    """Say what of that which was destroyed lies about until the owner of the tables cleans up."""
    for table in sorted(store.unwiped):
        show.warning(
            f"The rows destroyed in table {table} lie in its file until its owner has run VACUUM {table} (only the owner "
            "may, in this version of PostgreSQL)"
        )
