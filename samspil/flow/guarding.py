"""Guard: a plan larger than the agreement allows waits for a person."""

from __future__ import annotations

from samspil.agreement import Guard
from samspil.store.runs import Planned

SMALL = 3  # records; so few may always change or go, or a flow of ten persons could never lose one


def objection(guard: Guard, planned: Planned, held_by_target: int) -> str | None:
    """Why this plan may not go on by itself; None if it may. A first night only adds, so it may."""
    for what, wanted, percent in (
        ("delete", planned.deletions, guard.deletions),
        ("change", planned.updates, guard.changes),
    ):
        allowed = max(SMALL, int(held_by_target * percent / 100))
        if wanted > allowed:
            return f"would {what} {wanted} of {held_by_target} records; the agreement allows {allowed} ({percent:g} %)"
    return None
