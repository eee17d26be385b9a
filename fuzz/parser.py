"""What is tried: a parser, its samples, and the second look at what it made of an input."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from fuzz.mutation import Mutator
from samspil.errors import Refused


class Lost(Exception):
    """Something of the input is neither in a record nor in what was rejected or refused."""


class Outcome(Counter[str]):
    """What became of one input: ``records``, ``rejected`` (could not be cut), ``refused`` (one record), ``stopped``."""

    def decoded(self, found: Iterable[dict[str, Any] | Refused], to_ours: Callable[[dict[str, Any]], Any]) -> None:
        """Count records that were cut, through decoding and mapping; only a Refused may keep one from passing."""
        for one in found:
            if isinstance(one, Refused):
                self._refused(one)
                continue
            try:
                to_ours(one)
                self["records"] += 1
            except Refused as refused:
                self._refused(refused)

    def reject(self, rejected: Iterable[Any]) -> None:
        """Count pieces that could not be cut; each says why."""
        for one in rejected:
            if not one.error.reason:
                raise Lost("a piece was rejected without a reason")
            self["rejected"] += 1

    def _refused(self, refused: Refused) -> None:
        if not refused.reason:
            raise Lost("a record was refused without a reason")
        self["refused"] += 1


class Parser(ABC):
    """One format. Made once per process; ``samples`` are real inputs, ``words`` and ``piece`` are for the mutator."""

    name: ClassVar[str]
    words: ClassVar[Sequence[bytes]] = ()
    piece: ClassVar[bytes]

    def __init__(self) -> None:
        self.samples = self.made()
        self._mutator = Mutator(self.samples, self.words, self.piece)

    @abstractmethod
    def made(self) -> Sequence[bytes]:
        """The samples."""

    @abstractmethod
    def tried(self, chance: random.Random, number: int, data: bytes) -> Outcome:
        """What becomes of an input made of sample ``number``. Raises SamspilError, Lost, or whatever is wrong."""

    def input(self, chance: random.Random) -> tuple[int, bytes]:
        """The number of a sample, and what was made of it."""
        number = chance.randrange(len(self.samples))
        return number, self._mutator.mangled(chance, self.samples[number])


def chunks(chance: random.Random, data: bytes) -> list[bytes]:
    """The bytes as they may arrive: at once, or in pieces of any size."""
    size = chance.choice((1 << 20, 1 << 20, 4_096, 257, 31))
    return [data[at : at + size] for at in range(0, len(data), size)]
