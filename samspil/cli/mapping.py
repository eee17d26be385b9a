"""mapping show: the table two organisations can sign."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from samspil.cli import show
from samspil.errors import SettingsError

group = typer.Typer(
    help="How a system's record and a shared schema become each other.\n\n"
    "Example: `samspil mapping show jobcenter course_order`",
    no_args_is_help=True,
)


@group.command("show")
def show_mapping(
    system: Annotated[str, typer.Argument(help="The connector, such as jobcenter.")],
    schema: Annotated[str, typer.Argument(help="The shared schema, such as course_order.")],
    municipality: Annotated[
        str | None, typer.Option(help="With this municipality's own rows: its file name, or its three digits.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, to sign and keep.")] = False,
) -> None:
    """Print a mapping as a table: their field, our field, the Danish term, how it is converted, what is lost and why.

    Example: `samspil mapping show jobcenter course_order` · `samspil mapping show star activity --markdown`
    """
    from samspil import mapping, registry  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.mapping import table  # noqa: PLC0415

    connector = registry.connector(system)
    struct = registry.schema(schema)
    reads, writes = schema in connector.reads, schema in connector.writes
    if not reads and not writes:
        there = ", ".join(sorted({*connector.reads, *connector.writes}))
        raise SettingsError(f"neither gives nor takes {schema}; it has {there}", field=system)
    loaded = mapping.load(
        system,
        schema,
        _code(municipality) if municipality else None,
        fields=connector.fields(schema),
        struct=struct,
        directions=[name for name, can in (("to_ours", reads), ("to_theirs", writes)) if can],
    )
    if markdown:
        show.document(table.markdown(loaded).encode())
    else:
        show.printed(table.table(loaded))


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="mapping")


def _code(municipality: str) -> str:
    from samspil import registry  # noqa: PLC0415
    from samspil.agreement import load_municipality  # noqa: PLC0415
    from samspil.hub import file_of  # noqa: PLC0415

    if re.fullmatch("[0-9]{3}", municipality):
        return municipality
    return load_municipality(file_of(municipality), registry.schemas()).municipality.code
