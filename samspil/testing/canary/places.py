"""What a run leaves on disk: files, their names, and databases among them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from samspil.testing.canary import databases
from samspil.testing.canary.tally import Tally

_BLOCK = 8 << 20  # bytes of a file read at a time
_OVERLAP = 1 << 12  # bytes read again with the next block
_AIRFLOW_LOG = ("dag_id=", "airflow/", "demo/logs/")


def folder(tally: Tally, root: Path, test_of: Callable[[Path], str] = lambda _: "") -> None:
    """Search everything under a folder; ``test_of`` says which test a file is of."""
    for at, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(at) / name
            where = str(path.relative_to(root))
            tally.look("file names", where, where, test_of(path))
            if name in files and path.is_file() and not path.is_symlink():
                _file(tally, path, where, test_of(path))


def database(tally: Tally, url: str, test: str = "") -> None:
    """Search a PostgreSQL database of the store."""
    for cells in databases.postgresql(url):
        tally.look(cells.place, f"postgresql {cells.table}", cells.data, test)


def _file(tally: Tally, path: Path, where: str, test: str) -> None:
    place = "Airflow's logs" if path.suffix == ".log" and any(part in f"{path}" for part in _AIRFLOW_LOG) else ""
    try:
        with path.open("rb") as file:
            before = b""
            while block := file.read(_BLOCK):
                if not before and block.startswith(databases.MAGIC):
                    place = _sqlite(tally, path, where, test)
                tally.look(place or "temporary files", where, before + block, test)
                before = block[-_OVERLAP:]
    except OSError:
        return  # it went away meanwhile


def _sqlite(tally: Tally, path: Path, where: str, test: str) -> str:
    """Search a SQLite file's cells; the place where it counts."""
    place = "store"
    for cells in databases.sqlite(path):
        place = "store" if cells.place == "store" else "Airflow's database"
        tally.look(cells.place, f"{where} {cells.table}", cells.data, test)
    return place
