"""verify, ledger export, head and key: is the ledger as it was written, and what somebody else needs to find out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import Municipality
from samspil.errors import SamspilError, SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from samspil.ledger import Head
    from samspil.ledger.verification import Verified

group = typer.Typer(
    help="Give the ledger to somebody who checks it.\n\nExample: `samspil ledger export randers ledger.jsonl`",
    no_args_is_help=True,
)

Key = Annotated[
    str | None, typer.Option("--public-key", help="32 bytes in base64, or a file: `samspil ledger key`.", metavar="key")
]
Kept = Annotated[
    Path | None, typer.Option("--head", help="Heads kept elsewhere, one a line: they show an end that was cut off.")
]


def verify(
    ledger: Annotated[str, typer.Argument(help="A municipality, or a file from `samspil ledger export`.")],
    public_key: Key = None,
    head: Kept = None,
) -> None:
    """Check a whole ledger: that no entry was changed, removed, added or moved, and if one was, which.

    An exported file needs the public key only: no store, no master key. That the end was cut off shows only against a
    head that was kept elsewhere: set SAMSPIL_HEADS to a folder on another machine, and every run appends one.

    Example: `samspil verify randers`, or `samspil verify ledger.jsonl --public-key key.txt --head 730.jsonl`
    """
    from samspil.ledger import head as kept  # noqa: PLC0415  # a command pays only for what it uses

    heads = kept.load(head) if head else ()
    key = kept.public_key(public_key) if public_key else None
    exported = Path(ledger).is_file() and not ledger.endswith(".yaml")
    name, checked = (_file if exported else _store)(ledger, key, heads)
    if not checked.batches:
        raise SamspilError(
            f"{name}: there is no ledger to check; is SAMSPIL_STORE the store of its runs?", reason="no-ledger"
        )
    show.line(f"✓ the ledger of {name} is whole: {checked.entries} entries")
    if heads:
        show.line(f"✓ it begins with what the {len(heads)} heads kept elsewhere saw")


@group.command("export")
def export(municipality: Municipality, file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Write a municipality's ledger to a file that can be checked anywhere. What tells of persons in it stays sealed.

    Example: `samspil ledger export randers ledger.jsonl`
    """
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.ledger import batches  # noqa: PLC0415
    from samspil.ledger.export import write  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        slug, code = hub.file.slug, hub.file.municipality.code
        try:
            with show.working(f"{slug}: writing the ledger"), file.open("xb") as out:
                count = write(out, code, batches(connection, code))
        except FileExistsError:
            raise SettingsError("is there already; choose another name", file=str(file)) from None
        except OSError as error:
            raise SettingsError(f"cannot be written ({error.strerror})", file=str(file)) from None
    show.line(f"✓ {count} batches. Check it: samspil verify {file} --public-key …  (samspil ledger key {slug})")


@group.command("head")
def head(municipality: Municipality) -> None:
    """Print the newest signed head of the ledger as one line of JSON, to be kept elsewhere.

    Example: `samspil ledger head randers >> /mnt/elsewhere/730.jsonl`
    """
    from samspil.hub import Hub  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub, hub.store.transaction() as connection:
        show.document(hub.ledger.head(connection).line() + b"\n")


@group.command("key")
def key(municipality: Municipality) -> None:
    """Print the public key that the ledger's heads are signed with. Give it to whoever checks, once and in person.

    Example: `samspil ledger key randers > key.txt`
    """
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.ledger.head import written  # noqa: PLC0415

    with Hub.find(municipality, write=False) as hub:
        show.document(written(hub.vault.signer().public_key()).encode() + b"\n")


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(verify)
    app.add_typer(group, name="ledger")


def _file(name: str, key: Ed25519PublicKey | None, heads: Sequence[Head]) -> tuple[str, Verified]:
    from samspil.ledger.export import Exported  # noqa: PLC0415
    from samspil.ledger.verification import check  # noqa: PLC0415

    exported = Exported(Path(name))
    if key is None:
        raise SettingsError(
            "a file cannot vouch for itself: give the key that its owner gave you", field="--public-key"
        )
    with show.working(f"{name}: checking the ledger"):
        return name, check(exported.batches(), exported.municipality, key, heads)


def _store(name: str, key: Ed25519PublicKey | None, heads: Sequence[Head]) -> tuple[str, Verified]:
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.ledger import batches  # noqa: PLC0415
    from samspil.ledger.verification import check  # noqa: PLC0415

    with Hub.find(name, write=False) as hub, hub.store.transaction() as connection:
        slug, code = hub.file.slug, hub.file.municipality.code
        with show.working(f"{slug}: checking the ledger"):
            return slug, check(batches(connection, code), code, key or hub.vault.signer().public_key(), heads)
