"""What everybody may see of this process and its children while they run: arguments, and temporary files held open."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from samspil.testing.canary.tally import Tally
from samspil.testing.traced import alone

EVERY = 0.5  # seconds between two looks
_LARGEST = 8 << 20  # bytes of an open file looked at
_PIECE = 1 << 20  # bytes looked at at once
_IN_MEMORY = "/memfd:"  # on no disk
_OVERLAP = 1 << 12  # bytes, so that nothing is cut apart unseen


class Sampler(threading.Thread):
    """Looks now and then. ``test`` says which test is running."""

    def __init__(self, test: Callable[[], str]) -> None:
        super().__init__(name="canary", daemon=True)
        self.tally = Tally()  # its own: another thread counts elsewhere
        self._test = test
        self._ended = threading.Event()
        self._seen: set[bytes | tuple[int, ...]] = set()

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            if alone.acquire(blocking=False):  # else a test measures this process: what we read would count
                try:
                    self.look()
                finally:
                    alone.release()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self.ident is not None:  # it was started
            self.join()

    def look(self) -> None:
        """Look once at what was not seen before."""
        for process in (os.getpid(), *descendants(os.getpid())):
            for argument in _arguments(process):
                if argument not in self._seen:
                    self._seen.add(argument)
                    self.tally.look("process arguments", "the list of processes", argument, self._test())
            for state, data in _nameless(process, self._seen):
                self._seen.add(state)
                self.tally.look("temporary files", "an open file without a name", data, self._test())


def descendants(process: int) -> Iterator[int]:
    """The processes that a process started, and those that these started."""
    for child in _children(process):
        yield child
        yield from descendants(child)


def _children(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # it ended meanwhile, or one of its threads did
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def _arguments(process: int) -> Iterator[bytes]:
    try:
        yield Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return  # it ended meanwhile


def _nameless(process: int, seen: set[bytes | tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Files that a process holds open and that have no name any more: which, in what state, and piece by piece its bytes."""
    try:
        links = list(Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return
    for path in links:
        try:
            name = str(path.readlink())
            if not name.startswith("/") or not name.endswith(" (deleted)") or name.startswith(_IN_MEMORY):
                continue
            about = path.stat()
            state = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
            if state not in seen:
                with path.open("rb") as file:
                    for at in range(0, _LARGEST, _PIECE - _OVERLAP):
                        if not (piece := os.pread(file.fileno(), _PIECE, at)):
                            break
                        yield state, piece
        except OSError:
            continue  # closed meanwhile
