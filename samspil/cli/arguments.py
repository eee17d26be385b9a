"""Arguments that several commands have."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer


def _municipalities(incomplete: str) -> list[str]:
    from samspil.hub import folder  # noqa: PLC0415  # for completion in the shell only

    return [path.stem for path in sorted(folder().glob(f"{incomplete}*.yaml"))]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("say why; it is kept in the ledger")
    return text.strip()


LARGEST = 2**31 - 1  # what the store's databases take for a number

Municipality = Annotated[
    str,
    typer.Argument(
        help="File name in dags/municipalities without .yaml, or a path.",
        autocompletion=_municipalities,
    ),
]
OneFlow = Annotated[str | None, typer.Option("--flow", help="Only this flow; `samspil runs` has the names.")]
Limit = Annotated[int, typer.Option(min=0, help="How many are shown.")]
Why = Annotated[
    str,
    typer.Option(callback=_not_blank, help="The reason; it is kept in the ledger, so name no person.", metavar="text"),
]
RunId = Annotated[int, typer.Argument(help="The run's number, from `samspil runs`.", min=1, max=LARGEST)]


def user() -> str:
    """Who runs the command, for the ledger; a number where the machine has no name for it, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
