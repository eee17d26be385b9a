"""report: a table of counts that may be shown, with small cells suppressed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality
from samspil.errors import SamspilError, SettingsError

if TYPE_CHECKING:
    from samspil.agreement import Agreement, MunicipalityFile
    from samspil.agreement.reports import Report


def report(
    municipality: Municipality,
    name: Annotated[str | None, typer.Argument(help="The report's name; without it, all are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table as CSV to this new file.")] = None,
) -> None:
    """Count what an agreement's report asks for and show what may be shown.

    A cell of too few persons is `..`, and so are those it could be worked out from. Before anything is shown, it is
    proved that no suppressed cell can be; a table of which that is not proved is not shown.

    Example: `samspil report randers placements --out placements.csv`
    """
    from samspil.hub import Hub  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.report import counting, layout, suppression  # noqa: PLC0415
    from samspil.report.audit import Audit  # noqa: PLC0415

    with Hub.find(municipality) as hub:
        if name is None:
            _list(hub.file)
            return
        agreement, wanted = _find(hub.file, name)
        with show.working(f"{name}: counting") as say:
            counted = counting.count(hub, agreement, wanted)
            say(f"{name}: suppressing small cells")
            hidden = suppression.suppress(counted.counts, wanted)
            say(f"{name}: proving that no suppressed cell can be worked out")
            Audit(counted.counts, hidden.cells).prove(wanted.width)
    table = layout.Table.of(wanted, counted, hidden.cells)
    if out is not None:
        _write(out, table.csv())
    headings, rows = table.across()
    numbers = headings[len(wanted.axes) - (headings[-1] == layout.ALL) :]
    show.table(f"{name}: {wanted.schema} of {hub.file.municipality.name}", headings, rows, numbers)
    cells, rows_lost = len(counted.counts.cells), len(suppression.naive(counted.counts, wanted))
    show.line(
        f"{len(hidden.cells)} of {cells} cells are not shown ({layout.HIDDEN}): {len(hidden.small)} have fewer than "
        f"{wanted.smallest} persons, {len(hidden.more)} protect them. Hiding whole rows would take {rows_lost}."
    )
    show.line(f"✓ proved: none of them can be worked out to less than {wanted.width + 1} different numbers")
    if counted.refused:
        show.line(f"{counted.refused} records could not be read and are not counted")
    show.line(f"Written: {out}" if out else f"As a file: samspil report {hub.file.slug} {name} --out {name}.csv")


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(report)


def _list(file: MunicipalityFile) -> None:
    rows = [
        (each.name, agreement.name, each.schema, ", ".join(axis.title for axis in each.axes), each.smallest)
        for agreement in file.agreements
        for each in agreement.reports
    ]
    if not rows:
        raise SettingsError(f"no agreement has reports: write them under an agreement in {file.path}", field="reports")
    show.table("Reports", ("report", "agreement", "schema", "by", "smallest"), rows, ("smallest",))
    show.line(f"Make one: samspil report {file.slug} {rows[0][0]}")


def _find(file: MunicipalityFile, name: str) -> tuple[Agreement, Report]:
    found = [(agreement, each) for agreement in file.agreements for each in agreement.reports if each.name == name]
    if not found:
        there = ", ".join(each.name for agreement in file.agreements for each in agreement.reports) or "none"
        raise SettingsError(f"no such report; there are: {there}", file=file.path, field=name)
    return found[0]


def _write(out: Path, data: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise SamspilError(f"{out} is there already: choose another name", reason="file-exists") from None
    except OSError as error:
        raise SettingsError(f"cannot be written ({error.strerror})", file=str(out), field="--out") from None
