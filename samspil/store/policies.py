"""Who may see and change which rows, for every table of the store: what PostgreSQL is told by ``separate``.

A row belongs to a municipality by its own column, by its flow, or, in outbox and receipts, by the run that is the upper
half of its number. The tables that a rule names are under their own rules, so it sees one municipality's flows and runs
and no others. Municipality and flows are found once per statement. Runs are not: after years there are tens of
thousands, and of a batch PostgreSQL looks up each row's run instead (EXISTS lets it choose, IN does not).

Rights are what the code does and nothing more. Numbers that the database gives (``id``) are left to it: with a number of
one's own choice one could find out, or take, those of others. The ledger and the register of rotations only grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from samspil.store.tables import metadata

OF_ROLE = "(SELECT municipality FROM admitted WHERE role = current_user)"
_MUNICIPALITY = f"municipality = {OF_ROLE}"
_FLOW = "{column} IN (SELECT id FROM flows)"
_RUN = "EXISTS (SELECT 1 FROM runs WHERE runs.id = {column} >> 32)"


class Policy(NamedTuple):
    """``rule`` is true of a municipality's own rows. ``rights`` are a worker's; whoever only reads has SELECT."""

    rule: str
    rights: frozenset[str]
    update: tuple[str, ...] = ()  # only these columns, where not all may be changed


_GROWS = frozenset({"SELECT", "INSERT"})
_PLANNED = _GROWS | {"DELETE"}
_ALL = _PLANNED | {"UPDATE"}


def _flow(column: str = "flow_id") -> str:
    return _FLOW.format(column=column)


POLICIES: Mapping[str, Policy] = {
    "flows": Policy(_MUNICIPALITY, _GROWS | {"UPDATE"}, ("cursor",)),
    "runs": Policy(
        _flow(), _GROWS | {"UPDATE"}, ("state", "pending", "started", "finished", "cursor", "counts", "agreement")
    ),
    "links": Policy(_flow(), _ALL),
    "outbox": Policy(_RUN.format(column="outbox.id"), _PLANNED),
    "receipts": Policy(_RUN.format(column="receipts.outbox_id"), _PLANNED),
    "quarantine": Policy(_flow(), _ALL, ("seen_run", "state", "settled", "note")),
    "baselines": Policy(_flow(), _ALL),
    "conflicts": Policy(_flow(), _ALL, ("state", "taken", "settled", "note")),
    "ledger": Policy(_MUNICIPALITY, _GROWS),
    "breakers": Policy(_MUNICIPALITY, _ALL),
    "paces": Policy(_MUNICIPALITY, _GROWS | {"UPDATE"}),
    "consents": Policy(_flow("carrier_id"), _ALL),
    "consent_marks": Policy(f"{_flow()} AND {_flow('carrier_id')}", _GROWS | {"UPDATE"}),
    "withheld": Policy(_flow(), _ALL),
    "expiries": Policy(_MUNICIPALITY, _ALL),
    "rotations": Policy(_MUNICIPALITY, _GROWS),
    # A lock on its row is what keeps a version from being retired, and PostgreSQL locks rows only for who may change
    # something in them; a version that was changed opens nothing.
    "keys": Policy(_MUNICIPALITY, _ALL, ("version",)),
    "persons": Policy(_MUNICIPALITY, _ALL | {"MAINTAIN"}),  # VACUUM, after a person's key was destroyed
}


def columns(table: str) -> tuple[str, ...]:
    """The columns that a worker writes: all but a number that the database gives."""
    of = metadata.tables[table]
    return tuple(column.name for column in of.columns if column is not of.autoincrement_column)
