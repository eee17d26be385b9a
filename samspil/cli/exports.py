"""schemas and pools: what partners and Airflow get from us as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from samspil.cli import show
from samspil.errors import SettingsError


def schemas(
    name: Annotated[str | None, typer.Argument(help="One schema; without it, all are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this folder, every schema or the one named.")] = None,
) -> None:
    """List the shared schemas, or export them as JSON Schema for partners.

    Example: `samspil schemas course_order` · `samspil schemas --out build/schemas`
    """
    from samspil import export, registry  # noqa: PLC0415  # a command pays only for what it uses

    if name is not None:
        registry.schema(name)
    if out is not None:
        names = [name] if name else list(registry.schemas())
        try:
            out.mkdir(parents=True, exist_ok=True)
            for each in names:
                (out / f"{each}.json").write_bytes(_pretty(export.json_schema(each)))
        except OSError as error:
            raise SettingsError(f"cannot be written ({error.strerror})", file=str(out), field="--out") from None
        show.line(f"{len(names)} schemas in {out}")
    elif name is not None:
        show.document(_pretty(export.json_schema(name)))
    else:
        rows = [
            (each, (struct.__doc__ or "").strip().split("\n")[0], len(struct.__struct_fields__))  # type: ignore[attr-defined]  # a struct
            for each, struct in registry.schemas().items()
        ]
        show.table("Shared schemas", ("schema", "what", "fields"), rows, ("fields",))
        show.line("One as JSON Schema: samspil schemas course_order")


def pools() -> None:
    """Print Airflow's pools, one for each system a municipality uses.

    Example: `samspil pools > pools.json && airflow pools import pools.json`
    """
    from samspil.agreement import load_all  # noqa: PLC0415
    from samspil.airflow.pool import pools as wanted  # noqa: PLC0415
    from samspil.hub import folder  # noqa: PLC0415
    from samspil.registry import schemas as known  # noqa: PLC0415

    files = load_all(folder(), known())
    if not files:
        raise SettingsError("has no municipality's file (SAMSPIL_MUNICIPALITIES)", file=str(folder()))
    by_name = {
        pool["name"]: {field: value for field, value in pool.items() if field != "name"} for pool in wanted(files)
    }
    show.document(_pretty(by_name))


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(schemas)
    app.command()(pools)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
