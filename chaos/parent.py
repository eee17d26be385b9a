"""What is left to do when the process that started another has ended, however it ended: killed, too."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

_ASK, _SURE = 0.1, 5  # seconds between two looks, and looks at which nothing is there any more
_PATIENCE = 30  # looks until what was asked to end is killed
_SERVERS = frozenset({"initdb", "pg_ctl", "postgres"})
_PR_SET_PDEATHSIG = 1  # prctl(2): this signal when the thread that started us has ended


def end_with(parent: int) -> None:
    """Let this process be killed when its parent has ended; a child of its own must say so for itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we said so
        os._exit(1)


class Watch:
    """A process that does nothing until ours has ended, and then ends the servers of a folder and removes it.

    PostgreSQL starts as nobody's child, so no signal reaches it with us. ``close`` does the same at once. A process
    forked after this one would keep it waiting: fork before.
    """

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", __name__, str(folder)]
        root = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # In a session of its own: what a terminal or a shell sends to our group is not for it.
        self._process = subprocess.Popen(  # noqa: S603  # this very module
            command, stdin=subprocess.PIPE, env=root, start_new_session=True
        )

    def close(self) -> None:
        """End what is there, and the watching process."""
        assert self._process.stdin is not None  # noqa: S101  # for the type checker
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _end(folder: str) -> None:
    """End all that works in the folder: a server, and one that is only being started."""
    looks = nothing = 0
    while nothing < _SURE:
        found = list(_at_work(folder))
        nothing, looks = 0 if found else nothing + 1, looks + bool(found)
        for process in found:
            try:
                gently = process.name() == "postgres" and looks <= _PATIENCE
                process.send_signal(signal.SIGQUIT if gently else signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        time.sleep(_ASK)
    shutil.rmtree(folder, ignore_errors=True)


def _at_work(folder: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.name() in _SERVERS and any(folder in word for word in process.cmdline()):
                yield process
        except psutil.Error:
            continue


if __name__ == "__main__":
    sys.stdin.buffer.read()
    _end(sys.argv[1])
