"""One record of a two-way exchange: what both sides last agreed on, and as each is known to have it. Stored sealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import msgspec

from samspil.store.baselines import Row
from samspil.vault import Box

Fields = dict[str, Any]  # of the shared schema, as JSON has them


class Sent(msgspec.Struct, frozen=True):
    """What an outbox row will have brought about once it is acknowledged."""

    row: int
    was: Fields | None  # the target's record that it was planned against, in its normal form; None: it had none
    now: Fields | None  # what the target will have; None: nothing
    then: Fields | None  # the same in its normal form
    base: Fields  # what both sides will have agreed on


class _Payload(msgspec.Struct):
    """What is sealed. Of each pair the first is of side 0."""

    origin: int  # the side where the record was made
    names: list[str | None]  # what each system calls it
    now: list[Fields | None]  # as each side was last known to have it
    base: Fields | None  # in its normal form; None: they never agreed
    sent: list[Sent | None]  # what is on its way to each side


class Baseline:
    """A row of the store, opened."""

    def __init__(self, key: bytes, origin: int) -> None:
        self.key = key
        self.keys: list[bytes | None] = [None, None]
        self.called: bytes | None = None
        self.due = self.met = 0
        self.inner = _Payload(origin, [None, None], [None, None], None, [None, None])

    @classmethod
    def opened(cls, row: Row, box: Box) -> Self:
        """As the store has it."""
        made = cls(row.key, 0)
        made.keys, made.called, made.due, made.met = [row.first, row.second], row.called, row.due, row.met
        made.inner = _decode(box.open(row.payload, row.key))
        return made

    @property
    def cpr(self) -> bytes | None:
        """The number of whom the record is about, as far as a side has it."""
        found = [str(now["cpr"]).encode() for now in self.inner.now if now and now.get("cpr")]
        return found[0] if found else None

    def sealed(self, box: Box, person: Callable[[bytes], bytes]) -> Row:
        """For the store. ``person`` makes a pseudonym of a number."""
        payload = box.seal(msgspec.json.encode(self.inner), self.key)
        first, second = self.keys
        whose = None if self.cpr is None else person(self.cpr)
        return Row(self.key, first, second, self.called, self.due, self.met, whose, payload)

    def exists_at(self, side: int, name: str, key: bytes, called: bytes) -> None:
        """It was made at a side that calls it ``name``; until the flow out of there reads it, its key is a guess."""
        self.inner.names[side], self.keys[side], self.called = name, key, called
        self.met &= ~(1 << side)


_decode = msgspec.json.Decoder(_Payload).decode
