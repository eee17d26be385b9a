"""What the nights did, counted from the stores and held against what the systems really hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from samspil.agreement import Flow, MunicipalityFile
from samspil.demo.nights import Ran
from samspil.demo.systems import Systems
from samspil.flow.reconciliation import Counts, count
from samspil.store import Store, runs
from samspil.store import tables as t


class FlowNight(msgspec.Struct, frozen=True):
    """One flow in one night. ``counts`` is None when the flow did not get as far as a plan."""

    municipality: str
    flow: str
    counts: Counts | None

    @property
    def balances(self) -> bool:
        """Whether the flow ran and every record read is accounted for."""
        return self.counts is not None and self.counts.balances


class Holding(msgspec.Struct, frozen=True):
    """How many records of a schema a system holds, and how many the stores say it has acknowledged."""

    system: str
    schema: str
    held: int
    acknowledged: int

    @property
    def agrees(self) -> bool:
        """Whether nothing was lost on the way and nothing doubled."""
        return self.held == self.acknowledged


def flow_nights(file: MunicipalityFile, ran: Ran) -> list[FlowNight]:
    """Every flow of a municipality in the run of one night."""
    store = Store.from_environment(file.municipality.code)
    try:
        return [FlowNight(file.slug, flow.name, _counts(store, flow, ran.run_id)) for flow in file.flows]
    finally:
        store.close()


def holdings(files: list[MunicipalityFile], systems: Systems) -> list[Holding]:
    """Each receiving system and schema once, also when several municipalities send to it."""
    acknowledged: Counter[tuple[int, str]] = Counter()
    names: dict[tuple[int, str], str] = {}
    for file in files:
        store = Store.from_environment(file.municipality.code)
        for flow in file.flows:
            sandbox = systems.sandboxes[file.slug, flow.target]
            place = (id(sandbox), flow.schema)
            national = sandbox in systems.national.values()
            names[place] = flow.target if national else f"{file.slug} {flow.target}"
            with store.transaction() as connection:
                number = runs.flow_id(connection, file.municipality.code, flow.name)
                acknowledged[place] += runs.held_by_target(connection, number)
        store.close()
    boxes = {id(sandbox): sandbox for sandbox in systems.sandboxes.values()}
    return [
        Holding(names[box, schema], schema, len(boxes[box].held(schema)), number)
        for (box, schema), number in acknowledged.items()
    ]


def as_json(
    nights: Mapping[int, Mapping[str, Ran]],
    flows: Mapping[int, list[FlowNight]],
    held: list[Holding],
    seconds: float,
) -> dict[str, Any]:
    """Everything, for ``demo.json``."""
    return {
        "balances": balances(nights, flows, held),
        "seconds": round(seconds, 1),
        "nights": {
            str(number): {
                slug: {
                    **msgspec.to_builtins(ran),
                    "flows": {row.flow: _plain(row) for row in flows[number] if row.municipality == slug},
                }
                for slug, ran in night.items()
            }
            for number, night in nights.items()
        },
        "holdings": [{**msgspec.to_builtins(holding), "agrees": holding.agrees} for holding in held],
    }


def balances(
    nights: Mapping[int, Mapping[str, Ran]], flows: Mapping[int, list[FlowNight]], held: list[Holding]
) -> bool:
    """Whether every run succeeded, every flow balances and every system holds what it gave receipts for."""
    return (
        all(ran.state == "success" for night in nights.values() for ran in night.values())
        and all(row.balances for rows in flows.values() for row in rows)
        and all(holding.agrees for holding in held)
    )


def _counts(store: Store, flow: Flow, key: str) -> Counts | None:
    with store.transaction() as connection:
        number = runs.flow_id(connection, flow.municipality.code, flow.name)
        found = connection.execute(
            select(t.runs.c.id).where(t.runs.c.flow_id == number, t.runs.c.key == key)
        ).scalar_one_or_none()
        return None if found is None else count(connection, runs.get(connection, found))


def _plain(row: FlowNight) -> dict[str, Any] | None:
    if row.counts is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(row.counts)
    return {**plain, "balances": row.balances}


def store_url(folder: Path) -> str:
    """Where the demo's stores lie: one SQLite file per municipality."""
    return f"sqlite:///{folder.resolve()}/samspil-{{municipality}}.db"
