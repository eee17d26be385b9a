"""``python -m samspil.testing.mutants [CONNECTOR …]``: break them all, and see whether the kit notices."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from samspil.errors import SettingsError
from samspil.testing.mutants.breaking import Done, Task, run, tasks
from samspil.testing.mutants.report import Report
from samspil.testing.mutants.subjects import names

FILE = Path("build", "mutants.json")


def main() -> int:
    """Run, print the table, write ``build/mutants.json``; 0 if nothing survived and every promise noticed something."""
    parser = argparse.ArgumentParser(prog="python -m samspil.testing.mutants", description=__doc__)
    parser.add_argument("connectors", nargs="*", metavar="CONNECTOR", help=f"of {', '.join(names())}; all by default")
    parser.add_argument("--mutant", action="append", default=[], help="only this one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    console = Console()
    try:
        every = tasks(given.connectors or names(), given.mutant)
    except SettingsError as error:
        console.print(f"✗ {error}", style="red", markup=False)
        return 2
    report = Report(_all(every, given.jobs), whole=not (given.connectors or given.mutant))
    report.show(console if console.is_terminal else Console(width=200))
    report.write(given.out)
    return 0 if report.good else 1


def _all(every: list[Task], jobs: int) -> list[Done]:
    """Everything done, in as many processes; with a bar where there is somebody to see it."""
    done: list[Done] = []
    context = multiprocessing.get_context("spawn")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("breaking", total=len(every))
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for future in as_completed([pool.submit(run, task) for task in every]):
                done.append(future.result())
                progress.advance(bar)
    return done


if __name__ == "__main__":
    sys.exit(main())
