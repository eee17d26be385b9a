"""Retention (opbevaring): what an agreement lets the hub keep for so many years, and not longer.

The years count from when anything was last planned, sent or held back about the person under the agreement. Then the
rows go; their records' keys stay, with nothing else, so that a source that still has them does not bring them back. A
new record of the same person begins anew. When nothing is left of a person in any flow, the key is destroyed too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from samspil.rights.erasure import stillness
from samspil.store import erasure

if TYPE_CHECKING:
    from samspil.agreement import Agreement
    from samspil.hub import Hub


class Due(NamedTuple):
    """What is to go under one agreement. ``years`` is None where it sets no time."""

    agreement: str
    legal_basis: str
    years: int | None
    persons: int
    rows: erasure.Rows


def due(hub: Hub, today: datetime) -> Sequence[Due]:
    """Count what is to go, changing nothing."""
    found = []
    for agreement in hub.file.agreements:
        persons, rows, flows = 0, erasure.Rows(0, 0, 0), _flows(hub, agreement)
        if agreement.retention is not None and flows:
            with hub.store.transaction() as connection:
                persons, rows, _ = erasure.choose_idle(connection, flows, _before(today, agreement.retention.years))
        found.append(_due(agreement, persons, rows))
    return found


def apply(hub: Hub, today: datetime, *, who: str, why: str) -> Sequence[Due]:
    """Destroy what is to go. Raises Unavailable (flow-busy) while a flow of the municipality runs."""
    found = []
    with stillness(hub):
        for agreement in hub.file.agreements:
            flows = _flows(hub, agreement)
            if agreement.retention is None or not flows:
                found.append(_due(agreement, 0, erasure.Rows(0, 0, 0)))
                continue
            with hub.store.transaction() as connection:
                erasure.overwrite(connection)
                before = _before(today, agreement.retention.years)
                persons, rows, entries = erasure.choose_idle(connection, flows, before)
                if persons or any(rows):
                    erasure.destroy(connection, flows, entries, keep_out=True)
                    erasure.forget_unused_keys(connection, hub.vault.municipality)
                    context = {"what": "retention", "agreement": agreement.name, "legal_basis": agreement.legal_basis}
                    told = {"years": agreement.retention.years, "persons": persons, "rows": rows._asdict()}
                    hub.ledger.append(connection, {**context, **told, "who": who, "why": why}, ())
            found.append(_due(agreement, persons, rows))
        hub.persons.forget()
        hub.store.wipe("persons")
    return found


def _due(agreement: Agreement, persons: int, rows: erasure.Rows) -> Due:
    years = agreement.retention.years if agreement.retention else None
    return Due(agreement.name, agreement.legal_basis, years, persons, rows)


def _flows(hub: Hub, agreement: Agreement) -> Sequence[int]:
    """The numbers of an agreement's flows that were ever used."""
    names = {flow.name for flow in agreement.flows}
    with hub.store.transaction() as connection:
        there = erasure.all_flows(connection, hub.vault.municipality)
    return [number for number, name in there.items() if name in names]


def _before(today: datetime, years: int) -> float:
    """Seconds since 1970, so many years before; of 29 February the day before."""
    today = today.astimezone(UTC)
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year - years, day=day).timestamp()
