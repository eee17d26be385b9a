"""Where an answer says what became of a record: the words that all kinds have in common."""

from __future__ import annotations

import msgspec

from samspil.declared.closed import Closed, Reason


class Receipt(Closed, frozen=True, kw_only=True):
    """``id`` is what the system calls the record, ``reference`` its receipt number.

    ``status`` tells by one of ``passed`` that the record was taken. ``code`` and ``field`` tell why it was not; ``reasons``:
    their code → ours.
    """

    id: str = ""
    reference: str = ""
    status: str = ""
    passed: tuple[str, ...] = ()
    code: str = ""
    field: str = ""
    reasons: dict[str, Reason] = msgspec.field(default_factory=dict)
