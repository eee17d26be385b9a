"""What the mutants showed: a table for people, a file for programs, and whether the kit can be fooled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from samspil.testing.conformance.promise import promises
from samspil.testing.mutants import mutants
from samspil.testing.mutants.breaking import Done
from samspil.testing.mutants.reference import NAME


class Report:
    """Made from everything that was done; ``whole`` if nothing was left out."""

    def __init__(self, done: Sequence[Done], *, whole: bool) -> None:
        self._plain = [one for one in done if not one.mutant]
        self._broken = [one for one in done if one.mutant]
        self._whole = whole

    @property
    def survivors(self) -> list[str]:
        """Mutants that no promise noticed on a subject; on the reference every promise it is aimed at must notice."""
        found = []
        for one in self._broken:
            alive = [aim for aim, noticed in one.promises.items() if noticed == "survived"]
            if alive and (one.subject == NAME or len(alive) == len(one.promises)):
                found.append(f"{one.mutant} on {one.subject}: not noticed by {', '.join(alive)}")
        tried = {one.mutant for one in self._broken}
        return found + [f"{name}: never tried" for name in mutants() if self._whole and name not in tried]

    @property
    def idle(self) -> list[str]:
        """Promises that noticed no mutant."""
        killing = {aim for one in self._broken for aim, noticed in one.promises.items() if noticed == "killed"}
        return [name for name in promises() if self._whole and name not in killing]

    @property
    def unkept(self) -> list[str]:
        """Promises that a subject breaks though nobody broke it."""
        return [f"{one.subject}: {text}" for one in self._plain for text in one.promises.values() if text]

    @property
    def good(self) -> bool:
        return not (self.survivors or self.idle or self.unkept)

    def show(self, console: Console) -> None:
        """Print the table, and what is wrong."""
        table = Table(box=box.SIMPLE_HEAD, title="Mutants and the promises that notice them", title_justify="left")
        for column in ("mutant", "what it does", "noticed by", "on"):
            table.add_column(column, overflow="fold")
        for name, one in mutants().items():
            runs = [done for done in self._broken if done.mutant == name]
            if runs:
                by = sorted({aim for run in runs for aim, noticed in run.promises.items() if noticed == "killed"})
                on = sum("killed" in run.promises.values() for run in runs)
                table.add_row(name, one.text, "\n".join(by), f"{on} of {len(runs)}")
        console.print(table)
        for title, lines in (("survived", self.survivors), ("notices nothing", self.idle), ("broken", self.unkept)):
            for line in lines:
                console.print(f"✗ {title}: {line}", style="red", markup=False, highlight=False)
        killed = sum("killed" in one.promises.values() for one in self._broken)
        console.print(
            f"{len(promises())} promises, {len(mutants())} mutants, {killed} of {len(self._broken)} broken subjects noticed",
            highlight=False,
        )
        for subject in dict.fromkeys(one.subject for one in self._plain):
            own = [one for one in self._plain if one.subject == subject]
            kept = sum(not text for one in own for text in one.promises.values())
            console.print(
                f"  {subject}: {kept} of {len(own)} promises kept, {sum(one.seconds for one in own):.0f} s of work",
                highlight=False,
            )

    def write(self, file: Path) -> None:
        """The same as JSON."""
        killed = sum("killed" in one.promises.values() for one in self._broken)
        document: dict[str, Any] = {
            "promises": len(promises()),
            "mutants": len(mutants()),
            "score": round(killed / len(self._broken), 4) if self._broken else None,
            "survivors": self.survivors,
            "idle_promises": self.idle,
            "broken_promises": self.unkept,
            "table": {
                name: {run.subject: run.promises for run in self._broken if run.mutant == name} for name in mutants()
            },
            "excused": {name: one.excused for name, one in mutants().items() if one.excused},
            "kept": {one.subject: sum(1 for own in self._plain if own.subject == one.subject) for one in self._plain},
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
