"""Runs of a flow: what state each is in, and what it counted."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, text, update

from samspil.store.tables import DELIVERED, RUN_SHIFT, first_id, flows, links, outbox, receipts, runs

REPLAY = "replay "  # how the key of a replay's run begins


class State(StrEnum):
    """A run's life. Only APPROVED and later ones are delivered from."""

    PLANNING = "planning"  # reading; its outbox rows count for nothing yet
    PLANNED = "planned"
    TRIPPED = "tripped"  # the guard stopped it: a person decides
    APPROVED = "approved"
    DONE = "done"  # delivered as far as it could be, and reconciled
    DROPPED = "dropped"  # replaced by a newer plan, or refused by a person


class Run:
    """One row of ``runs``."""

    def __init__(self, row: Any) -> None:
        self.id: int = row.id
        self.flow_id: int = row.flow_id
        self.key: str = row.key
        self.state = State(row.state)
        self.pending: bool = row.pending
        self.started: float = row.started
        self.finished: float | None = row.finished
        self.cursor: str | None = row.cursor
        self.counts: dict[str, Any] = row.counts
        self.agreement: str | None = row.agreement

    @property
    def planned(self) -> Planned:
        """What the run wanted to do to records the target has, and what it read to want that."""
        deletions, withdrawals = self.counts.get("deletions", 0), self.counts.get("withdrawals", 0)
        gone = deletions if self.counts.get("snapshot") else 0
        return Planned(self.counts.get("updates", 0), deletions + withdrawals, self.counts.get("read", 0), gone)


class Planned(NamedTuple):
    """What the guard looks at: how many records of the target a plan would change, and how many it would delete."""

    updates: int
    deletions: int  # all that is taken back
    read: int = 0
    gone: int = 0  # of the deletions, those planned only because a snapshot did not have the record any more


def find_flow(connection: Connection, municipality: str, name: str) -> int | None:
    """The flow's number, if it was ever used."""
    query = select(flows.c.id).where(flows.c.municipality == municipality, flows.c.name == name)
    found: int | None = connection.execute(query).scalar()
    return found


def flow_id(connection: Connection, municipality: str, name: str) -> int:
    """The flow's number, given at its first use."""
    found = find_flow(connection, municipality, name)
    if found is None:  # another process may be at the same point
        connection.execute(_NEW_FLOW, {"municipality": municipality, "name": name})
        found = find_flow(connection, municipality, name)
    assert found is not None  # noqa: S101  # just inserted
    return found


def get(connection: Connection, run: int) -> Run:
    """A run by its id. Raises LookupError."""
    row = connection.execute(select(runs).where(runs.c.id == run)).one_or_none()
    if row is None:
        raise LookupError(f"no run {run}")
    return Run(row)


def start(connection: Connection, flow: int, key: str) -> Run:
    """The run of this key: a new one, or the one that was started before (its state tells how far it came)."""
    query = select(runs).where(runs.c.flow_id == flow, runs.c.key == key)
    row = connection.execute(query).one_or_none()
    if row is None:
        connection.execute(
            insert(runs).values(
                flow_id=flow, key=key, state=State.PLANNING, pending=False, started=time.time(), counts={}
            )
        )
        row = connection.execute(query).one()
    return Run(row)


def change(connection: Connection, run: int, *, was: State | None = None, **values: Any) -> bool:
    """Set columns of a run; with ``was`` only if that is still its state. Returns whether it was."""
    query = update(runs).where(runs.c.id == run).values(**values)
    return bool(connection.execute(query if was is None else query.where(runs.c.state == was)).rowcount)


def unfinished(connection: Connection, flow: int, *, besides: int) -> Sequence[Run]:
    """Earlier runs of the flow that still have something to settle, oldest first."""
    query = (
        select(runs)
        .where(runs.c.flow_id == flow, runs.c.id != besides)
        .where(runs.c.pending | runs.c.state.in_([State.PLANNING, State.PLANNED, State.TRIPPED, State.APPROVED]))
        .where(runs.c.state != State.DROPPED)
        .order_by(runs.c.id)
    )
    return [Run(row) for row in connection.execute(query)]


