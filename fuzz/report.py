"""What a run found, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from fuzz.running import Found, Tally

OUTCOMES = ("records", "rejected", "refused", "stopped")


class Report:
    """The tallies of one run by parser, in the order in which the parsers were given."""

    def __init__(self, parsers: Iterable[str], seed: int) -> None:
        self._seed = seed
        self._inputs = dict.fromkeys(parsers, 0)
        self._outcomes: dict[str, Counter[str]] = {name: Counter() for name in self._inputs}
        self.found: list[Found] = []

    def add(self, tally: Tally) -> None:
        self._inputs[tally.parser] += tally.inputs
        self._outcomes[tally.parser].update(tally.outcome)
        self.found += tally.found

    def show(self, console: Console) -> None:
        """The table, and every input that must not have ended as it did with the command that repeats it."""
        table = Table(title=f"Mangled inputs, seed {self._seed}", title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("parser")
        for name in ("inputs", *OUTCOMES, "crashes"):
            table.add_column(name, justify="right")
        for name in self._inputs:
            table.add_row(name, *(f"{number:,}" for number in self._row(name).values()))
        console.print(table)
        for one in self.found:
            console.print(f"✗ {one.parser}: {one.what}  ({one.where})", style="red", markup=False)
            again = f"make fuzz ARGS=\"--parser '{one.parser}' --seed {one.seed} --number {one.number}\""
            console.print(f"  Repeat it: {again}", markup=False)

    def write(self, file: Path) -> None:
        """As JSON; an input itself is made of synthetic persons only, and its number gives it back."""
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "seed": self._seed,
            "parsers": {name: self._row(name) for name in self._inputs},
            "found": [one._asdict() for one in self.found],
        }
        file.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")

    def _row(self, name: str) -> dict[str, int]:
        crashes = sum(one.parser == name for one in self.found)
        outcomes = {outcome: self._outcomes[name][outcome] for outcome in OUTCOMES}
        return {"inputs": self._inputs[name], **outcomes, "crashes": crashes}
