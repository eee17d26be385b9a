"""A rate that is kept: so many calls per second and no more, by all processes that use an account together."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

_ASKED = 20  # times a second at most that turns are asked for; at a higher rate several at once

# Reserves so many seconds of the account's time among all processes; returns how long until they begin. Set while a
# connector is called (see samspil.breaker). Without it, a process keeps the rate by itself.
Turns = Callable[[float], float]
turns: ContextVar[Turns | None] = ContextVar("turns", default=None)


class Pace:
    """At most ``rate`` calls per second, evenly spaced; 0 is no limit. Thread-safe."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._many = max(1, math.ceil(rate / _ASKED))
        self._next = 0.0
        self._last = -math.inf  # the last turn that is reserved
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this call's turn."""
        if self._gap:
            with self._lock:
                now = time.monotonic()
                turn = self._turn(now)
                self._next = turn + self._gap
            time.sleep(turn - now)

    def _turn(self, now: float) -> float:
        reserve = turns.get()
        if reserve is None:
            return max(now, self._next)
        if max(now, self._next) > self._last + self._gap / 1000:  # sums of fractions are not exact
            self._next = now + reserve(self._gap * self._many)
            self._last = self._next + self._gap * (self._many - 1)
        return max(now, self._next)
