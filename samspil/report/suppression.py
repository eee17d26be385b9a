"""Which cells of a table are not shown: the small ones, and as few others as keep them from being worked out.

The way is that of the hypercube (Giessing and Repsilber, GHMITER). If a number is moved along the corners of a
hypercube, up at one corner and down at the next, every total stays as it is. So a small cell that is a corner of a
hypercube of suppressed cells may have been any of the numbers that it can be moved to without another falling below
nought, and no sum of rows, columns or layers says which. Where a hypercube of all dimensions does not fit, one of
fewer does together with the totals over the others; the smallest is one cell with all of its totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from math import inf
from typing import NamedTuple

from samspil.agreement.reports import Report
from samspil.errors import SamspilError
from samspil.report.table import TOTAL, Cell, Counts, totals


class Suppressed(NamedTuple):
    """Cells that are not shown. ``small`` are so by their number, ``more`` to protect them."""

    small: frozenset[Cell]
    more: frozenset[Cell]

    @property
    def cells(self) -> frozenset[Cell]:
        """All of them."""
        return self.small | self.more


class _Cube(NamedTuple):
    cells: frozenset[Cell]
    width: float
    cost: tuple[int, int]


def small(counts: Counts, rules: Report) -> frozenset[Cell]:
    """Cells of fewer persons than the agreement's number, however many records they have; empty ones only if it hides those."""
    least = 0 if rules.zeros == "hidden" else 1
    return frozenset(cell for cell in counts.cells if least <= counts.persons.get(cell, 0) < rules.smallest)


def suppress(counts: Counts, rules: Report) -> Suppressed:
    """Choose the cells. Raises SamspilError (too-small) if the table as a whole has too few persons."""
    everything = (TOTAL,) * len(counts.sizes)
    first = small(counts, rules)
    if everything in first or not counts.cells[everything]:
        raise SamspilError("there are too few persons for a table", reason="too-small")
    hidden, safe = set(first), set[Cell]()
    for cell in sorted(first, key=lambda cell: (cell.count(TOTAL), -counts.cells[cell], cell)):
        if cell in safe:
            continue
        cube = min(_cubes(counts, cell, hidden, rules.width), key=lambda cube: cube.cost)
        hidden |= cube.cells
        safe |= cube.cells
    return Suppressed(first, frozenset(hidden) - first)


def naive(counts: Counts, rules: Report) -> frozenset[Cell]:
    """What hiding the whole row around each small cell costs, in every dimension: the usual way by hand."""
    hidden = set(small(counts, rules))
    for cell in tuple(hidden):
        for dimension, category in enumerate(cell):
            if category != TOTAL:
                hidden |= {(*cell[:dimension], n, *cell[dimension + 1 :]) for n in range(counts.sizes[dimension])}
    return frozenset(hidden)


def _cubes(counts: Counts, cell: Cell, hidden: set[Cell], width: int) -> Iterator[_Cube]:
    """Hypercubes with the cell at a corner that keep it ``width`` wide, those of most dimensions first.

    ``turned`` are the dimensions in which corners differ. In the others a corner lies in one category, and all its
    totals over them move with it.
    """
    own = [n for n, category in enumerate(cell) if category != TOTAL]
    for many in range(len(own), -1, -1):
        found = False
        for turned in combinations(own, many):
            for cube in _turned(counts, cell, turned, hidden):
                if cube.width >= width:
                    found = True
                    yield cube
        if found:
            return


def _turned(counts: Counts, cell: Cell, turned: tuple[int, ...], hidden: set[Cell]) -> Iterator[_Cube]:
    choices = [
        [(category, other) for other in range(size) if other != category]
        if n in turned
        else [(category,)]
        if category != TOTAL
        else [(other,) for other in range(size)]
        for n, (category, size) in enumerate(zip(cell, counts.sizes, strict=True))
    ]
    fixed = [n for n in range(len(cell)) if n not in turned]
    for sides in product(*choices):
        up: float = inf  # how far the cell can rise: until a corner that falls is empty
        down: float = inf
        cells: set[Cell] = set()
        for corner in product(*sides):
            falls = sum(corner[n] != cell[n] for n in turned) % 2
            room = counts.cells[corner]
            up, down = (min(up, room), down) if falls else (up, min(down, room))
            cells.update(totals(corner, fixed))
        fresh = cells - hidden
        yield _Cube(frozenset(cells), up + down, (len(fresh), sum(counts.cells[one] for one in fresh)))
