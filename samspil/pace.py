"""A rate that is kept: so many calls per second and no more."""

from __future__ import annotations

import threading
import time


class Pace:
    """At most ``rate`` calls per second, evenly spaced; 0 is no limit. Thread-safe."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this call's turn."""
        if self._gap:
            with self._lock:
                now = time.monotonic()
                turn = max(now, self._next)
                self._next = turn + self._gap
            time.sleep(turn - now)
