"""Reconcile (afstemning): every record read is accounted for, or the run is not green.

What was read is counted where records are cut; what became of each is counted from the rows of the store. The two
are found independently, so a record lost anywhere between shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from samspil.errors import SamspilError
from samspil.store import outbox, quarantine, runs
from samspil.store.runs import Run
from samspil.store.tables import ACCEPTED, DELETE, PUT, REFUSED, SUPERSEDED, WITHDRAW


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of records in one run. ``read`` = delivered + unchanged + filtered + held back + blocked."""

    read: int
    delivered: int
    unchanged: int
    filtered: int
    held_back: int
    blocked: int  # of persons who were erased, and not taken in again
    creates: int
    updates: int
    deleted: int  # at the target, receipts in hand: gone at the source, or no longer allowed to be there
    deletions_held_back: int
    receipts: int
    complete: bool  # the read saw all of the source, so that a missing record means deletion
    kept_by_target: int  # gone at the source; the target has no way to delete
    reasons: Mapping[str, int]  # of what was held back
    withheld: int = 0  # of what is filtered: for want of the citizen's consent
    conflicts: int = 0  # records of a two-way exchange held back only because a person must settle a field

    @property
    def balances(self) -> bool:
        """Whether every record read is accounted for."""
        return self.read == self.delivered + self.unchanged + self.filtered + self.held_back + self.blocked


def count(connection: Connection, run: Run) -> Counts:
    """Count a run from its rows."""
    rows = Counter(runs.receipts_by_action(connection, run.id))
    planned = run.counts
    never_sent = 0  # of persons erased since; what was settled counts as it did
    for action, status, many in planned.get("erased", ()):
        if status is not None:
            rows[action, status] += many
        elif action == PUT:
            never_sent += many
    waiting, replaced = rows.get((PUT, None), 0), rows.get((PUT, SUPERSEDED), 0)
    refused = rows.get((PUT, REFUSED), 0)
    taking_back = [(action, status, n) for (action, status), n in rows.items() if action in (DELETE, WITHDRAW)]
    again = planned.get("held_again", 0)
    behind = planned.get("held_waiting", 0) + waiting
    reasons = dict(quarantine.reasons(connection, run.flow_id, run.id))
    clashing = planned.get("conflicts", 0)
    more = {
        "conflict": clashing,
        "held-since-earlier": again,
        "waits-behind-refused": behind,
        "replaced-by-a-later-run": replaced,
    }
    reasons.update({name: n for name, n in more.items() if n})
    return Counts(
        read=planned.get("read", 0),
        delivered=rows.get((PUT, ACCEPTED), 0),
        unchanged=planned.get("unchanged", 0),
        filtered=planned.get("filtered", 0),
        held_back=planned.get("held_new", 0) + again + behind + replaced + refused + clashing,
        blocked=planned.get("blocked", 0) + never_sent,
        creates=planned.get("creates", 0),
        updates=planned.get("updates", 0),
        deleted=sum(n for _, status, n in taking_back if status == ACCEPTED),
        deletions_held_back=sum(n for _, status, n in taking_back if status != ACCEPTED)
        + planned.get("deletions_waiting", 0),
        receipts=sum(n for (_, status), n in rows.items() if status in (ACCEPTED, REFUSED)),
        complete=bool(planned.get("complete", True)),
        kept_by_target=planned.get("kept_by_target", 0),
        reasons=reasons,
        withheld=planned.get("withheld", 0),
        conflicts=clashing,
    )


def require_balance(run: Run, counts: Counts) -> None:
    """Raise SamspilError (unbalanced) when a record read is not accounted for."""
    if not counts.balances:
        accounted = counts.delivered + counts.unchanged + counts.filtered + counts.held_back + counts.blocked
        raise SamspilError(
            f"run {run.id} does not balance: {counts.read} read, {accounted} accounted for", reason="unbalanced"
        )


def require_sent(connection: Connection, run: Run) -> None:
    """Raise SamspilError (undelivered) when something waits that waits for nothing: it was never sent."""
    unsent = outbox.unsent(connection, run.flow_id, run.id)
    if unsent:
        raise SamspilError(f"run {run.id}: {unsent} changes were not sent; deliver it again", reason="undelivered")
