"""What the nights did, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from samspil.demo.figures import FlowNight, Holding
from samspil.demo.nights import Ran

_COLUMNS = ("read", "unchanged", "filtered", "withheld", "delivered", "held_back", "blocked", "deleted", "receipts")
_SELDOM = ("withheld", "blocked")  # columns that are left out where there is nothing in them
_WIDE = 130  # characters that the reasons of each flow need beside its numbers


def print_nights(
    console: Console,
    ran: Mapping[int, Mapping[str, Ran]],
    flows: Mapping[int, Sequence[FlowNight]],
    held: Sequence[Holding],
) -> None:
    """A table per night, a row per flow; then whatever is not as it should be."""
    for number, rows in flows.items():
        console.print(_table(number, rows, wide=console.width >= _WIDE))
        for slug, run in ran[number].items():
            for task, state in run.failed.items():
                console.print(f"[red]{slug}: {task} {state}[/]")
    for holding in held:
        if not holding.agrees:
            console.print(
                f"[red]{holding.system} holds {holding.held} {holding.schema}, "
                f"but gave receipts for {holding.acknowledged}[/]"
            )


def _table(number: int, rows: Sequence[FlowNight], *, wide: bool) -> Table:
    table = Table(title=f"Night {number}", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("flow", overflow="fold")
    columns = [
        column
        for column in _COLUMNS
        if column not in _SELDOM or any(row.counts and getattr(row.counts, column) for row in rows)
    ]
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    table.add_column("balance")
    if wide:
        table.add_column("why held back")
    municipality, total = "", Counter[str]()
    for row in rows:
        if row.municipality != municipality:
            municipality = row.municipality
            table.add_section()
            table.add_row(f"[bold]{municipality}[/]")
        values = ["-" if row.counts is None else f"{getattr(row.counts, column)}" for column in columns]
        reasons = {} if row.counts is None else row.counts.reasons
        total.update(reasons)
        verdict = "[green]ok[/]" if row.balances else "[red]no[/]"
        table.add_row(row.flow, *values, verdict, *([_in_words(reasons)] if wide else []))
    if not wide and total:
        table.caption = f"Held back: {_in_words(total)}"
    return table


def _in_words(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in reasons.items())
