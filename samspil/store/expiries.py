"""What a check found to run out soon, kept for those who look without calling anybody: the pages in Airflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from samspil.store.tables import expiries


class Expiring(NamedTuple):
    """One file of a system's access. Times are seconds since 1970, UTC; ``at`` is when it was looked at."""

    system: str
    setting: str  # the account's field that names it
    file: str
    ends: float
    at: float


def note(connection: Connection, municipality: str, system: str, found: Sequence[Expiring]) -> None:
    """Put what was found for a system in the place of what was found before; nothing, when all was renewed."""
    of = expiries.c
    connection.execute(delete(expiries).where(of.municipality == municipality, of.system == system))
    if found:
        connection.execute(insert(expiries), [{"municipality": municipality, **one._asdict()} for one in found])


def known(connection: Connection, municipality: str) -> Sequence[Expiring]:
    """What a municipality's checks found last, the first to go first."""
    query = select(*(expiries.c[name] for name in Expiring._fields)).where(expiries.c.municipality == municipality)
    return [Expiring(*row) for row in connection.execute(query.order_by(expiries.c.ends, expiries.c.system))]
