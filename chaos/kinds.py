"""The kinds of fault. Each chooses by a story's seed what goes wrong in the next run, and where."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chaos.process import Job

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DAYS = 86_400.0


class Moment(NamedTuple):
    """What a kind chooses by. ``points`` and ``seconds`` are those of a whole run, as far as one is known."""

    rng: random.Random
    database: str
    points: int
    seconds: float
    late: int  # records committed late since the run before


class Network(NamedTuple):
    """A fault of the sandbox ``at`` (centre or office): see ``samspil.testing.faults`` and ``chaos.office``."""

    at: str
    kind: str
    after: int
    times: int


class Mishap(NamedTuple):
    """One fault: something at a point of the process (``job``, see ``chaos.mishaps``), or on the network.

    ``sure``: it has happened whatever the run does.
    """

    job: Job
    network: Network | None = None
    sure: bool = False


NOTHING = Mishap({})


def _killed_between_writes(now: Moment) -> Mishap:
    return Mishap({"what": "kill", "at": now.rng.randint(1, now.points)})


def _killed_at_any_time(now: Moment) -> Mishap:
    return Mishap({"kill_after": now.rng.uniform(0.01, now.seconds)})


def _answer_lost(now: Moment) -> Mishap:
    at = "office" if now.rng.random() < 0.8 else "centre"
    return _network(now, at, ("lost-answer", "truncate"))


def _duplicated(now: Moment) -> Mishap:
    return _network(now, "office", ("repeat", "twice"))


def _reordered(now: Moment) -> Mishap:
    return _network(now, "office", ("shuffled", "stale"))


def _half_accepted(now: Moment) -> Mishap:
    return _network(now, "office", ("half-batch", "half-error"))


def _network(now: Moment, at: str, kinds: Sequence[str]) -> Mishap:
    network = Network(at, now.rng.choice(kinds), after=now.rng.randint(0, 3), times=now.rng.choice((1, 1, 3)))
    return Mishap({}, network)


def _disk_full(now: Moment) -> Mishap:
    what = "full" if now.database == POSTGRESQL else now.rng.choice(("pages", "size"))
    return Mishap({"what": what, "at": now.rng.randint(1, now.points)})


def _database_gone(now: Moment) -> Mishap:
    at = now.rng.randint(1, now.points)
    if now.database == SQLITE:
        return Mishap({"what": "ask", "please": "lock", "at": at, "seconds": now.rng.choice((0.05, 0.6))})
    if now.rng.random() < 0.1:
        return Mishap({"what": "ask", "please": "restart", "at": at, "seconds": now.rng.choice((0.0, 0.3))})
    return Mishap({"what": "terminate", "at": at})


def _clock_set_back(now: Moment) -> Mishap:
    clock = {"clock": now.rng.choice((-1, -1, 1)) * now.rng.uniform(1, 40 * DAYS)}
    kill = _killed_between_writes(now).job if now.rng.random() < 0.5 else {}
    return Mishap(clock | kill, sure=True)


def _committed_late(now: Moment) -> Mishap:
    other = now.rng.choice((NOTHING, _killed_between_writes(now), _answer_lost(now)))
    return other._replace(sure=bool(now.late))


def _overtaken(now: Moment) -> Mishap:
    return Mishap({"what": "stop", "at": now.rng.randint(1, now.points)})


KINDS: Mapping[str, Callable[[Moment], Mishap]] = {
    "killed-between-writes": _killed_between_writes,
    "killed-at-any-time": _killed_at_any_time,
    "overtaken": _overtaken,
    "answer-lost": _answer_lost,
    "duplicated": _duplicated,
    "reordered": _reordered,
    "half-accepted": _half_accepted,
    "disk-full": _disk_full,
    "database-gone": _database_gone,
    "clock-set-back": _clock_set_back,
    "committed-late": _committed_late,
}
LATE = "committed-late"
