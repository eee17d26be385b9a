"""An Airflow of its own in one folder: SQLite, no examples, its parts as processes that end when it is left."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from samspil.errors import Unavailable

HEALTHY_WITHIN = 90  # seconds; 11 to 13 are usual on two cores
_STOP_WITHIN = 20

# What must be up before a run can be followed in the browser, and be started there.
PARTS = ("api-server", "scheduler", "dag-processor")


class Installation:
    """A context manager. ``environment`` is what a process needs to belong to it.

    Everyone who reaches it is an administrator; it listens on this machine only.
    """

    def __init__(self, home: Path, dags: Path, more: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {**_outside(), **self._settings(dags.resolve()), **(more or {})}
        self.home.mkdir(parents=True, exist_ok=True)

    def _settings(self, dags: Path) -> dict[str, str]:
        return {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(dags.parent / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def run(self, *arguments: str) -> None:
        """Run one ``airflow`` command to its end. Raises CalledProcessError."""
        with (self.home / f"{arguments[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "airflow", *arguments]
            subprocess.run(command, env=self.environment, stdout=log, stderr=log, check=True)  # noqa: S603  # our own

    def start(self, *parts: str) -> None:
        """Start parts of Airflow, each in a process group of its own with its own log in the home folder."""
        for part in parts:
            with (self.home / f"{part}.log").open("ab") as log:
                self._processes[part] = subprocess.Popen(  # noqa: S603  # our own
                    [sys.executable, "-m", "airflow", part],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def wait(self, *parts: str) -> None:
        """Until these parts say that they are well. Raises Unavailable if one ended or takes too long."""
        until = time.monotonic() + HEALTHY_WITHIN
        wanted = {part.replace("-", "_").replace("api_server", "metadatabase") for part in parts}
        while time.monotonic() < until:
            for part, process in self._processes.items():
                if process.poll() is not None:
                    raise Unavailable(f"ended at once; see {self.home / part}.log", system=f"airflow {part}")
            try:
                health = requests.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
            except (requests.RequestException, ValueError):
                health = {}
            if all((health.get(part) or {}).get("status") == "healthy" for part in wanted):
                return
            time.sleep(0.2)
        raise Unavailable(f"is not well after {HEALTHY_WITHIN} s; see the logs in {self.home}", system="airflow")

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call Airflow's REST API: ``api("GET", "dags")``. Raises requests.HTTPError."""
        token = requests.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, f"{self.url}/api/v2/{path}", json=body or None, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def stop(self) -> None:
        """End every part, the newest first, with what it started. May be called twice."""
        for process in reversed(self._processes.values()):
            _signal(process, signal.SIGINT)
        for process in self._processes.values():
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


_LEVEL = "AIRFLOW__LOGGING__LOGGING_LEVEL"  # how much its logs tell may be said from outside


def _outside() -> dict[str, str]:
    """This process's environment without another Airflow's settings."""
    return {name: value for name, value in os.environ.items() if name == _LEVEL or not name.startswith("AIRFLOW")}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
