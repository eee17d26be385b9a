"""Processes to be killed: copies of one that has everything imported, so that a thousand of them cost little.

The one that is copied has a single thread and opens nothing; what a copy does begins with opening the hub.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from chaos.parent import end_with

Job = dict[str, Any]
Tell = Callable[[Job], None]
Work = Callable[[Job, Tell], None]

STOPPED = -int(signal.SIGSTOP)
PATIENCE = 60.0  # seconds; a copy that takes longer hangs
_GLANCE = 0.005  # seconds between two looks at one that may stop itself


class Copied:
    """The process that is copied. Make it before anything starts a thread, and ``close`` it."""

    def __init__(self, work: Work) -> None:
        ours, theirs = socket.socketpair()
        here = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            end_with(here)
            ours.close()
            _serve(theirs, work)
        theirs.close()
        self._socket, self._answers = ours, ours.makefile("r")

    def run(self, job: Job) -> Iterator[Job]:
        """Let a copy do a job; what it tells, as it tells it, and last how it ended: ``{"ended": its return code}``.

        ``kill_after`` in the job is the time after which it is killed, in seconds. One that stops itself has ended with
        STOPPED; ``{"resume": its process}``, which it told, lets it go on.
        """
        self._socket.sendall(json.dumps(job).encode() + b"\n")
        for line in self._answers:
            told: Job = json.loads(line)
            yield told
            if "ended" in told:
                return
        raise RuntimeError("the process that is copied has ended")

    def close(self) -> None:
        """End it."""
        self._answers.close()
        self._socket.close()
        os.waitpid(self._pid, 0)


def _serve(connection: socket.socket, work: Work) -> None:
    """Never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us, when it has ended its work
    jobs, here = connection.makefile("r"), os.getpid()
    for line in jobs:
        job: Job = json.loads(line)
        pid = job.get("resume") or os.fork()
        if pid == 0:
            end_with(here)
            _copy(connection, work, job)
        if "resume" in job:
            os.kill(pid, signal.SIGCONT)
        ended = _wait_or_stop(pid) if job.get("what") == "stop" else _wait(pid, job.get("kill_after"))
        connection.sendall(json.dumps({"ended": ended}).encode() + b"\n")
    os._exit(0)


def _copy(connection: socket.socket, work: Work, job: Job) -> None:
    def tell(told: Job) -> None:
        connection.sendall(json.dumps(told).encode() + b"\n")

    try:
        work(job, tell)
    except BaseException as error:  # noqa: BLE001  # told to who started it, who must see all of them
        tell(
            {
                "raised": f"{type(error).__name__}: {error}",
                "reason": getattr(error, "reason", ""),
                "lines": _places(error),
            }
        )
        os._exit(1)
    os._exit(0)


def _places(error: BaseException) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}")  # noqa: PTH119
        trace = trace.tb_next
    return places[-6:]


def _wait(pid: int, kill_after: float | None) -> int:
    """Its return code; negative: killed by this signal, by us or by itself."""
    watched = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([watched], [], [], PATIENCE if kill_after is None else kill_after)
    finally:
        os.close(watched)
    if not ended:
        os.kill(pid, signal.SIGKILL if kill_after is not None else signal.SIGABRT)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _wait_or_stop(pid: int) -> int:
    """The same for one that may stop itself, which nothing but asking tells."""
    end = time.monotonic() + PATIENCE
    while True:
        ended, status = os.waitpid(pid, os.WUNTRACED | os.WNOHANG)
        if ended:
            return STOPPED if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGABRT)
        time.sleep(_GLANCE)
