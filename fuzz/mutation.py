"""Samples mangled, always the same way for the same seed: bytes, pieces, words that parsers choke on, and swaps that keep
the form of the whole.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

LARGEST = 1 << 18  # bytes of an input; what is larger has tests of its own

WORDS = (  # of every format
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x1b[2J",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"\x18",
    b"\x1d",
    b"\x1e",
    b"\x1a",
    b"-1",
    b"0",
    b"1e400",
    b"NaN",
    b"99999999999999999999999999",
    b"0001-01-01",
    b"2026-02-30",
    b"9999-12-31T23:59:59.999999+23:59",
    b"0001-01-01T00:00:00+14:00",
    "æøå\u202e\u2028\U0001f9ea".encode(),
    b"../../etc/passwd",
    b"=cmd|' /C calc'!A0",
    b"'; DROP TABLE runs; --",
)

Change = Callable[[random.Random, bytes], bytes]


class Mutator:
    """Mangles the samples of one parser. ``words`` are the format's own, ``piece`` matches what may change places."""

    def __init__(self, samples: Sequence[bytes], words: Sequence[bytes], piece: bytes) -> None:
        self.samples = samples
        self._words = (*WORDS, *words)
        self._piece = re.compile(piece)

    def mangled(self, chance: random.Random, sample: bytes) -> bytes:
        """One to five changes, one after the other; now and then none at all, as whole samples must pass, too."""
        changes: Sequence[Change] = (
            _flipped,
            _cut,
            _doubled,
            _ended,
            self._inserted,
            self._replaced,
            self._swapped,
            self._swapped,
            self._copied,
            self._spliced,
        )
        for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 2, 3, 5))):
            sample = chance.choice(changes)(chance, sample)[:LARGEST]
        return sample

    def _inserted(self, chance: random.Random, data: bytes) -> bytes:
        at, word = chance.randint(0, len(data)), chance.choice(self._words)
        return data[:at] + word * chance.choice((1, 1, 1, 1, 2, 50, 2_000)) + data[at:]

    def _replaced(self, chance: random.Random, data: bytes) -> bytes:
        """A piece's content with a word."""
        found = self._some(chance, data)
        if found is None:
            return data
        return data[: found[0]] + chance.choice(self._words) + data[found[1] :]

    def _swapped(self, chance: random.Random, data: bytes) -> bytes:
        """Two pieces in each other's place."""
        one, other = self._some(chance, data), self._some(chance, data)
        if one is None or other is None:
            return data
        (a, b), (c, d) = sorted((one, other))
        return data if b > c else data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]

    def _copied(self, chance: random.Random, data: bytes) -> bytes:
        """A piece in another's place."""
        one, other = self._some(chance, data), self._some(chance, data)
        if one is None or other is None:
            return data
        return data[: one[0]] + data[other[0] : other[1]] + data[one[1] :]

    def _spliced(self, chance: random.Random, data: bytes) -> bytes:
        """The beginning of this and the end of another sample."""
        other = chance.choice(self.samples)
        return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]

    def _some(self, chance: random.Random, data: bytes) -> tuple[int, int] | None:
        """Where some piece stands: the first one behind a place, so that not all must be looked for."""
        found = self._piece.search(data, chance.randint(0, len(data))) or self._piece.search(data)
        return found.span(chance.randint(0, self._piece.groups)) if found else None


def _flipped(chance: random.Random, data: bytes) -> bytes:
    if not data:
        return data
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return bytes(made)


def _span(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 2, 8, 64, 500, 5_000)))


def _cut(chance: random.Random, data: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _doubled(chance: random.Random, data: bytes) -> bytes:
    start, end = _span(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 1, 1, 3, 30)) + data[end:]


def _ended(chance: random.Random, data: bytes) -> bytes:
    """Cut off anywhere."""
    return data[: chance.randint(0, len(data))]
