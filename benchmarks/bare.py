"""The hub without what protects persons and proves the work: for measuring what that costs, and for nothing else.

Nothing is sealed, no person has a key, nothing is entered in the ledger, and no call goes behind a breaker. What
compares, maps, plans, delivers and reconciles is the same code.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from samspil.breaker import Breaker
from samspil.connector import Connector
from samspil.ledger import Ledger
from samspil.vault import Box, Persons


def strip() -> None:
    """Take it out of this process, for good."""
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (Box, "seal", _as_it_is),
        (Box, "open", _as_it_is),
        (Persons, "fetch", _nobody),
        (Persons, "cipher", _none),
        (Ledger, "entry", _no_entry),
        (Ledger, "append", _none),
        (Breaker, "guard", _unguarded),
    )
    for kind, name, instead in replaced:
        setattr(kind, name, instead)


def _as_it_is(_self: Box, payload: bytes, *_rest: Any) -> bytes:
    return payload


def _nobody(_self: Persons, _connection: Any, wanted: Iterable[Any], **_options: Any) -> frozenset[bytes]:
    for _ in wanted:
        pass
    return frozenset()


def _none(_self: Any, *_rest: Any) -> None:
    return None


def _no_entry(_self: Ledger, *_rest: Any) -> bytes:
    return b""


def _unguarded(_self: Breaker, connector: Connector) -> Connector:
    return connector
