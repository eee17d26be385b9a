"""The proof that no suppressed cell can be worked out: made from the finished table, whoever chose the cells.

What is shown leaves a set of tables of whole numbers, none below nought, that add up as shown. A suppressed cell is safe
if two of them have it at least ``width`` apart. The audit finds such tables and checks every sum of each, so what it calls
safe is safe exactly. One that it does not find counts as unsafe: the table is then not shown.

It starts from the true table, moves the cell, and mends one sum after another that no longer fits, trying every
suppressed cell of it that can, those first that mend other sums too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from samspil.errors import SamspilError
from samspil.report.table import Cell, Counts

_DEPTHS = (4, 8, 16, 32)  # cells moved at once: the corners of a hypercube of four dimensions, twice
_TRIES = 3_000  # moves tried for one cell


class Range(NamedTuple):
    """The lowest and highest that a cell was shown to be able to be."""

    low: int
    high: int


class Audit:
    """One table and what is not shown of it."""

    def __init__(self, counts: Counts, hidden: Collection[Cell]) -> None:
        self._true: Mapping[Cell, int] = counts.cells
        self._hidden = frozenset(hidden)
        self._sums: list[tuple[tuple[Cell, int], ...]] = []  # suppressed cells of a sum with their signs
        self._in: dict[Cell, list[int]] = {cell: [] for cell in self._hidden}
        for total, parts in counts.lines():
            signed = [(total, -1), *((part, 1) for part in parts)]
            open_ = tuple((cell, sign) for cell, sign in signed if cell in self._hidden)
            for cell, _ in open_:
                self._in[cell].append(len(self._sums))
            if open_:
                self._sums.append(open_)
        self.ranges = {cell: Range(self._true[cell], self._true[cell]) for cell in self._hidden}
        self._dimensions, self._left = len(counts.sizes), 0

    def prove(self, width: int) -> None:
        """Raise SamspilError (not-safe) unless every suppressed cell may be anything ``width`` apart."""
        unsafe = [cell for cell in sorted(self._hidden) if not self._wide(cell, width)]
        if unsafe:
            raise SamspilError(
                f"{len(unsafe)} suppressed cells could be worked out from the totals; count by fewer or coarser "
                "dimensions, or hide zeros",
                reason="not-safe",
            )

    def _wide(self, cell: Cell, width: int) -> bool:
        """Try to move the cell by ever less, both ways, until what was found is wide enough."""
        for step in [*range(width, 0, -1)]:
            for by in (step, -step):
                low, high = self.ranges[cell]
                if high - low >= width:
                    return True
                if self._true[cell] + by >= 0 and not low <= self._true[cell] + by <= high:
                    self._move(cell, by)
        low, high = self.ranges[cell]
        return high - low >= width

    def _move(self, cell: Cell, by: int) -> None:
        for deepest in _DEPTHS:
            self._left = _TRIES
            moved = self._mend({cell: by}, deepest)
            if moved is not None:
                self._take(moved)
                return

    def _mend(self, moved: dict[Cell, int], deepest: int) -> dict[Cell, int] | None:
        """Moves that keep all sums, beginning with those given; None if none was found that deep."""
        off = self._off(moved)
        if not off:
            return moved
        if len(moved) + -(-len(off) // self._dimensions) > deepest:  # a cell is in one sum for each dimension
            return None
        for cell, by in self._choices(moved, off):
            self._left -= 1
            if self._left < 0:
                return None
            found = self._mend({**moved, cell: by}, deepest)
            if found is not None:
                return found
        return None

    def _off(self, moved: Mapping[Cell, int]) -> Mapping[int, int]:
        """The sums that do not fit, and by how much."""
        off = {
            number: sum(sign * moved.get(cell, 0) for cell, sign in self._sums[number])
            for number in {number for cell in moved for number in self._in[cell]}
        }
        return {number: by for number, by in off.items() if by}

    def _choices(self, moved: Mapping[Cell, int], off: Mapping[int, int]) -> Sequence[tuple[Cell, int]]:
        """How the sum that leaves least choice may be mended with one cell, the most promising first."""
        best: list[tuple[Cell, int]] | None = None
        for number, by in off.items():
            ways = [
                (cell, -by * sign)
                for cell, sign in self._sums[number]
                if cell not in moved and self._true[cell] - by * sign >= 0
            ]
            if best is None or len(ways) < len(best):
                best = ways
        return sorted(best or (), key=lambda way: self._worse(way, off))

    def _worse(self, way: tuple[Cell, int], off: Mapping[int, int]) -> int:
        """How many more sums would not fit after the move: those it mends count against those it breaks."""
        cell, by = way
        broken = 0
        for number in self._in[cell]:
            before = off.get(number, 0)
            sign = next(sign for one, sign in self._sums[number] if one == cell)
            broken += bool(before + sign * by) - bool(before)
        return broken

    def _take(self, moved: Mapping[Cell, int]) -> None:
        """Enter what another table shows, after checking that it is one."""
        if any(self._true[cell] + by < 0 for cell, by in moved.items()) or any(
            sum(sign * moved.get(cell, 0) for cell, sign in parts) for parts in self._sums
        ):
            raise SamspilError("a table that does not add up was taken for a proof", reason="not-safe")
        for cell, by in moved.items():
            low, high = self.ranges[cell]
            value = self._true[cell] + by
            self.ranges[cell] = Range(min(low, value), max(high, value))
