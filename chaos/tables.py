"""The outcome as a table, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from chaos.story import Told
from chaos.verdict import COLUMNS
from chaos.work import Cell

OUT = Path("build/chaos.json")
HEADS = {"disordered": "out of order"}
_SHOWN = 10  # failed stories


def show(console: Console, cells: Collection[Cell], stories: Sequence[Told], *, broken: str) -> bool:
    """Print the table and what failed; whether all is zero."""
    table = Table(title="Faults on purpose", title_justify="left", box=SIMPLE)
    for column in ("kind of fault", "database", "faults", *(HEADS.get(name, name) for name in COLUMNS)):
        table.add_column(column, no_wrap=True, justify="left" if column in ("kind of fault", "database") else "right")
    rows = [*_rows(cells, stories), *_sums(cells, stories)]
    for kind, database, _, *numbers in rows:
        if kind == "all":
            table.add_section()
        table.add_row(kind, database, *(f"{number:,}" for number in numbers))
    console.print(table)
    failed = [told for told in stories if any(told.verdict.numbers.values())]
    if not failed:
        console.print("all zero")
    for told in failed[:_SHOWN]:
        show_story(console, told, broken=broken)
    if len(failed) > _SHOWN:
        console.print(f"… and {len(failed) - _SHOWN} more: {OUT}")
    return not failed


def show_story(console: Console, told: Told, *, broken: str) -> None:
    """One story that failed, and how to have it again."""
    for name in COLUMNS:
        for line in getattr(told.verdict, name)[:3]:
            console.print(f"{HEADS.get(name, name)}: {line}", markup=False)
    console.print(f"  again: {again(told, broken)}", markup=False, soft_wrap=True)


def again(told: Told, broken: str) -> str:
    """The command that repeats a story."""
    more = f" --broken {broken}" if broken else ""
    return f"python -m chaos --seed {told.seed} --kind {told.kind} --database {told.database}{more}"


def write(cells: Collection[Cell], stories: Sequence[Told], *, broken: str, seconds: float) -> None:
    """The same figures as JSON, and at which points something was done to a process."""
    names = ("kind", "database", "stories", "faults", *COLUMNS)
    failed = [
        {
            "kind": told.kind,
            "database": told.database,
            "seed": told.seed,
            "again": again(told, broken),
            **{name: getattr(told.verdict, name) for name in COLUMNS},
        }
        for told in stories
        if any(told.verdict.numbers.values())
    ]
    points = Counter(point for told in stories for point in told.points)
    result: dict[str, Any] = {
        "cells": [dict(zip(names, row, strict=True)) for row in _rows(cells, stories)],
        "sums": [dict(zip(names, row, strict=True)) for row in _sums(cells, stories)],
        "all_zero": not failed,
        "failed": failed,
        "points": dict(sorted(points.items())),
        "seconds": round(seconds, 1),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _rows(cells: Collection[Cell], stories: Sequence[Told]) -> list[tuple[Any, ...]]:
    return [(*cell, *_numbers([told for told in stories if (told.kind, told.database) == cell])) for cell in cells]


def _sums(cells: Collection[Cell], stories: Sequence[Told]) -> list[tuple[Any, ...]]:
    return [
        ("all", database, *_numbers([told for told in stories if told.database == database]))
        for database in dict.fromkeys(cell.database for cell in cells)
    ]


def _numbers(stories: Sequence[Told]) -> tuple[int, ...]:
    faults = sum(told.faults for told in stories)
    return (len(stories), faults, *(sum(told.verdict.numbers[name] for told in stories) for name in COLUMNS))
