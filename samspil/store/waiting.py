"""What of a flow waits to be sent, for which system, and since when: for the morning, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, text

from samspil.store import breakers
from samspil.store.outbox import READY

if TYPE_CHECKING:
    from samspil.agreement import Flow, MunicipalityFile


class Waiting(NamedTuple):
    """``changes`` that may go and have no receipt; ``system`` is the one that is away, if one of the two is.

    ``since`` is when the system was first found away, or the oldest of the runs began whose changes wait.
    """

    changes: int
    since: float  # seconds since 1970, UTC
    system: str = ""


def waiting(connection: Connection, file: MunicipalityFile, flow: Flow, number: int | None) -> Waiting | None:
    """What waits; None if nothing does. ``number`` is the flow's in the store; what a person decides is not in it."""
    changes, started = 0, 0.0
    if number is not None:
        changes, started = connection.execute(_UNSENT, {"flow": number}).one()
    systems = {file.systems[name].connection: name for name in (flow.source, flow.target)}
    for away in breakers.away(connection, file.municipality.code):
        if away.account in systems:
            return Waiting(changes, away.since, systems[away.account])
    return Waiting(changes, float(started)) if changes else None


_UNSENT = text(
    f"""
    {READY} SELECT count(*), min(u.started)
    FROM ready u JOIN outbox o ON o.id >= u.first AND o.id < u.beyond
    WHERE (SELECT r.status FROM receipts r WHERE r.outbox_id = o.id) IS NULL
      AND (o.person IS NULL OR o.person NOT IN (
        SELECT q.person FROM quarantine q
        WHERE q.flow_id = :flow AND q.stage = 'deliver' AND q.state = 'open' AND q.person IS NOT NULL))
    """
)
