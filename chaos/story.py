"""A story: some nights of one exchange, in each of which something goes wrong, and then what became of it.

All is chosen by the seed; only the moment of a kill "at any time" also depends on the machine.
"""

from __future__ import annotations

import random
import time
from typing import Any

import msgspec

from chaos.kinds import KINDS, LATE, NOTHING, POSTGRESQL, SQLITE, Mishap, Moment
from chaos.place import Place
from chaos.process import STOPPED, Job
from chaos.rows import RECORDS, Rows
from chaos.verdict import Verdict

QUIET = 8  # nights within which everything must have come to rest
WHOLE = {SQLITE: 330, POSTGRESQL: 300}  # points of a whole run, or so; not counted, as a seed must tell the same again
KILLED, HUNG = -9, -6
BALANCE = ("unbalanced", "undelivered")  # reasons


class Told(msgspec.Struct, kw_only=True):
    """How a story ended."""

    kind: str
    database: str
    seed: int
    faults: int
    points: list[str]  # where something was done to the process
    verdict: Verdict
    seconds: float


class Story:
    """One story. ``tell`` it once."""

    def __init__(self, place: Place, kind: str, database: str, seed: int) -> None:
        self._place, self._kind, self._database, self._seed = place, kind, database, seed
        self._rng = random.Random(f"{kind}/{database}/{seed}")  # noqa: S311  # a repeatable story, no secret
        self._rows = Rows(self._rng)
        incremental = kind == LATE or self._rng.random() < 0.4
        self._job: Job = {
            "reads": "incremental" if incremental else "snapshot",
            "attempts": self._rng.choice((1, 3)),
            "helped": database == POSTGRESQL and self._rng.random() < 0.5,
        }
        self._verdict = Verdict()
        self._faults = self._late = 0
        self._points: list[str] = []
        self._stopped: list[int] = []  # processes
        self._seconds = 0.15 if database == SQLITE else 0.4

    def tell(self) -> Told:
        """Let it happen."""
        begun = time.monotonic()
        self._place.fresh(self._database)
        self._place.centre.fresh(self._rows)
        for night in range(1, self._rng.randint(4, 6) + 1):
            self._night(f"night {night}")
        self._end()
        return Told(
            kind=self._kind,
            database=self._database,
            seed=self._seed,
            faults=self._faults,
            points=self._points,
            verdict=self._verdict,
            seconds=time.monotonic() - begun,
        )

    def _night(self, key: str) -> None:
        """Edits of the day; the run, again for some time if it does not end well; perhaps a replay."""
        rng, office = self._rng, self._place.office
        self._late = self._rows.night(late=self._kind == LATE)
        office.edits = self._rows.edited
        office.refuses = {f"r{rng.randrange(RECORDS):02}" for _ in range(rng.choice((0, 0, 0, 1, 2, 4)))}
        if self._stopped and rng.random() < 0.7:
            self._go_on()
        tries, goes_wrong = rng.randint(1, 3), 1.0
        while self._run({"do": "night", "key": key}, goes_wrong) is None and tries > 1:
            tries, goes_wrong = tries - 1, 0.4
            self._rows.later()
        if rng.random() < 0.4:
            office.refuses = {one for one in sorted(office.refuses) if rng.random() < 0.3}
            self._run({"do": "replay"}, 0.5)

    def _end(self) -> None:
        """Nothing goes wrong any more: it comes to rest, and everything is where it should be."""
        office = self._place.office
        office.refuses = set()
        self._go_on()
        for night in range(QUIET):
            self._rows.later()
            job = {"do": "night", "key": f"quiet {night}", "keys": list(self._rows.versions)}
            counts = self._run(job, 0)
            if self._verdict.stuck:
                return
            if counts is None:
                continue
            if any(stage == "deliver" for _, stage in counts["seen"]["held"]):
                self._run({"do": "replay"}, 0)
            elif not counts["receipts"]:
                self._judge(counts)
                return
        self._verdict.stuck.append("it does not come to rest")

    def _go_on(self) -> None:
        """The processes that stand still go on, overtaken by others; half of the time without their connections."""
        if self._stopped and self._rng.random() < 0.5:
            self._place.cut()
        while self._stopped:
            told: Job = {}
            for one in self._place.run({"resume": self._stopped.pop()}):
                told.update(one)
            if "raised" in told and told["reason"] != "dropped":
                self._judge_end(told)

    def _judge(self, counts: Job) -> None:
        self._verdict.judge(self._rows, self._place.office, counts["seen"])
        if self._job["reads"] == "snapshot" and counts["read"] != len(self._rows.held):
            self._verdict.unbalanced.append(f"{counts['read']} read, {len(self._rows.held)} at the centre")

    def _run(self, job: Job, goes_wrong: float) -> Any:
        """A process's work. What it did, or None if it did not come to its end."""
        mishap = self._mishap() if self._rng.random() < goes_wrong else NOTHING
        played = self._add(mishap)
        before = time.monotonic()
        told: Job = {}
        for one in self._place.run({**self._job, **job, **mishap.job}):
            told.update(one)
        took = time.monotonic() - before
        happened = played != self._played()
        self._place.office.faults.clear()
        self._place.centre.faults.clear()
        self._count(mishap, told, happened=happened)
        if told["ended"] == STOPPED:
            self._stopped.append(told["stopped"])
        elif "done" not in told:
            self._judge_end(told)
        if "done" not in told:
            return None
        if job["do"] == "night":
            self._seconds = took
        if told["done"] is not None and "balances" in told["done"]:
            self._verdict.balance(told["done"])
        return told["done"]

    def _mishap(self) -> Mishap:
        moment = Moment(self._rng, self._database, WHOLE[self._database], self._seconds, self._late)
        return KINDS[self._kind](moment)

    def _add(self, mishap: Mishap) -> int:
        self._place.office.before = ()
        if mishap.network is not None:
            at, kind, after, times = mishap.network
            getattr(self._place, at).faults.add(kind, after=after, times=times)
        return self._played()

    def _played(self) -> int:
        return self._place.office.faults.played + self._place.centre.faults.played

    def _count(self, mishap: Mishap, told: Job, *, happened: bool) -> None:
        if "at" in told:
            self._points.append(told["at"])
            happened = True
        self._faults += mishap.sure or happened or told["ended"] == KILLED

    def _judge_end(self, told: Job) -> None:
        if "raised" in told:
            unbalanced = told.get("reason") in BALANCE
            line = f"{told['raised']} ({', '.join(told['lines'])})"
            (self._verdict.unbalanced if unbalanced else self._verdict.stuck).append(line)
        elif told["ended"] == HUNG:
            self._verdict.stuck.append("a process hangs")
