"""``python -m fuzz``: mangled inputs for every parser; prints the table and writes ``build/fuzz.json``.

``records`` passed, ``rejected`` could not be cut into records, ``refused`` are single records (or settings' files) that
may not pass, ``stopped`` are inputs that ended their read as a whole. Each of the last three has a reason. A crash is all
else: another exception, more than a few seconds of work, or something lost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from fuzz.report import Report
from fuzz.running import PARSERS, run

FILE = Path("build", "fuzz.json")
SHARE = 500  # inputs that a process takes at a time


def main() -> int:
    """0 if nothing crashed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=10_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parser", action="append", choices=list(PARSERS), help="only this one")
    parser.add_argument("--number", type=int, help="only the input of this number")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    names = given.parser or list(PARSERS)
    numbers = range(given.inputs) if given.number is None else range(given.number, given.number + 1)
    report = Report(names, given.seed)
    try:
        _all(report, names, given.seed, numbers, given.jobs)
    except BrokenProcessPool:
        print("✗ an input ended the whole process; try one parser after the other (--parser, --jobs 1)")
        return 2
    console = Console()
    report.show(console if console.is_terminal else Console(width=200))
    report.write(given.out)
    return 1 if report.found else 0


def _all(report: Report, names: list[str], seed: int, numbers: range, jobs: int) -> None:
    """Everything, in as many processes; with a bar where there is somebody to see it."""
    shares = [(name, seed, numbers[start : start + SHARE]) for start in range(0, len(numbers), SHARE) for name in names]
    context = multiprocessing.get_context("spawn")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("mangling", total=len(shares))
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for future in as_completed([pool.submit(run, *share) for share in shares]):
                report.add(future.result())
                progress.advance(bar)


if __name__ == "__main__":
    sys.exit(main())
