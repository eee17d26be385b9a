"""The nights as a sandboxed system sees them, and the time that is written on what changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from samspil.testing.facts import TODAY

WEEKS = 8  # over which what is there on the first night was changed
SPREAD = 3  # records in a row have the same time of change, as when a clerk saves several at once


class Clock(NamedTuple):
    """A night's time as this system sees it, and the time that is written on what changed since the night before."""

    now: datetime
    changed: datetime


def clock(night: int, *, skew: float = 0.0, late: float = 0.0, before: Clock | None = None) -> Clock:
    """Two o'clock at night; what changed was changed the evening before.

    ``late``: it was changed so many seconds before the night ``before`` was read, and committed only after that.
    """
    now = datetime.combine(TODAY + timedelta(days=night), time(2), UTC) + timedelta(seconds=skew)
    return Clock(now, before.now - timedelta(seconds=late) if before and late else now - timedelta(hours=6))


def spread(changed: datetime, number: int, night: int) -> datetime:
    """The time of change of the n-th of the records that changed since the night before.

    What is there on the first night was changed over the weeks before it, so that a cursor leaves most of it out.
    """
    if night == 1:
        return changed - timedelta(days=WEEKS * 7) + timedelta(hours=number // SPREAD % (WEEKS * 7 * 24))
    return changed + timedelta(seconds=number // SPREAD % 3600)
