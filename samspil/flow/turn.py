"""A turn: what a merge says of one record in one direction of a two-way exchange, and what becomes of it."""

from __future__ import annotations

import msgspec

from samspil.flow.baseline import Baseline, Sent


class Turn:
    """What a merge says of one record in this direction."""

    def __init__(
        self, baseline: Baseline, target: int, *, held: str = "", same: bool = False, creates: bool = False
    ) -> None:
        self.baseline, self._target = baseline, target
        self.held, self.same, self.creates = held, same, creates  # held: the reason, if all that is left is a conflict
        self.fields: tuple[str, ...] = ()  # in conflict
        self.sent: Sent | None = None  # without its outbox row
        self.before: bytes | None = None  # the target's record as it is
        self.person: bytes | None = None  # of what is to be deleted

    def planned(self, number: int) -> None:
        """It is to be sent with this outbox row."""
        if self.sent is not None:
            self.baseline.inner.sent[self._target] = msgspec.structs.replace(self.sent, row=number)
