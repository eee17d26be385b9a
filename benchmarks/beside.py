"""The helper of a measured night: the same, and in the end it leaves its own measure in a file."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import sqlalchemy.dialects.postgresql.psycopg as dialect

from benchmarks.measure import measured
from samspil.flow import helper

WARM = (psycopg, dialect)  # imports belong to the start, not to the night
FILE = "BENCH_HELPER"  # in the environment


def main(number: int) -> None:
    """Never returns."""
    measure = measured(lambda: _serve(number))
    Path(os.environ[FILE]).write_text(json.dumps(measure), encoding="utf-8")
    os._exit(0)


def _serve(number: int) -> None:
    with suppress(OSError), Connection(number) as pipe:
        helper.serve(pipe)


def add(measure: dict[str, float], file: Path) -> None:
    """Add what a helper left to the measure of the process that started it; nothing if there was none in time."""
    if file.exists():
        for name, figure in json.loads(file.read_text(encoding="utf-8")).items():
            if name in ("cpu", "imports", "memory"):
                measure[name] += figure
        file.unlink()
