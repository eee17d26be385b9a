"""The command line: ``samspil --help``. Each command's ``--help`` has an example.

Exit codes: 0 done · 1 something else went wrong · 2 a setting must be corrected · 3 no access · 4 a system does not
answer, try again · 5 a person must decide.
"""

from __future__ import annotations

import sys

import typer

from samspil.cli import exports, flows, ledger, mapping, quarantine, sandboxes
from samspil.cli.show import problem
from samspil.errors import AccessError, GuardTripped, SamspilError, SettingsError, Unavailable

_EXIT: tuple[tuple[type[SamspilError], int], ...] = (
    (SettingsError, 2),
    (AccessError, 3),
    (Unavailable, 4),
    (GuardTripped, 5),
    (SamspilError, 1),
)

app = typer.Typer(
    help="Samspil moves case data between a municipality's systems, every night, and shows that it did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would show persons
    rich_markup_mode="markdown",
    epilog="Start with `samspil demo`. Settings: SAMSPIL_STORE, SAMSPIL_KEY, AIRFLOW_CONN_<connection>.",
)
for part in (flows, quarantine, mapping, exports, ledger, sandboxes):
    part.add_to(app)


def main() -> None:
    """Run the command line; a SamspilError becomes one clear line and an exit code."""
    try:
        app()
    except SamspilError as error:
        problem(str(error))
        sys.exit(next(code for kind, code in _EXIT if isinstance(error, kind)))
