"""Airflow runs the night: two processes, each running one municipality's DAG after another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import msgspec

from samspil.errors import SamspilError

PROCESSES = 2  # more share SQLite's one writer and this machine's cores for nothing


class Ran(msgspec.Struct, frozen=True):
    """One DAG's run. ``failed`` is task → state of those that did not succeed."""

    run_id: str
    state: str
    failed: dict[str, str]
    seconds: float


class Nights:
    """A context manager: the processes. They begin to import Airflow at once; ``prepare`` waits for that."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs.resolve()
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._processes = [_Process(environment, self._logs / "airflow.log") for _ in range(PROCESSES)]
        self._threads = ThreadPoolExecutor(PROCESSES)
        self._loading = [self._threads.submit(process.ask, "load", "airflow.log") for process in self._processes]

    def prepare(self, pools: Sequence[Mapping[str, Any]]) -> None:
        """Create Airflow's database and pools."""
        for loading in self._loading:
            loading.result()
        self._processes[0].ask("prepare", "airflow.log", pools=list(pools))
        for process in self._processes:
            self._idle.put(process)

    def night(
        self, number: int, dags: Sequence[str], environment: Mapping[str, str], done: Callable[[str], None]
    ) -> dict[str, Ran]:
        """Run every DAG once; ``done`` is told of each that has ended. Raises SamspilError if one could not be run."""

        def run(dag: str) -> Ran:
            process = self._idle.get()
            try:
                answer = process.ask("run", f"{dag}-night-{number}.log", dag=dag, environment=dict(environment))
            finally:
                self._idle.put(process)
            done(dag)
            return msgspec.convert(answer, Ran)

        return dict(zip(dags, self._threads.map(run, dags), strict=True))

    def stop(self) -> None:
        """End the processes; what one was doing is left as a crash would leave it."""
        for process in self._processes:
            process.stop()
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Process:
    """One ``samspil.airflow.inprocess``."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._logs = log.parent
        with log.open("ab") as stderr:
            self._popen = subprocess.Popen(  # our own
                [sys.executable, "-m", "samspil.airflow.inprocess"],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,  # Ctrl-C is for the demo, which ends this one in order
            )

    def ask(self, do: str, log: str, **arguments: Any) -> dict[str, Any]:
        assert self._popen.stdin is not None  # noqa: S101  # it was opened with pipes
        assert self._popen.stdout is not None  # noqa: S101
        path = self._logs / log
        self._popen.stdin.write(json.dumps({"do": do, "log": str(path), **arguments}) + "\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise SamspilError(f"{do}: {answer['error']}; see {path}", reason="airflow")
        return answer

    def stop(self) -> None:
        self._popen.kill()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                stream.close()
