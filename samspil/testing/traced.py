"""How much memory Python's objects take in a stretch of work, which is all that this process does meanwhile."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

alone = threading.Lock()  # held by who measures; whoever looks at the process beside the work takes it to do so


class Traced:
    """Bytes, of what was made since the measuring began."""

    @property
    def held(self) -> int:
        """Now."""
        return tracemalloc.get_traced_memory()[0]

    @property
    def peak(self) -> int:
        """At most, so far."""
        return tracemalloc.get_traced_memory()[1]


@contextmanager
def traced() -> Iterator[Traced]:
    """Measure until it is left."""
    with alone:
        tracemalloc.start()
        try:
            yield Traced()
        finally:
            tracemalloc.stop()
