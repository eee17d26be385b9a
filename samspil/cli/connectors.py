"""connectors: what there is to connect to, and what each has shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from samspil.cli import show
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.connector import Connector
    from samspil.testing.conformance.results import Result

UNUSABLE = "unusable"  # something in its folder is still to be decided, or wrong
COLUMNS = ("connector", "title", "kind", "reads", "writes", "level", "version", "date")


def connectors(
    name: Annotated[str | None, typer.Argument(help="One connector, with what it lacks for the next level.")] = None,
    results: Annotated[Path | None, typer.Option(help="What pytest --samspil-results wrote.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """List the connectors with the level each has shown: which promises it kept, on which version and when.

    A level is computed from what passed, never declared; see `docs` for the promises.

    Example: `samspil connectors` · `samspil connectors journal_rest` · `samspil connectors --json`
    """
    from samspil import registry  # noqa: PLC0415  # a command pays only for what it uses

    try:
        from samspil.testing.conformance.results import default_file, read  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{error.name} is not installed: pip install 'samspil[sandbox]'", field="connectors"
        ) from error
    found = read(results or default_file())
    rows, broken = [], []
    for each in registry.names() if name is None else [name]:
        try:
            rows.append(row(each, registry.connector(each), found.get(each)))
        except SettingsError as error:
            if name is not None:
                raise
            rows.append((each, "", "", "", "", UNUSABLE, "", ""))
            broken.append(str(error))
    if as_json:
        show.document(msgspec.json.format(msgspec.json.encode([dict(zip(COLUMNS, each)) for each in rows])) + b"\n")  # noqa: B905 - they are as long
        return
    show.table("Connectors", COLUMNS, rows)
    for message in broken:
        show.line(f"Cannot be used yet: {message}")
    if name is not None:
        _lacks(found.get(name))
    else:
        show.line("What one lacks for the next level: samspil connectors journal_rest")


def row(name: str, connector: type[Connector], result: Result | None) -> tuple[str, ...]:
    """A connector's line, in the order of ``COLUMNS``."""
    from samspil.testing.conformance.levels import level  # noqa: PLC0415
    from samspil.testing.conformance.results import digest  # noqa: PLC0415

    reads = [
        f"{schema} (incremental)" if said.mode == "incremental" else schema for schema, said in connector.reads.items()
    ]
    return (
        name,
        connector.title,
        _kind(connector),
        ", ".join(reads),
        ", ".join(connector.writes),
        level(result, digest(name, connector)),
        result.engine if result else "",
        result.date if result else "",
    )


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(connectors)


def _kind(connector: type[Connector]) -> str:
    """How it is written: the kind of its declaration, or by hand."""
    modules = [base.__module__.split(".") for base in connector.__mro__]
    return next((parts[2] for parts in modules if parts[:2] == ["samspil", "declared"] and parts[2:]), "python")


def _lacks(result: Result | None) -> None:
    from samspil.testing.conformance.levels import LEVELS, missing  # noqa: PLC0415

    if result is None:
        show.line("It was never tried: pytest --samspil-results FILE tests/connectors/…")
        return
    for one in LEVELS:
        lacking = missing(result, one)
        if lacking:
            show.line(f"For {one.name} it lacks: {', '.join(lacking)}")
            return
    show.line("It has every level.")
