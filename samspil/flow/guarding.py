"""Guard: a plan larger than the agreement allows waits for a person."""

from __future__ import annotations

from samspil.agreement import Guard
from samspil.store.runs import Run

SMALL = 3  # records; so few may always change or go, or a flow of ten persons could never lose one


def objection(guard: Guard, run: Run, held_by_target: int) -> str | None:
    """Why this plan may not go on by itself; None if it may. A first night only adds, so it may."""
    deletions = run.counts.get("deletions", 0) + run.counts.get("withdrawals", 0)
    for what, wanted, percent in (
        ("delete", deletions, guard.deletions),
        ("change", run.counts.get("updates", 0), guard.changes),
    ):
        allowed = max(SMALL, int(held_by_target * percent / 100))
        if wanted > allowed:
            return f"would {what} {wanted} of {held_by_target} records; the agreement allows {allowed} ({percent:g} %)"
    return None
