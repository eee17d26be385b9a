"""The demo itself: two nights, a table, a file with the same figures, and Airflow's pages if wanted."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from samspil import registry
from samspil.agreement import MunicipalityFile, load_all
from samspil.airflow import pools
from samspil.demo import figures
from samspil.demo.figures import FlowNight
from samspil.demo.installation import PARTS, Installation
from samspil.demo.nights import Nights, Ran
from samspil.demo.systems import Systems
from samspil.demo.tables import print_nights
from samspil.errors import SettingsError

DAGS = Path("dags")
BUILD = Path("build")
NIGHTS = (1, 2)


def show(*, ui: bool = False) -> bool:
    """Run it in the repository's folder. Returns whether everything balances; the figures go to build/demo.json."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=165)  # a log file is as wide as its longest line
    begun = time.monotonic()
    if not (DAGS / "municipalities.py").exists():
        raise SettingsError("run the demo in the repository's folder", file=str(DAGS / "municipalities.py"))
    folder = BUILD / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    own = _own_settings(folder)
    os.environ.update(own)
    installation = Installation(folder / "airflow", DAGS, own)
    with Nights(installation.environment, folder / "logs") as nights:  # they import Airflow while the rest starts
        files = load_all(DAGS / "municipalities", registry.schemas())
        with Systems(files) as systems:
            ran, flows = _run(console, nights, files, systems)
            held = figures.holdings(files, systems)
            seconds = time.monotonic() - begun
            report = figures.as_json(ran, flows, held, seconds)
            (BUILD / "demo.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            print_nights(console, ran, flows, held)
            good: bool = report["balances"]
            console.print(f"[bold]{'Everything balances' if good else 'It does not balance'}[/] after {seconds:.0f} s.")
            console.print(f"Figures: {BUILD / 'demo.json'}. Airflow's logs: {folder / 'logs'}.")
            console.print("To look further:", " ".join(f"{name}={value}" for name, value in own.items()), style="dim")
            if ui:
                nights.stop()
                _pages(console, installation, systems)
    return good


def _own_settings(folder: Path) -> dict[str, str]:
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    return {"SAMSPIL_STORE": figures.store_url(folder), "SAMSPIL_KEY_FILE": str(key.resolve())}


def _run(
    console: Console, nights: Nights, files: Sequence[MunicipalityFile], systems: Systems
) -> tuple[dict[int, dict[str, Ran]], dict[int, list[FlowNight]]]:
    ran: dict[int, dict[str, Ran]] = {}
    flows: dict[int, list[FlowNight]] = {}
    with console.status("Starting Airflow and the systems") as status:
        nights.prepare(pools(files))
        for number in NIGHTS:
            waiting = [file.slug for file in files]

            def done(slug: str, number: int = number, waiting: list[str] = waiting) -> None:
                waiting.remove(slug)
                console.print(f"Night {number}: {slug}")
                status.update(f"Night {number}: {', '.join(waiting)}")

            status.update(f"Night {number}: {', '.join(waiting)}")
            systems.to_night(number)
            ran[number] = nights.night(number, list(waiting), systems.environment, done)
            flows[number] = [row for file in files for row in figures.flow_nights(file, ran[number][file.slug])]
    return ran, flows


def _pages(console: Console, installation: Installation, systems: Systems) -> None:
    installation.environment.update(systems.environment)
    with installation, console.status("Starting Airflow's pages"):
        installation.start(*PARTS)
        installation.wait(*PARTS)
        console.print(f"Airflow: [link]{installation.url}[/link] (no login). The systems still answer: unpause a DAG")
        console.print("and trigger it to run another night. Ctrl-C ends everything.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            console.print("Stopping …")
