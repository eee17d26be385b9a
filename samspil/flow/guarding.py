"""Guard (værn): a plan that is larger than the agreement allows, or made from too small a read, waits for a person."""

from __future__ import annotations

from samspil.agreement import Guard
from samspil.store.runs import Planned

SMALL = 3  # records; so few may always change or go, or a flow of ten persons could never lose one


def objection(guard: Guard, planned: Planned, held_by_target: int, last_read: int) -> str | None:
    """Why this plan may not go on by itself; None if it may. A first night only adds, so it may.

    ``last_read`` is how many records the last snapshot had that was acted on; 0 if there was none.
    """
    expected = max(last_read, held_by_target)  # the target may hold what an incremental source told since
    if planned.gone and planned.read * 100 < expected * guard.smallest_read:
        return (
            f"read {planned.read} records where {expected} are known, and would delete {planned.gone}; "
            f"the agreement wants {guard.smallest_read:g} % of them before it believes that the others are gone"
        )
    for what, wanted, percent in (
        ("delete", planned.deletions, guard.deletions),
        ("change", planned.updates, guard.changes),
    ):
        allowed = max(SMALL, int(held_by_target * percent / 100))
        if wanted > allowed:
            return f"would {what} {wanted} of {held_by_target} records; the agreement allows {allowed} ({percent:g} %)"
    return None
