"""Faults on purpose, on SQLite and on PostgreSQL: nothing may be lost, doubled, out of order or unbalanced.

``python -m chaos [--faults 1000]`` prints a table and writes ``build/chaos.json``; the exit code is 1 if anything is not
zero. ``python -m chaos --seed N --kind K --database D`` tells one story again.
"""

from __future__ import annotations

import argparse
import math
import signal
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chaos import tables
from chaos.broken import BROKEN
from chaos.kinds import KINDS, POSTGRESQL, SQLITE
from chaos.story import Told
from chaos.work import Cell, Task, tell, tell_all

WIDE = 100  # columns that the table needs; more than a pipe is taken to have

console = Console()
if not console.is_terminal:
    console.width = max(console.width, WIDE)


def main() -> int:
    """Run, print, write."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    told = _arguments()
    if told.seed is not None:
        return _one(Task(told.kind[0], told.database[0], told.seed), told.broken)
    begun = time.monotonic()
    cells = [Cell(kind, database) for database in told.database for kind in told.kind]
    each = math.ceil(told.faults / len(told.kind))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    stories: list[Told] = []
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("faults", total=each * len(cells))
        for story in tell_all(cells, each, first=told.first, processes=told.processes, broken=told.broken):
            stories.append(story)
            if told.until_failed and any(story.verdict.numbers.values()):
                break
            failed = sum(any(story.verdict.numbers.values()) for story in stories)
            progress.update(task, advance=story.faults, description=f"faults, {failed} stories failed")
    seconds = time.monotonic() - begun
    tables.write(cells, stories, broken=told.broken, seconds=seconds)
    good = tables.show(console, cells, stories, broken=told.broken)
    console.print(f"{seconds:.0f} s. The same figures: {tables.OUT}")
    return 0 if good else 1


def _one(task: Task, broken: str) -> int:
    story = tell(task, broken=broken)
    console.print(f"{task.kind} on {task.database}, seed {task.seed}: {story.faults} faults at", markup=False)
    for point in story.points:
        console.print(f"  {point}", markup=False)
    good = not any(story.verdict.numbers.values())
    if good:
        console.print("all zero")
    else:
        tables.show_story(console, story, broken=broken)
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Kinds: " + ", ".join(KINDS),
    )
    parser.add_argument("--faults", type=int, default=1000, help="on each database, at least (default: 1000)")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--database", nargs="+", choices=(SQLITE, POSTGRESQL), default=[SQLITE, POSTGRESQL])
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--seed", type=int, help="one story, with one --kind and one --database")
    parser.add_argument("--until-failed", action="store_true", help="stop at the first story that fails")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--broken", choices=BROKEN, default="", help="an engine broken on purpose: it must show")
    told = parser.parse_args()
    if told.seed is not None and not len(told.kind) == len(told.database) == 1:
        parser.error("--seed needs one --kind and one --database")
    return told


if __name__ == "__main__":
    raise SystemExit(main())
