"""A finished table as rows: for a person to read, and as CSV for whoever takes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from samspil.agreement.reports import Report
from samspil.report.counting import Counted
from samspil.report.table import TOTAL, Cell

HIDDEN = ".."  # Statistics Denmark's sign for a number that is confidential
ALL = "TOT"  # and for a total
WIDE = 13  # columns that a person reads: twelve months and their total


class Table(NamedTuple):
    """A table as it may be shown: nothing of what is hidden is in it."""

    report: Report
    categories: Sequence[Sequence[str]]
    shown: dict[Cell, int]  # cells that are not suppressed

    @classmethod
    def of(cls, report: Report, counted: Counted, hidden: Collection[Cell]) -> Table:
        """The table without what is hidden."""
        cells = counted.counts.cells
        return cls(report, counted.categories, {cell: n for cell, n in cells.items() if cell not in hidden})

    def csv(self) -> bytes:
        """One line for each cell: the categories and the count, UTF-8 with a header, lines ending in CR LF."""
        text = io.StringIO(newline="")
        lines = csv.writer(text, lineterminator="\r\n")
        lines.writerow([*(axis.title for axis in self.report.axes), "count"])
        for cell in self._cells(len(self.categories)):
            lines.writerow([*self._names(cell), self._count(cell)])
        return text.getvalue().encode()

    def across(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows, the last dimension across if there is room for it."""
        titles = [axis.title for axis in self.report.axes]
        last = self.categories[-1]
        if len(self.categories) == 1 or len(last) >= WIDE:
            return [*titles, "count"], [[*self._names(cell), self._count(cell)] for cell in self._cells(len(titles))]
        rows = [
            [*self._names(cell), *(self._count((*cell, n)) for n in (*range(len(last)), TOTAL))]
            for cell in self._cells(len(titles) - 1)
        ]
        return [*titles[:-1], *last, ALL], rows

    def _cells(self, dimensions: int) -> Iterator[Cell]:
        """Cells of the first dimensions, totals behind what they are of."""
        if dimensions == 0:
            yield ()
            return
        for cell in self._cells(dimensions - 1):
            for n in (*range(len(self.categories[dimensions - 1])), TOTAL):
                yield (*cell, n)

    def _names(self, cell: Cell) -> list[str]:
        return [ALL if n == TOTAL else names[n] for n, names in zip(cell, self.categories[: len(cell)], strict=True)]

    def _count(self, cell: Cell) -> str:
        return str(self.shown.get(cell, HIDDEN))
