"""demo and sandbox: the systems' stand-ins on this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from samspil.cli import show


def demo(
    ui: Annotated[bool, typer.Option("--ui", help="Leave Airflow's pages up afterwards, to look at.")] = False,
) -> None:
    """Two nights in four municipalities, through Airflow, with sandboxes in place of the real systems.

    Example: `samspil demo` · `samspil demo --ui`
    """
    from samspil.demo import demo as run  # noqa: PLC0415  # a command pays only for what it uses

    raise typer.Exit(0 if run(ui=ui) else 1)


def sandbox(
    municipality: Annotated[str | None, typer.Argument(help="Only this municipality's systems.")] = None,
) -> None:
    """Serve the sandboxes on loopback until Ctrl-C, and print the settings that reach them.

    Example: `samspil sandbox randers`; then in another shell set what it prints and run `samspil plan randers`
    """
    from samspil.agreement import load_all  # noqa: PLC0415
    from samspil.demo.systems import Systems  # noqa: PLC0415
    from samspil.hub import folder  # noqa: PLC0415
    from samspil.registry import schemas  # noqa: PLC0415

    files = [file for file in load_all(folder(), schemas()) if municipality in (None, file.slug)]
    with Systems(files) as systems:
        for name, value in systems.environment.items():
            typer.echo(f"export {name}='{value}'")
        show.problem("Serving. Ctrl-C stops.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)
    app.command()(sandbox)
