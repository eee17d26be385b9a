"""mapping show: the table two organisations can sign."""

from __future__ import annotations

from typing import Annotated

import typer

from samspil.cli import show

group = typer.Typer(help="How a system's record and a shared schema become each other.", no_args_is_help=True)


@group.command("show")
def show_mapping(
    system: Annotated[str, typer.Argument(help="The connector, such as jobcenter.")],
    schema: Annotated[str, typer.Argument(help="The shared schema, such as course_order.")],
    municipality: Annotated[str | None, typer.Option(help="With this municipality's own rows (three digits).")] = None,
    markdown: Annotated[bool, typer.Option(help="As Markdown, to sign and keep.")] = False,
) -> None:
    """Print a mapping as a table: their field, our field, the Danish term, how it is converted, what is lost and why.

    Example: `samspil mapping show jobcenter course_order` · `samspil mapping show star activity --markdown`
    """
    from samspil import mapping, registry  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.mapping import table  # noqa: PLC0415

    connector = registry.connector(system)
    reads, writes = schema in connector.reads, schema in connector.writes
    directions = [name for name, can in (("to_ours", reads), ("to_theirs", writes)) if can]
    loaded = mapping.load(
        system,
        schema,
        municipality,
        fields=connector.fields(schema),
        struct=registry.schema(schema),
        directions=directions or ("to_ours", "to_theirs"),
    )
    if markdown:
        typer.echo(table.markdown(loaded), nl=False)
    else:
        show.console.print(table.table(loaded))


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="mapping")
