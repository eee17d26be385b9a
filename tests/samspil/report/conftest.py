"""Tables of random counts, and an attacker who has only what is published."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import inf

import pytest

from samspil.agreement.reports import Axis, Report
from samspil.report.table import Counts

Published = Mapping[tuple[int, ...], int | None]


def rules(**changed) -> Report:
    return Report(name="r", source="s", schema="placement", axes=(Axis(field="kind"),), **changed)


def random_table(seed: int, sizes: Sequence[int], mean: float) -> Counts:
    rng = random.Random(seed)
    return Counts(sizes, {cell: int(rng.expovariate(1 / mean)) for cell in product(*map(range, sizes))})


class Attacker:
    """Works out suppressed cells. Knows that counts are whole, none below nought, and that all totals add up."""

    def __init__(self, sizes: Sequence[int], published: Published) -> None:
        self.hidden = [cell for cell, count in published.items() if count is None]
        number = {cell: n for n, cell in enumerate(self.hidden)}
        self.sums = []  # coefficients by number of the unknown, and what they come to
        for total in product(*([*range(size), -1] for size in sizes)):
            for axis, size in enumerate(sizes):
                if total[axis] != -1:
                    continue
                unknown, rest = {}, 0
                for cell, sign in [(total, -1), *(((*total[:axis], n, *total[axis + 1 :]), 1) for n in range(size))]:
                    if published[cell] is None:
                        unknown[number[cell]] = sign
                    else:
                        rest -= sign * published[cell]
                if unknown:
                    self.sums.append((unknown, rest))

    def solved(self) -> set:
        """Cells that follow from the sums alone: Gauss's elimination in fractions."""
        rows = [([Fraction(u.get(n, 0)) for n in range(len(self.hidden))], Fraction(rest)) for u, rest in self.sums]
        done = []
        for column in range(len(self.hidden)):
            pivot = next((row for row in rows if row[0][column]), None)
            if pivot is None:
                continue
            rows.remove(pivot)
            scale = pivot[0][column]
            pivot = ([value / scale for value in pivot[0]], pivot[1] / scale)

            def without(row, pivot=pivot, column=column):
                by = row[0][column]
                return (
                    ([a - by * b for a, b in zip(row[0], pivot[0], strict=True)], row[1] - by * pivot[1]) if by else row
                )

            rows, done = [without(row) for row in rows], [*map(without, done), pivot]
        return {self.hidden[next(n for n, a in enumerate(row) if a)] for row, _ in done if sum(map(bool, row)) == 1}

    def bounds(self, low=None, high=None):
        """What follows from each sum and from nought, again and again; None if nothing fits."""
        low = list(low or [0] * len(self.hidden))
        high = list(high or [inf] * len(self.hidden))
        moved = True
        while moved:
            moved = False
            for unknown, rest in self.sums:
                for n, sign in unknown.items():
                    others = [(m, s) for m, s in unknown.items() if m != n]
                    least = sum(low[m] if s > 0 else -high[m] for m, s in others)
                    most = sum(high[m] if s > 0 else -low[m] for m, s in others)
                    lowest, highest = (rest - most, rest - least) if sign > 0 else (least - rest, most - rest)
                    if lowest > low[n]:
                        low[n], moved = lowest, True
                    if highest < high[n]:
                        high[n], moved = highest, True
                    if low[n] > high[n]:
                        return None
        return low, high

    def fits(self, low, high) -> bool:
        """Whether a whole table lies within the bounds: the exact answer, by trying."""
        found = self.bounds(low, high)
        if found is None:
            return False
        low, high = found
        loose = [n for n in range(len(self.hidden)) if low[n] < high[n]]
        if not loose:
            return True
        n = min(loose, key=lambda n: high[n] - low[n])
        last = high[n] if high[n] < inf else low[n] + 60
        return any(
            self.fits([*low[:n], value, *low[n + 1 :]], [*high[:n], value, *high[n + 1 :]])
            for value in range(low[n], last + 1)
        )

    def exact(self, n: int, most: int = 40):
        """The narrowest range of one unknown that can be worked out; its height is cut at ``most`` above the lowest."""
        low, high = self.bounds()

        def may_be(value):
            return self.fits([*low[:n], value, *low[n + 1 :]], [*high[:n], value, *high[n + 1 :]])

        top = min(high[n], low[n] + most)
        lowest = next(value for value in range(low[n], top + 1) if may_be(value))
        return lowest, next(value for value in range(top, lowest - 1, -1) if may_be(value))


def publish(counts: Counts, hidden) -> Published:
    return {cell: None if cell in hidden else count for cell, count in counts.cells.items()}


@pytest.fixture
def attack():
    return lambda counts, hidden: Attacker(counts.sizes, publish(counts, hidden))
