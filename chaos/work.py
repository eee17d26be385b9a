"""Stories told by some processes at once, each in a place of its own, until there were faults enough of each kind."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from typing import NamedTuple

from chaos.kinds import POSTGRESQL
from chaos.parent import end_with
from chaos.place import Place
from chaos.story import Story, Told

_ALIVE = 5.0  # seconds after which it is looked whether those who tell are still there
SPAWNED = multiprocessing.get_context("spawn")  # a place must be made before there are threads


class Cell(NamedTuple):
    """A cell of the table: a kind of fault on a database."""

    kind: str
    database: str


class Task(NamedTuple):
    """One story to be told."""

    kind: str
    database: str
    seed: int


def tell(task: Task, *, broken: str = "") -> Told:
    """One story, here. This process must have one thread only."""
    with Place(postgresql=task.database == POSTGRESQL, broken=broken) as place:
        return Story(place, *task).tell()


def tell_all(cells: Collection[Cell], faults: int, *, first: int, processes: int, broken: str = "") -> Iterator[Told]:
    """Stories of each cell, with seeds from ``first`` on, until it has so many faults. In no order."""
    tasks: Queue[Task | None] = SPAWNED.Queue()
    done: Queue[Told | str] = SPAWNED.Queue()
    postgresql = any(cell.database == POSTGRESQL for cell in cells)
    workers = [
        SPAWNED.Process(target=_work, args=(tasks, done, postgresql, broken, os.getpid()), daemon=True)
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        yield from _until_enough(cells, faults, first, 2 * processes, tasks, partial(_next, done, workers))
    finally:
        for _ in workers:
            tasks.put(None)
        for worker in workers:
            worker.join()


def _until_enough(
    cells: Collection[Cell],
    faults: int,
    first: int,
    ahead: int,
    tasks: Queue[Task | None],
    next_told: Callable[[], Told | str],
) -> Iterator[Told]:
    missing = dict.fromkeys(cells, faults)
    seeds = dict.fromkeys(cells, first)
    waiting = dict.fromkeys(cells, 0)
    turn = 0
    while any(number > 0 for number in missing.values()) or any(waiting.values()):
        open_cells = [cell for cell in cells if missing[cell] > 4 * waiting[cell]]  # about so many are in a story
        while open_cells and sum(waiting.values()) < ahead:
            cell = open_cells[turn % len(open_cells)]
            turn += 1
            tasks.put(Task(*cell, seeds[cell]))
            seeds[cell] += 1
            waiting[cell] += 1
            open_cells = [cell for cell in cells if missing[cell] > 4 * waiting[cell]]
        told = next_told()
        if isinstance(told, str):
            raise RuntimeError(told)  # noqa: TRY004  # it is what a worker failed with
        cell = Cell(told.kind, told.database)
        waiting[cell] -= 1
        missing[cell] -= told.faults
        yield told


def _next(done: Queue[Told | str], workers: Sequence[SpawnProcess]) -> Told | str:
    while True:
        try:
            return done.get(timeout=_ALIVE)
        except queue.Empty:
            if not all(worker.is_alive() for worker in workers):
                for worker in workers:
                    worker.kill()  # it may wait for ever for what the killed one held
                raise RuntimeError("a process that tells stories was killed") from None


def _work(tasks: Queue[Task | None], done: Queue[Told | str], postgresql: bool, broken: str, parent: int) -> None:
    end_with(parent)
    try:
        with Place(postgresql=postgresql, broken=broken) as place:
            while (task := tasks.get()) is not None:
                done.put(Story(place, *task).tell())
    except Exception as error:  # noqa: BLE001  # carried to who waits for us
        done.put(f"a place of stories failed: {type(error).__name__}: {error}")
