"""recording make: real traffic of one system, as a file that may be kept."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from samspil.cli import show
from samspil.errors import SettingsError

group = typer.Typer(
    help="Recordings of real traffic, without persons and secrets, to be replayed in place of a sandbox.\n\n"
    "Example: `samspil recording make jobcenter jobcenter_randers --rules rules.yaml --out jobcenter.jsonl`",
    no_args_is_help=True,
)


@group.command("make")
def make(
    system: Annotated[str, typer.Argument(help="The connector, such as jobcenter.")],
    connection: Annotated[str, typer.Argument(help="Its connection: AIRFLOW_CONN_<CONNECTION> in the environment.")],
    rules: Annotated[Path, typer.Option(help="What may be kept beside what the mappings tell, a YAML file.")],
    out: Annotated[Path, typer.Option(help="The recording, a file of JSON lines.")],
    schema: Annotated[list[str] | None, typer.Option(help="Only this schema; may be given several times.")] = None,
    pages: Annotated[int, typer.Option(min=1, help="Pages read of each schema at most.")] = 3,
    municipality: Annotated[str | None, typer.Option(help="The municipality's code, for its own mapping rows.")] = None,
) -> None:
    """Log in and read some pages through a proxy on this machine, scrub what passed, search it, save it.

    Nothing is written to the system. What no mapping, contract or rule covers is refused by the name of its place, and
    then nothing is saved; nothing that is not scrubbed is ever on the disk.

    Example: `samspil recording make jobcenter jobcenter_randers --rules rules.yaml --out jobcenter.jsonl`
    """
    from samspil import registry  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.account import Account  # noqa: PLC0415

    try:
        from samspil.testing import recording  # noqa: PLC0415
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed: pip install 'samspil[sandbox]'"
        raise SettingsError(message, field="recording") from error
    kind = registry.connector(system)
    wanted = schema or list(kind.reads)
    if unknown := [name for name in wanted if name not in kind.reads]:
        raise SettingsError(f"does not read {unknown[0]}; it reads {', '.join(kind.reads)}", field=system)
    account = Account.from_environment(connection)
    with recording.Recorder(system, account, recording.load(rules), municipality=municipality) as recorder:
        connector = kind(recorder.account)
        try:
            connector.check()
            read = {name: sum(len(page.keys) for page in islice(connector.read(name), pages)) for name in wanted}
        finally:
            connector.close()
        calls = recorder.save(out)
    show.table("Recorded", ("schema", "records"), list(read.items()), ("records",))
    show.line(f"{calls} calls in {out}")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="recording")