def replays(connection: Connection, flow: int) -> Sequence[int]:
    """Replays with something to send, oldest first: others may wait for what they bring."""
    query = select(runs.c.id).where(runs.c.flow_id == flow, runs.c.pending, runs.c.state == State.APPROVED)
    return connection.execute(query.where(runs.c.key.like(f"{REPLAY}%")).order_by(runs.c.id)).scalars().all()


def agreements(connection: Connection, ids: Collection[int]) -> Mapping[int, str | None]:
    """The agreement each of these runs was planned under."""
    rows = connection.execute(select(runs.c.id, runs.c.agreement).where(runs.c.id.in_(ids)))
    return {row.id: row.agreement for row in rows}


def finish(connection: Connection, run: Run) -> bool:
    """Close a run; its cursor becomes the flow's, now that everything up to it is acknowledged or held back safely.

    Returns False, and changes nothing, if another process has closed it: later runs may have moved the cursor on.
    """
    if not change(connection, run.id, was=State.APPROVED, state=State.DONE, finished=time.time()):
        return False
    if run.cursor is not None:
        connection.execute(update(flows).where(flows.c.id == run.flow_id).values(cursor=run.cursor))
    return True


def cursor(connection: Connection, flow: int) -> str | None:
    """Where the flow's next incremental read may start; None: from the beginning."""
    found: str | None = connection.execute(select(flows.c.cursor).where(flows.c.id == flow)).scalar()
    return found


def flow_name(connection: Connection, flow: int) -> str:
    """A flow's name by its number."""
    return str(connection.execute(select(flows.c.name).where(flows.c.id == flow)).scalar_one())


def latest(connection: Connection, flow: int) -> Run | None:
    """The newest run of the flow that read its source; a replay does not."""
    nights = select(runs).where(runs.c.flow_id == flow, runs.c.key.not_like(f"{REPLAY}%"))
    row = connection.execute(nights.order_by(runs.c.id.desc()).limit(1)).first()
    return Run(row) if row else None


def held_by_target(connection: Connection, flow: int) -> int:
    """How many records the target has acknowledged and holds."""
    query = select(func.count()).where(links.c.flow_id == flow, links.c.state == DELIVERED)
    return int(connection.execute(query).scalar_one())


def last_snapshot(connection: Connection, flow: int) -> int:
    """How many records the last whole snapshot had whose plan was let through; 0 if there was none."""
    let_through = runs.c.state.in_([State.APPROVED, State.DONE]) & runs.c.counts["snapshot"].as_boolean()
    query = select(runs.c.counts).where(runs.c.flow_id == flow, let_through).order_by(runs.c.id.desc()).limit(1)
    counts = connection.execute(query).scalar()
    return int(counts.get("read", 0)) if counts else 0


def receipts_by_action(connection: Connection, run: int) -> dict[tuple[int, int | None], int]:
    """Counts of the run's outbox rows by (action, receipt status); status None has no receipt yet."""
    bounds = first_id(run), first_id(run + 1) - 1  # of both sides, or the receipts of every night were read
    same = (receipts.c.outbox_id == outbox.c.id) & receipts.c.outbox_id.between(*bounds)
    query = (
        select(outbox.c.action, receipts.c.status, func.count())
        .select_from(outbox.outerjoin(receipts, same))
        .where(outbox.c.id.between(*bounds))
        .group_by(outbox.c.action, receipts.c.status)
    )
    return {(action, status): count for action, status, count in connection.execute(query)}


def run_of(outbox_id: int) -> int:
    """The run an outbox row belongs to."""
    return outbox_id >> RUN_SHIFT


_NEW_FLOW = text("INSERT INTO flows (municipality, name) VALUES (:municipality, :name) ON CONFLICT DO NOTHING")
