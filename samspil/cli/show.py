"""What the commands print: tables for people, one style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

console = Console()
_errors = Console(stderr=True)

DENMARK = ZoneInfo("Europe/Copenhagen")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()) -> None:
    """Print a table; columns in ``numbers`` are right-aligned."""
    right = set(numbers)
    shown = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    console.print(shown)


def line(text: str) -> None:
    """Print a line as it stands: nothing in it is markup."""
    console.print(text, markup=False, highlight=False)


def problem(text: str) -> None:
    """Print a line to the error stream."""
    _errors.print(text, markup=False, highlight=False, style="red", soft_wrap=True)


def moment(seconds: float | None) -> str:
    """Seconds since 1970 as local Danish time."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).astimezone(DENMARK).strftime("%Y-%m-%d %H:%M:%S")
