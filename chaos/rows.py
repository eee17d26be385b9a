"""What the centre has: the truth that the office is held against."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from samspil.testing.plans import plan

PERSONS = 5
RECORDS = 14
FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)
LATE = 3000  # seconds; the connector asks for an hour again
_LENGTH = 1500  # of a text: a night of them needs new pages of the database


class Row(NamedTuple):
    """One record at the centre. ``version`` counts all edits of the story, so that versions tell the order."""

    key: str
    person: int
    version: int
    changed: datetime
    order: str = "mine"  # any other may not be sent
    start: str = "2026-01-01"  # or no date: it cannot be mapped
    wish: str = "-"  # of a field that is not sent

    @property
    def broken(self) -> bool:
        """Whether it cannot pass."""
        return self.start == ""

    @property
    def sent(self) -> bool:
        """Whether the office should hold it in the end."""
        return not self.broken and self.order == "mine"

    @property
    def record(self) -> dict[str, Any]:
        """As the centre shows it; the version is the title."""
        text = random.Random(self.version).randbytes(_LENGTH // 2).hex()  # noqa: S311  # a repeatable text, no secret
        return plan(
            self.key,
            self.person,
            self.order,
            title=str(self.version),
            start=self.start or "no day",
            updated_at=self.changed.isoformat(),
            citizens_wish=self.wish,
            purpose=text,
            goals=[{"id": "g", "title": "Goal", "status": "ongoing", "sub_goals": []}],
        )


class Rows:
    """The centre's records by key, those that are gone with the time they went, and the centre's clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng, self._versions = rng, 0
        self.now = self._before = FIRST
        self.held: dict[str, Row] = {}
        self.gone: list[tuple[str, datetime]] = []
        self.versions: dict[str, list[int | None]] = {}  # every version a record ever had; None: gone
        self.edits: dict[tuple[str, int], list[int]] = {}  # of a key's version: when it was edited, counting all edits

    def night(self, *, late: bool = False) -> int:
        """Go to the next night, with edits of the day. How many were committed late, with a time before the last night.

        Without ``late`` none are.
        """
        self._before, self.now = self.now, self.now + timedelta(days=1)
        tardy = 0
        for number in range(RECORDS):
            key = f"r{number:02}"
            if self._rng.random() < (0.7 if self.now == FIRST + timedelta(days=1) else 0.4):
                behind = late and self._rng.random() < 0.5
                tardy += behind
                self._edit(key, number % PERSONS, self._time(late=behind))
        return tardy

    @property
    def edited(self) -> int:
        """How many edits there were."""
        return self._versions

    def later(self) -> None:
        """Some minutes pass, without edits."""
        self.now += timedelta(minutes=5)

    def shown(self, since: datetime | None = None) -> list[Row]:
        """In the order of edits: all, or what changed from this moment on."""
        rows = sorted(self.held.values(), key=lambda row: self.edits[row.key, row.version][-1])
        return [row for row in rows if since is None or row.changed >= since]

    def _time(self, *, late: bool) -> datetime:
        if late:
            return self._before - timedelta(seconds=self._rng.randint(1, LATE))
        return self.now - timedelta(seconds=self._rng.randint(1, 20 * 3600))

    def _edit(self, key: str, person: int, at: datetime) -> None:
        row, what = self.held.get(key), self._rng.random()
        self._versions += 1
        if row is None or what < 0.6:
            new = Row(key, person, self._versions, at)
        elif what < 0.75:
            del self.held[key]
            self.gone.append((key, at))
            self.versions[key].append(None)
            return
        elif what < 0.83:
            new = Row(key, person, self._versions, at, start="")
        elif what < 0.91:
            new = Row(key, person, self._versions, at, order="other")
        else:  # nothing that is sent: the version stays, so a second delivery of it shows
            new = row._replace(wish=str(self._versions))
        self.held[key] = new
        self.versions.setdefault(key, []).append(new.version)
        self.edits.setdefault((key, new.version), []).append(self._versions)
