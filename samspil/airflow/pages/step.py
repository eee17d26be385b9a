"""The next step of a flow: what its standing means in the morning, and the command that takes it further."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from samspil.airflow.pages.nights import Night, Standing
from samspil.store.runs import State

_HOUR = 3600
_AT_WORK = _HOUR  # a run younger than this is taken to be under way
_LATE = {"nightly": 26 * _HOUR, "on-change": 26 * _HOUR, "weekly": 8 * 24 * _HOUR, "monthly": 32 * 24 * _HOUR}


class Level(StrEnum):
    """How soon a person is needed. The order is that of the overview's totals."""

    STOPPED = "stopped"  # nothing more happens before somebody acts
    HELD = "held"  # the flow is done; some records are not
    WAITING = "waiting"  # it is under way, or has not had its first night
    FINE = "fine"


class Step(NamedTuple):
    """``what`` is a key of the pages' words; ``commands`` are typed on the machine where Samspil runs."""

    level: Level
    what: str
    commands: tuple[str, ...] = ()


def next_step(slug: str, standing: Standing, now: float) -> Step:
    """What to do about a flow of the municipality ``slug``; ``now`` in seconds since 1970."""
    night, flow = standing.night, standing.flow
    away = standing.waiting is not None and bool(standing.waiting.system)
    if night is None:
        first = Step(Level.WAITING, "step_first", (f"samspil plan {slug} --flow {flow.name}",))
        return Step(Level.STOPPED, "step_away", (f"samspil check {slug}",)) if away else first
    run, age = night.run, now - night.run.started
    if run.state is State.TRIPPED:
        decide = tuple(f'samspil {decision} {slug} {run.id} --why "…"' for decision in ("approve", "refuse"))
        return Step(Level.STOPPED, "step_decide", decide)
    if balances(night) is False:
        return Step(Level.STOPPED, "step_unbalanced", (f"samspil runs {slug}",))
    if away:
        return Step(Level.WAITING if age < _AT_WORK else Level.STOPPED, "step_away", (f"samspil check {slug}",))
    if run.state in (State.PLANNING, State.PLANNED, State.APPROVED):
        return _under_way(slug, run.state, age)
    if age > _LATE[flow.rhythm]:
        return Step(Level.STOPPED, "step_late", (f"samspil check {slug}",))
    if run.state is State.DROPPED:
        return Step(Level.STOPPED, "step_dropped", (f"samspil apply {slug} --flow {flow.name}",))
    if standing.held_back:
        return Step(Level.HELD, "step_held", (f"samspil quarantine list {slug} --flow {flow.name}",))
    return Step(Level.FINE, "step_none")


def _under_way(slug: str, state: State, age: float) -> Step:
    """The step of a run that has not come to its end, and perhaps never will."""
    if age < _AT_WORK:
        return Step(Level.WAITING, "step_delivering" if state is State.APPROVED else "step_reading")
    stuck = "step_not_delivered" if state is State.APPROVED else "step_not_read"
    return Step(Level.STOPPED, stuck, (f"samspil check {slug}",))


def balances(night: Night) -> bool | None:
    """Whether the run accounts for every record it read; None while that cannot be said."""
    return night.counts.balances if night.run.state in (State.APPROVED, State.DONE) else None
