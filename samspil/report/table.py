"""A table of counts with every total: of each combination of dimensions down to none (all margins)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod

from samspil.errors import SamspilError

TOTAL = -1  # in a cell's place: the sum over that dimension
LARGEST = 50_000  # cells with totals; the proof is for tables a person reads

Cell = tuple[int, ...]  # for each dimension the number of its category, or TOTAL


class Counts:
    """Counts by cell. ``sizes`` is how many categories each dimension has; ``cells`` has the totals too.

    ``persons`` is how many different persons each cell is about, if that is not its count. It does not add up: one
    person may be in several cells.
    """

    def __init__(
        self, sizes: Sequence[int], inner: Mapping[Cell, int], persons: Mapping[Cell, int] | None = None
    ) -> None:
        self.sizes = tuple(sizes)
        if prod(size + 1 for size in self.sizes) > LARGEST:
            raise SamspilError("the table has too many cells; count by fewer or coarser dimensions", reason="too-large")
        self.cells: dict[Cell, int] = dict.fromkeys(product(*([*range(size), TOTAL] for size in self.sizes)), 0)
        for cell, count in inner.items():
            for above in totals(cell):
                self.cells[above] += count
        self.persons: Mapping[Cell, int] = self.cells if persons is None else persons

    def lines(self) -> Iterator[tuple[Cell, Sequence[Cell]]]:
        """Each total with the cells that add up to it along one dimension."""
        for cell in self.cells:
            for dimension, size in enumerate(self.sizes):
                if cell[dimension] == TOTAL:
                    yield cell, [replaced(cell, dimension, category) for category in range(size)]


def replaced(cell: Cell, dimension: int, category: int) -> Cell:
    """The cell with another category in one dimension."""
    return (*cell[:dimension], category, *cell[dimension + 1 :])


def totals(cell: Cell, over: Iterable[int] | None = None) -> Iterator[Cell]:
    """The cell and every total it is part of, over the dimensions given (all)."""
    free = set(range(len(cell)) if over is None else over)
    return product(*((category, TOTAL) if n in free else (category,) for n, category in enumerate(cell)))
