"""Pools: how many tasks may talk to one system at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from samspil.agreement import MunicipalityFile


class Pool(TypedDict):
    """A pool in the words of ``airflow pools import``, with its name."""

    name: str
    slots: int
    description: str
    include_deferred: bool


def pool_name(connection: str) -> str:
    """The pool of the system behind an Airflow connection."""
    return f"system_{connection}"


def pools(files: Iterable[MunicipalityFile]) -> list[Pool]:
    """One pool per system of each municipality.

    ``airflow pools import`` wants them as one JSON object:
    ``{pool.pop("name"): pool for pool in pools(files)}``.
    """
    return [
        Pool(
            name=pool_name(system.connection),
            slots=system.pool_slots,
            description=f"{file.municipality.name}: {name} ({system.connector})",
            include_deferred=False,
        )
        for file in files
        for name, system in file.systems.items()
    ]
