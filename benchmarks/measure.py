"""Seconds, processor seconds and peak memory of one piece of work in this process."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """Run ``work``. ``memory`` is the peak in MiB above what interpreter and imports took before it."""
    before, cpu, start = _peak(), time.process_time(), time.perf_counter()
    result = work()
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "imports": before / 1024,
        "memory": (_peak() - before) / 1024,
        "counts": result,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
