"""The municipalities' files as the pages list them, each under the id of the DAG that ``samspil.airflow.dag`` makes."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from samspil.agreement import MunicipalityFile, load_municipality
from samspil.errors import SettingsError
from samspil.registry import schemas


class Listed(NamedTuple):
    """One file. ``file`` is None when it cannot be used; then ``error`` says why, without a value from a record."""

    dag_id: str
    file: MunicipalityFile | None
    error: str = ""


def folder(dags_folder: str) -> Path:
    """Where the files lie: ``SAMSPIL_MUNICIPALITIES``, else ``municipalities/`` in Airflow's DAG folder."""
    return Path(os.environ.get("SAMSPIL_MUNICIPALITIES") or Path(dags_folder) / "municipalities")


def municipalities(folder: Path) -> list[Listed]:
    """Every ``*.yaml`` of the folder, by file name.

    A second file with a code that is taken counts as unusable, as it does for the DAGs: it would otherwise show the
    first one's runs to whoever may read the second.
    """
    listed: list[Listed] = []
    codes: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        one = _read(path, path.stat().st_mtime_ns)
        if one.file is not None:
            first = codes.setdefault(one.file.municipality.code, path)
            if first is not path:
                one = Listed(one.dag_id, None, f"{path.name}: municipality.code: is already in {first.name}")
        listed.append(one)
    return listed


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> Listed:
    """A file, read anew when it has changed: checking one takes longer than a page may."""
    dag_id = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)
    try:
        return Listed(dag_id, load_municipality(path, schemas()))
    except SettingsError as error:
        return Listed(dag_id, None, str(error).replace(f"{path.parent}{os.sep}", ""))
