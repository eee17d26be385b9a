"""The hub without what protects persons and proves the work: for measuring what that costs, and for nothing else.

Nothing is sealed, no person has a key, nothing is entered in the ledger, and no call goes behind a breaker. What
compares, maps, plans, delivers and reconciles is the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import beside as measured
from samspil.breaker import Breaker
from samspil.connector import Connector
from samspil.flow import beside
from samspil.flow.sealing import Sealing
from samspil.ledger import Ledger
from samspil.store.outbox import Pending
from samspil.vault import Persons


def strip() -> None:
    """Take it out of this process, for good."""
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (Sealing, "plan", _as_it_is),
        (Sealing, "planned", _as_it_is),
        (Sealing, "pending", _payloads),
        (Sealing, "hold", _as_it_is),
        (Sealing, "names", _names),
        (Sealing, "named", _named),
        (Persons, "fetch", _nobody),
        (Ledger, "pack", _no_entries),
        (Ledger, "append", _nothing),
        (Persons, "at_hand", _nobody_at_hand),
        (Breaker, "guard", _unguarded),
        (beside, "PROGRAM", __name__),
    )
    for kind, name, instead in replaced:
        setattr(kind, name, instead)


def main(number: int) -> None:
    """The helper of such a hub."""
    strip()
    measured.main(number)


def _as_it_is(_self: Sealing, it: Any, *_rest: Any) -> Any:
    return it


def _payloads(_self: Sealing, rows: Sequence[Pending]) -> list[bytes]:
    return [row.payload for row in rows]


def _names(_self: Sealing, names: Sequence[tuple[str, bytes, bytes | None]]) -> list[bytes]:
    return [name.encode() for name, *_ in names]


def _named(_self: Sealing, row: Pending) -> str | None:
    return None if row.their_id is None else row.their_id.decode()


def _nobody(_self: Persons, *_rest: Any, **_options: Any) -> frozenset[bytes]:
    return frozenset()


def _nobody_at_hand(_self: Persons, _persons: Any) -> list[tuple[bytes, bytes]]:
    return []


def _no_entries(_self: Ledger, _told: Sequence[Any]) -> list[bytes]:
    return []


def _nothing(_self: Ledger, *_rest: Any) -> None:
    return None


def _unguarded(_self: Breaker, connector: Connector) -> Connector:
    return connector
