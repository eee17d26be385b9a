"""Faults on purpose that are stopped themselves leave no process, no PostgreSQL server and no files behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds


class Chaos:
    """A run that would never end, and all its processes: each has inherited a mark in its environment."""

    def __init__(self, folder):
        self.mark = uuid.uuid4().hex
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHAOS_MARK": self.mark}
        options = ["--faults", "1000000", "--kind", "overtaken", "--database", "postgresql", "--processes", "1"]
        with (folder / "out").open("wb") as out:
            # A shell that starts something behind it has it ignore SIGINT, and all that this starts.
            command = ["env", "--default-signal=INT", sys.executable, "-m", "chaos", *options]
            self.main = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)

    def processes(self):
        """Each with its command line."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("CHAOS_MARK") == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((process, process.cmdline()))
            except psutil.Error:
                continue
        return found

    def server(self):
        """Its PostgreSQL server, once stories are told on it. The server's children have no environment to be seen."""
        for process, line in self.processes():
            if line and Path(line[0]).name == "postgres" and "-D" in line:
                with suppress(psutil.Error):  # a client's that went meanwhile
                    if any(" [local] " in "".join(child.cmdline()) for child in process.children()):
                        return process
        return None

    def worker(self):
        """The process that tells stories."""
        found = [process for process, line in self.processes() if "spawn_main" in "".join(line)]
        return next(process for process in found if process.ppid() == self.main.pid)


def until(wanted):
    end = time.monotonic() + PATIENCE
    while not (found := wanted()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


@pytest.fixture
def chaos(tmp_path):
    made = Chaos(tmp_path)
    yield made
    for process, _ in made.processes():
        process.kill()
    made.main.wait()


@pytest.mark.parametrize(
    ("whom", "how"),
    [("main", signal.SIGTERM), ("main", signal.SIGINT), ("main", signal.SIGKILL), ("worker", signal.SIGKILL)],
)
def test_stopped_anyhow_it_leaves_nothing(chaos, whom, how):
    server = until(chaos.server)
    line, children = server.cmdline(), server.children()
    os.kill(chaos.main.pid if whom == "main" else chaos.worker().pid, how)
    until(lambda: chaos.main.poll() is not None)
    until(lambda: not chaos.processes())
    until(lambda: not any(child.is_running() for child in children))
    until(lambda: not Path(line[line.index("-D") + 1]).parent.exists())
