"""Seconds, processor seconds and peak memory of one piece of work in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
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
    """Kilobytes. Not from ``getrusage``, where a child begins with the peak of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
