"""A look at a plan that waits for a person: why it waits, what it counts, and which fields would change.

What is shown is the plan itself, as it lies in the outbox; ``samspil.flow.preview`` reads the source anew instead.
Values are shown only where the schema calls them ordinary, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from samspil.errors import SamspilError
from samspil.flow.difference import Difference
from samspil.flow.guarding import objection
from samspil.flow.preview import Change
from samspil.store import outbox, runs
from samspil.store.runs import Run, State
from samspil.store.tables import PUT

if TYPE_CHECKING:
    from samspil.agreement import Flow
    from samspil.hub import Hub

FEW = 100  # changes shown at once: nobody reads more, and a page must stay small


class Look(NamedTuple):
    """A run and what the guard says of it (None: nothing, or no more). No value of a record is in it."""

    run: Run
    flow: Flow
    held_by_target: int
    why: str | None

    @property
    def waits(self) -> bool:
        """Whether a person has still to decide."""
        return self.run.state is State.TRIPPED

    @property
    def sends(self) -> bool:
        """Whether the plan may be sent, or was."""
        return self.run.state in (State.APPROVED, State.DONE)


def look(hub: Hub, run_id: int) -> Look:
    """The run as it is now. Raises SamspilError (no-run) when this municipality has none of that number."""
    with hub.store.transaction() as connection:
        found = {runs.find_flow(connection, hub.file.municipality.code, flow.name): flow for flow in hub.file.flows}
        try:
            run = runs.get(connection, run_id)
            flow = found[run.flow_id]
        except LookupError:
            raise SamspilError(f"there is no run {run_id}: samspil runs {hub.file.slug}", reason="no-run") from None
        held, last = runs.held_by_target(connection, run.flow_id), runs.last_snapshot(connection, run.flow_id)
    return Look(run, flow, held, objection(flow.guard, run.planned, held, last))


def changes(hub: Hub, seen: Look, limit: int = FEW) -> Sequence[Change]:
    """The plan's first changes: what is taken back, then what is altered, then what is new."""
    flow = hub.flow(seen.flow.name)
    difference = Difference(flow)
    with hub.store.transaction() as connection:
        rows = outbox.first_of(connection, seen.run.id, flow.id, limit)
        last = outbox.payloads(connection, [row.acknowledged for row in rows if row.acknowledged is not None])
        flow.sealing.ready(connection, [row.person for row in rows] + [person for _, person in last.values()])
    shown: list[Change] = []
    for row in rows:
        key = bytes(row.key)
        if row.action != PUT:
            shown.append(Change("delete", key.hex(), ()))
            continue
        before = None
        if row.acknowledged is not None:
            sealed, person = last[row.acknowledged]
            before = flow.sealing.planned(sealed, row.acknowledged, key, person)
        fields = difference.between(before, flow.sealing.planned(row.payload, row.id, key, row.person))
        shown.append(Change("create" if before is None else "update", key.hex(), fields))
    return shown
