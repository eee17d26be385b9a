"""demo and sandbox: the systems' stand-ins on this machine."""

from __future__ import annotations

import base64
import secrets
import shlex
import signal
import tempfile
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.agreement import MunicipalityFile


def demo(
    ui: Annotated[bool, typer.Option("--ui", help="Leave Airflow's pages up afterwards, to look at.")] = False,
) -> None:
    """Two nights in four municipalities, through Airflow, with sandboxes in place of the real systems.

    Example: `samspil demo` · `samspil demo --ui`
    """
    try:
        from samspil.demo import demo as run  # noqa: PLC0415  # a command pays only for what it uses

        done = run(ui=ui)
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error
    raise typer.Exit(0 if done else 1)


def sandbox(
    municipality: Annotated[str | None, typer.Argument(help="Only this municipality's systems.")] = None,
) -> None:
    """Serve the sandboxes on loopback until Ctrl-C, and print the settings that reach them.

    Among them a store and a key of their own, so that what is tried out stays apart from real runs.

    Example: `samspil sandbox randers > sandbox.env`; then in another shell `. sandbox.env` and `samspil plan randers`
    """
    try:
        from samspil.demo.systems import Systems  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    files = _files(municipality)
    with tempfile.TemporaryDirectory(prefix="samspil-") as folder, Systems(files) as systems:
        settings = {
            **systems.environment,
            "SAMSPIL_STORE": f"sqlite:///{folder}/{{municipality}}.db",
            "SAMSPIL_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        show.document("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()).encode())
        show.note(f"Serving {', '.join(file.municipality.name for file in files)}. Ctrl-C stops.")
        ended.wait()


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)
    app.command()(sandbox)


def _files(municipality: str | None) -> list[MunicipalityFile]:
    from samspil.agreement import load_all, load_municipality  # noqa: PLC0415
    from samspil.hub import file_of, folder  # noqa: PLC0415
    from samspil.registry import schemas  # noqa: PLC0415

    if municipality is not None:
        return [load_municipality(file_of(municipality), schemas())]
    return load_all(folder(), schemas())


def _not_installed(error: ModuleNotFoundError) -> SettingsError:
    return SettingsError(f"{error.name} is not installed: pip install 'samspil[sandbox,airflow]'", field="sandbox")
