"""new connector: the folder of a connector from its contract, and what is left to decide in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.scaffold.decisions import Decision
    from samspil.scaffold.scaffold import Scaffold

group = typer.Typer(
    help="Begin something new.\n\nExample: `samspil new connector case_archive --from-wsdl archive.wsdl --schema case=Sag`",
    no_args_is_help=True,
)

_SHOWN = 8


@group.command("connector")
def connector(
    name: Annotated[str, typer.Argument(help="Its name, in snake_case: the name of its folders.")],
    from_wsdl: Annotated[
        Path | None, typer.Option(help="A WSDL; what it imports lies beside it.", metavar="FILE")
    ] = None,
    from_openapi: Annotated[Path | None, typer.Option(help="An OpenAPI 3 file.", metavar="FILE")] = None,
    csv: Annotated[Path | None, typer.Option(help="A sample file; only its header is kept.", metavar="FILE")] = None,
    python: Annotated[bool, typer.Option("--python", help="By hand, without a contract.")] = False,
    schema: Annotated[
        list[str] | None,
        typer.Option(
            help="A shared schema it carries, or SCHEMA=RECORD; may be given several times.", metavar="SCHEMA"
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="The folder of connectors/, mappings/ and tests/.", metavar="FOLDER")
    ] = None,
    left: Annotated[bool, typer.Option("--open", help="Make nothing; list what is still to decide.")] = False,
) -> None:
    """Make a connector's folder from a contract: connector, contract, sandbox, first mappings, README and tests.

    What the contract leaves no doubt about is filled in; the rest is a TODO with its question, and its tests fail with
    exactly these until a person has decided. Nothing is overwritten.

    Example: `samspil new connector case_archive --from-wsdl archive.wsdl --schema case=Sag` · `samspil new connector
    bookings --from-openapi api.yaml --schema meeting` · `samspil new connector firms --csv firms.csv --schema company` ·
    `samspil new connector other --python --schema case=Sag` · `samspil new connector bookings --open`
    """
    from samspil.scaffold.scaffold import project  # noqa: PLC0415  # a command pays only for what it uses

    folder = into or project()
    given = [what for what in (from_wsdl, from_openapi, csv) if what is not None]
    if left:
        _tell(name, _decisions(name, folder), most=1000)
        return
    if len(given) + python != 1:
        raise SettingsError("give exactly one of --from-wsdl, --from-openapi, --csv and --python", field=name)
    try:
        from samspil.scaffold import new  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is not installed: pip install 'samspil[sandbox]'", field=name) from error
    schemas = new.wanted(schema or [])
    if from_wsdl is not None:
        made = new.from_wsdl(name, from_wsdl, schemas, folder)
    elif from_openapi is not None:
        made = new.from_openapi(name, from_openapi, schemas, folder)
    elif csv is not None:
        made = new.from_csv(name, csv, schemas, folder)
    else:
        made = new.by_hand(name, schemas, folder)
    made.save()
    _made(made)
    _tell(name, _decisions(name, folder), most=_SHOWN)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="new")


def _decisions(name: str, folder: Path) -> list[Decision]:
    from samspil.scaffold import decisions  # noqa: PLC0415
    from samspil.scaffold.scaffold import folders, require_name  # noqa: PLC0415

    require_name(name)
    connector, mappings, _ = (folder / each for each in folders(name))
    if not connector.is_dir():
        raise SettingsError("there is no such connector", field=name, file=str(folder / "connectors"))
    return decisions(connector, mappings, root=folder)


def _made(made: Scaffold) -> None:
    for path, data in made.files.items():
        lines = data.count(b"\n")
        show.line(f"{path} ({lines} lines)")
    if made.foreign:
        show.note(f"To use it from there, put {made.into} on PYTHONPATH.")


def _tell(name: str, left: Sequence[Decision], *, most: int) -> None:
    for decision in left[:most]:
        show.line(str(decision))
    if len(left) > most:
        show.line(f"… and {len(left) - most} more: samspil new connector {name} --open")
    if left:
        show.line(
            f"{len(left)} to decide. Next: write each decision in the place of its TODO, then pytest tests/connectors/{name}"
        )
    else:
        show.line(
            f"Nothing is left to decide. Next: pytest tests/connectors/{name} --samspil-results connectors/conformance.json"
        )
