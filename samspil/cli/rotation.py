"""rotation: the file that tells a recipient which old pseudonym is which new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality, Why, user


def rotation(
    municipality: Municipality,
    recipient: Annotated[str, typer.Argument(help="The system that gets pseudonyms.")],
    out: Annotated[Path, typer.Option(help="The new file, for the recipient and nobody else.")],
    why: Why,
) -> None:
    """After a recipient's key was changed: write which old pseudonym is which new one. Once only.

    The key is changed with a higher `version` under `pseudonyms` in the agreement; `rotation: mapped` there allows
    this file. Give it to the recipient and delete it.

    Example: `samspil rotation randers vive --out vive-2.csv --why "yearly change of keys"`
    """
    from samspil.flow.rotation import write_mapping  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality) as hub, show.working(f"{recipient}: reading what it holds"):
        pairs = write_mapping(hub, recipient, out, who=user(), why=why)
    show.line(f"✓ {pairs} pseudonyms in {out}, entered in the ledger. Give it to {recipient}, then delete it.")


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(rotation)
