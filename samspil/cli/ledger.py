"""verify: is the ledger as it was written?"""

from __future__ import annotations

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality
from samspil.errors import SamspilError


def verify(municipality: Municipality) -> None:
    """Check the whole ledger of a municipality: that no entry was changed, removed, added or moved.

    Example: `samspil verify randers`
    """
    from samspil import ledger  # noqa: PLC0415  # a command pays only for what it uses
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        key = hub.vault.signer().public_key()
        slug = hub.file.slug
        with show.working(f"{slug}: checking the ledger"):
            entries = ledger.verify(connection, hub.file.municipality.code, key)
            empty = next(ledger.batches(connection, hub.file.municipality.code), None) is None
    if empty:
        raise SamspilError(
            f"{slug}: there is no ledger to check; is SAMSPIL_STORE the store of its runs?", reason="no-ledger"
        )
    show.line(f"✓ the ledger of {slug} is whole: {entries} entries")


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(verify)
