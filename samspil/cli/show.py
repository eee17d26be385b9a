"""What the commands print: tables, lines and progress, one style. On a pipe nothing is cut off, folded or coloured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

DENMARK = ZoneInfo("Europe/Copenhagen")

Say = Callable[[str], None]

_UNBOUNDED = 10_000  # characters: wider than any table here
_HALF_A_YEAR = 183 * 24 * 3600
# Systems' texts come here too, and a terminal obeys control characters and marks of direction. Line ends and tabs do no
# harm where we write them; a name's or a value's are written out before (``samspil.errors.shown``).
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_CONTROL |= {code: f"\\u{code:04x}" for code in (0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))}
_HYPHENATED = {  # on a terminal too narrow for the whole words
    "balance": "bal-\nance",
    "delivered": "deliv-\nered",
    "filtered": "fil-\ntered",
    "held back": "held\nback",
    "hold back": "hold\nback",
    "unchanged": "un-\nchanged",
    "withheld": "with-\nheld",
}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()) -> None:
    """Print a table; columns in ``numbers`` are right-aligned, and one in which no row has anything is left out."""
    console, cells = _console(), [[str(cell) for cell in row] for row in rows]
    right = set(numbers)
    kept = [n for n in range(len(columns)) if not cells or any(row[n] for row in cells)]
    shown = Table(
        title=Text(clean(title), style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for n in kept:
        shown.add_column(Text(columns[n]), justify="right" if columns[n] in right else "left", overflow="fold")
    for row in cells:
        shown.add_row(*(Text(clean(row[n])) for n in kept))
    if console.measure(shown, options=console.options.update(max_width=_UNBOUNDED)).maximum > console.width:
        for column in shown.columns:
            column.header = Text(_HYPHENATED.get(str(column.header), str(column.header)))
        shown.padding = 0  # the box keeps a blank between columns
    printed(shown, console)


def printed(thing: RenderableType, console: Console | None = None) -> None:
    """Print something laid out in columns; on a pipe without the blanks that fill its lines up."""
    console = console or _console()
    if console.is_terminal:
        console.print(thing)
        return
    with console.capture() as capture:
        console.print(thing)
    console.out("\n".join(row.rstrip() for row in capture.get().split("\n")), end="", highlight=False)


def line(text: str) -> None:
    """Print a line as it stands: nothing in it is markup, and what is to be copied is not broken."""
    _console().print(clean(text), markup=False, highlight=False, soft_wrap=True)


def problem(text: str) -> None:
    """Print a line to the error stream."""
    _errors().print(clean(text), markup=False, highlight=False, style="red", soft_wrap=True)


def warning(text: str) -> None:
    """Print a line to the error stream about what will be a problem if nobody acts."""
    _errors().print(clean(text), markup=False, highlight=False, style="yellow", soft_wrap=True)


def note(text: str) -> None:
    """Print a line that is neither result nor problem to the error stream."""
    _errors().print(clean(text), markup=False, highlight=False, soft_wrap=True)


def document(data: bytes) -> None:
    """Print UTF-8 as it is, whatever the terminal's encoding: for files and other programs."""
    typer.echo(data, nl=False)


@contextmanager
def working(text: str) -> Iterator[Say]:
    """On a terminal, say what is being done and for how long (on the error stream); call with what comes next.

    Print nothing to the output meanwhile.
    """
    console = _errors()
    if not console.is_terminal:
        yield lambda _: None
        return
    parts = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*parts, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task(text, total=None)
        yield lambda now: progress.update(task, description=now)


def clean(text: str) -> str:
    """The text with its control characters made visible."""
    return text.translate(_CONTROL)


def moment(seconds: float | None) -> str:
    """Seconds since 1970 as local Danish time: the time of day for the last half year, before that the year."""
    if seconds is None:
        return ""
    local = datetime.fromtimestamp(seconds, UTC).astimezone(DENMARK)
    return local.strftime("%m-%d %H:%M" if abs(time.time() - seconds) < _HALF_A_YEAR else "%Y-%m-%d")


def _console() -> Console:
    """A console on today's standard output; a pipe has no width, so it gets all it wants."""
    console = Console()
    return console if console.is_terminal else Console(width=_UNBOUNDED)


def _errors() -> Console:
    return Console(stderr=True)
