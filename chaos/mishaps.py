"""What goes wrong inside a process of the hub, or to the database it uses, at one of its points.

========== =========================================================================================================
what       how
========== =========================================================================================================
kill       the process kills itself with SIGKILL
stop       the process stops itself with SIGSTOP, until it is told to go on
pages      SQLite may take no new page of its file (SQLITE_FULL)
size       no file may grow (RLIMIT_FSIZE): SQLite meets it as an I/O error
full       PostgreSQL's driver raises DiskFull (53100) for each write from then on; a real full disk needs a file
           system of its own, and so the rights to make one
terminate  all connections to the PostgreSQL database are ended by its administrator
ask        whoever started the process is asked to lock the SQLite file, or to restart PostgreSQL
========== =========================================================================================================
"""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event

import samspil.store
from chaos.points import Points
from chaos.process import Job, Tell
from samspil.store import bulk

BUSY = 0.15  # seconds SQLite waits for a lock here; a minute in earnest
LOCKED = 1.0  # the same of PostgreSQL, where threads of one process wait for each other

ASKED = 0.01  # seconds it is given to begin

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|CREATE|WITH page)")


class Mishaps:
    """Those of one job: ``at`` is the point, ``what`` one of the above, ``clock`` seconds the clock is ahead."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._process = os.getpid()  # a helper is another, and has these mishaps too
        self._disk = ""  # "pages" or "full", once it is so
        self.points = Points(job.get("at", 0), self._happen)

    def begin(self) -> None:
        """From now on."""
        busy = BUSY if self._job["store"].startswith("sqlite") else LOCKED
        setattr(samspil.store, "_BUSY", busy)  # noqa: B010  # a fraction of the real one will do
        if clock := self._job.get("clock"):
            real = time.time
            setattr(time, "time", lambda: real() + clock)  # noqa: B010  # all that the store writes is timed by it
        self.points.watch()
        if self._job.get("what") == "pages":
            event.listen(Engine, "before_cursor_execute", self._limited)
        if self._job.get("what") == "full":
            for moment in ("do_execute", "do_executemany", "do_execute_no_params"):
                event.listen(Engine, moment, self._full)
            copy = bulk._copy  # noqa: SLF001  # as it would be met in there

            def full(*rows: Any) -> None:
                self._full(None, "INSERT")
                copy(*rows)

            setattr(bulk, "_copy", full)  # noqa: B010

    def _happen(self, name: str) -> None:
        what, beside = self._job["what"], os.getpid() != self._process
        if what == "stop" and beside:
            return  # a helper that stands still is waited for, as a database is
        self._tell({"at": f"{name}, beside" if beside else name})
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "stop":
            self._tell({"stopped": os.getpid()})
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what == "size":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        elif what == "terminate":
            _terminate(self._job["store"])
        elif what == "ask":
            self._ask()
        else:
            self._disk = what

    def _ask(self) -> None:
        self._tell({"please": self._job["please"]})
        time.sleep(ASKED)

    def _limited(self, connection: Any, *_: Any) -> None:
        if self._disk:
            connection.connection.driver_connection.execute("PRAGMA max_page_count = 1")  # it becomes what there is

    def _full(self, _cursor: Any, statement: str, *_: Any) -> None:
        if self._disk and _WRITES.match(statement):
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")


def _terminate(store: str) -> None:
    with psycopg.connect(store.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
