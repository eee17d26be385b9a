"""What the store says of a flow's runs. Every transaction here is read-only, and the database is told so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from samspil.agreement import Flow, MunicipalityFile
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.flow.reconciliation import Counts, count
from samspil.store import Store, expiries, quarantine, runs, tables
from samspil.store.expiries import Expiring
from samspil.store.runs import Run
from samspil.store.waiting import Waiting, waiting

NIGHTS = 14
OTHER = "other"  # shown for a reason that is no code of ours: a system may put anything into its refusal


class Night(msgspec.Struct, frozen=True):
    """One run of a flow and what it counted."""

    run: Run
    counts: Counts


class Standing(msgspec.Struct, frozen=True):
    """How a flow stands now. ``night`` is its latest run that read the source; None if it never ran."""

    flow: Flow
    night: Night | None = None
    held_back: int = 0  # in the quarantine now, from whichever run
    held_by_target: int = 0
    waiting: Waiting | None = None


class Reason(msgspec.Struct, frozen=True):
    """How many records are in the quarantine now for one reason. ``since`` is the oldest, seconds since 1970."""

    stage: str
    reason: str
    records: int
    since: float


@contextmanager
def looking(municipality: str) -> Iterator[Connection]:
    """The municipality's store, to read only; one that is not there is empty. Raises Unavailable."""
    store: Store | None = None
    try:
        store = Store.from_environment(municipality, create=False)
        with store.transaction() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY" if store.postgresql else "PRAGMA query_only = ON")
            yield connection
    except (SQLAlchemyError, SettingsError, AccessError) as error:
        raise Unavailable(f"the store does not answer ({type(error).__name__})", system="store") from None
    finally:
        if store is not None:
            store.close()


def standing(connection: Connection, file: MunicipalityFile, flow: Flow) -> Standing:
    """How the flow stands."""
    number = runs.find_flow(connection, flow.municipality.code, flow.name)
    if number is None:
        return Standing(flow, waiting=waiting(connection, file, flow, None))
    query = (
        select(tables.runs)
        .where(tables.runs.c.flow_id == number, tables.runs.c.key.not_like(f"{runs.REPLAY}%"))
        .order_by(tables.runs.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return Standing(
        flow,
        _night(connection, Run(row)) if row is not None else None,
        quarantine.count_open(connection, number),
        runs.held_by_target(connection, number),
        waiting(connection, file, flow, number),
    )


def expiring(connection: Connection, file: MunicipalityFile) -> Sequence[Expiring]:
    """What the last checks of the municipality's systems found to run out; not of systems that it has no longer."""
    return [one for one in expiries.known(connection, file.municipality.code) if one.system in file.systems]


def history(connection: Connection, flow: Flow) -> Sequence[Night]:
    """The flow's last runs, newest first; without those that only sent the quarantine through again."""
    number = runs.find_flow(connection, flow.municipality.code, flow.name)
    query = (
        select(tables.runs)
        .where(tables.runs.c.flow_id == number, tables.runs.c.key.not_like(f"{runs.REPLAY}%"))
        .order_by(tables.runs.c.id.desc())
        .limit(NIGHTS)
    )
    return [_night(connection, Run(row)) for row in connection.execute(query).all()]


def reasons(connection: Connection, flow: Flow) -> Sequence[Reason]:
    """Why records of the flow are in the quarantine now, most records first. Fields and hints are left out."""
    number = runs.find_flow(connection, flow.municipality.code, flow.name)
    of = tables.quarantine.c
    query = (
        select(of.stage, of.reason, func.count(), func.min(of.at))
        .where(of.flow_id == number, of.state == "open")
        .group_by(of.stage, of.reason)
    )
    found: dict[tuple[str, str], Reason] = {}
    for stage, reason, records, since in connection.execute(query):
        key = (stage, _code(reason))
        other = found.get(key, Reason(*key, 0, since))
        found[key] = Reason(*key, other.records + records, min(other.since, since))
    return sorted(found.values(), key=lambda reason: (-reason.records, reason.stage, reason.reason))


def _night(connection: Connection, run: Run) -> Night:
    return Night(run, count(connection, run))


def _code(reason: str) -> str:
    """A reason as it may be shown: kebab-case with no number in it that could be a person's."""
    return reason if re.fullmatch(r"[a-z][a-z0-9-]{0,59}", reason) and not re.search(r"\d{4}", reason) else OTHER
