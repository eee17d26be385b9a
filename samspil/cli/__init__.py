"""The command line: ``samspil --help``. Each command's ``--help`` has an example.

Exit codes: 0 done · 1 something else went wrong · 2 a setting or an argument must be corrected · 3 no access · 4 a
system does not answer, try again · 5 a person must decide. Of several, the one that must be dealt with first.

Results go to the standard output, problems and progress to the error stream. A record is shown by ``quarantine show``
and ``conflicts show`` only; nowhere else is there anything on the screen that points at a person.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

import samspil
from samspil.cli import (
    conflicts,
    connectors,
    exports,
    failure,
    flows,
    keys,
    ledger,
    mapping,
    new,
    person,
    quarantine,
    recording,
    reports,
    retention,
    rotation,
    runs,
    sandboxes,
    show,
    store,
)
from samspil.errors import SamspilError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would show persons
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `samspil demo`. Settings: `SAMSPIL_STORE`, `SAMSPIL_KEY`, `AIRFLOW_CONN_<CONNECTION>`. "
    "Exit codes: 0 done, 1 failed, 2 correct a setting, 3 no access, 4 try again later, 5 a person must decide.",
)


def _version(wanted: bool) -> None:
    if wanted:
        show.line(f"samspil {samspil.__version__}")
        raise typer.Exit


@app.callback()
def _samspil(
    *,
    version: Annotated[  # its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Samspil moves case data between a municipality's systems, every night, and shows that it did."""


for part in (
    flows,
    runs,
    quarantine,
    conflicts,
    mapping,
    exports,
    reports,
    rotation,
    ledger,
    keys,
    store,
    person,
    retention,
    sandboxes,
    recording,
    connectors,
    new,
):
    part.add_to(app)


def main() -> None:
    """Run the command line; whatever goes wrong becomes a clear line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ or → shows ? instead of a fault
    try:
        app()
    except SamspilError as error:
        failure.tell(error)
        sys.exit(failure.exit_code([error]))
    except OSError as error:  # a full disk behind the output, say; its own words name no record
        failure.tell_system(error)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # Python would print its message, which may hold personal data
        failure.tell_unexpected(error)
        sys.exit(1)
