"""verify, ledger export, head, key and the proofs: is the ledger as it was written, and what others need to find out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspil.cli import show
from samspil.cli.arguments import LARGEST, Municipality
from samspil.errors import SamspilError, SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from samspil.ledger import Head
    from samspil.ledger.proof import Proof, Read
    from samspil.ledger.verification import Verified

group = typer.Typer(
    help="Give the ledger to somebody who checks it.\n\nExample: `samspil ledger export randers ledger.jsonl`",
    no_args_is_help=True,
)

Key = Annotated[
    str | None, typer.Option("--public-key", help="32 bytes in base64, or a file: `samspil ledger key`.", metavar="key")
]
Source = Annotated[str, typer.Argument(help="A municipality, or a file from `samspil ledger export`.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write it; else it is printed.", metavar="file", show_default=False),
]
Kept = Annotated[
    Path | None, typer.Option("--head", help="Heads kept elsewhere, one a line: they show an end that was cut off.")
]


def verify(
    ledger: Annotated[str, typer.Argument(help="A municipality, or a file from `samspil ledger export`, or a proof.")],
    public_key: Key = None,
    head: Kept = None,
) -> None:
    """Check a whole ledger: that no entry was changed, removed, added or moved, and if one was, which. Or one proof.

    An exported file or a proof needs the public key only: no store, no master key. That the end was cut off shows only against a
    head that was kept elsewhere: set SAMSPIL_HEADS to a folder on another machine, and every run appends one.

    Example: `samspil verify randers`, or `samspil verify ledger.jsonl --public-key key.txt --head 730.jsonl`
    """
    from samspil.ledger import head as kept  # noqa: PLC0415  # a command pays only for what it uses

    heads = kept.load(head) if head else ()
    key = kept.public_key(public_key) if public_key else None
    if _is_proof(ledger, key, heads):
        return
    name, checked = (_file if _exported(ledger) else _store)(ledger, key, heads)
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


@group.command("inclusion")
def inclusion(
    ledger: Source,
    batch: Annotated[int, typer.Argument(help="Its number, as `samspil verify` gives it.", min=1, max=LARGEST)],
    entry: Annotated[
        int, typer.Argument(help="Its number within the batch; 0: what the batch says of all.", min=0, max=LARGEST)
    ],
    size: Annotated[
        int | None, typer.Option("--size", help="Of an earlier head, in leaves; else the newest head.", min=1)
    ] = None,
    out: Out = None,
) -> None:
    """Prove that one entry is in the ledger (RFC 6962), as JSON. Nothing else of the ledger is shown.

    Example: `samspil ledger inclusion randers 12 3 --out proof.json`, then `samspil verify proof.json --public-key …`
    """
    from samspil.ledger.proof import Inclusion  # noqa: PLC0415

    _prove(ledger, lambda read, code: Inclusion.made(read, code, batch, entry, size), out)


@group.command("consistency")
def consistency(
    ledger: Source,
    first: Annotated[int, typer.Argument(help="The size of the earlier head, in leaves.", min=1)],
    second: Annotated[
        int | None, typer.Argument(help="The size of the later one; else the newest.", min=1, show_default=False)
    ] = None,
    out: Out = None,
) -> None:
    """Prove that the ledger of one head begins with that of an earlier one (RFC 6962), as JSON: nothing was rewritten.

    Sizes are those in the heads that were kept: `samspil ledger head` and SAMSPIL_HEADS.

    Example: `samspil ledger consistency randers 1204 --out proof.json`
    """
    from samspil.ledger.proof import Consistency  # noqa: PLC0415

    _prove(ledger, lambda read, code: Consistency.made(read, code, first, second), out)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(verify)
    app.add_typer(group, name="ledger")


def _file(name: str, key: Ed25519PublicKey | None, heads: Sequence[Head]) -> tuple[str, Verified]:
    from samspil.ledger.export import Exported  # noqa: PLC0415
    from samspil.ledger.verification import check  # noqa: PLC0415

    exported = Exported(Path(name))
    if key is None:
        raise _keyless()
    with show.working(f"{name}: checking the ledger"):
        return name, check(exported.batches(), exported.municipality, key, heads)


def _is_proof(name: str, key: Ed25519PublicKey | None, heads: Sequence[Head]) -> bool:
    """Check a proof and say what it shows; False if the file is none. Raises SamspilError if it does not hold."""
    from samspil.ledger import proof  # noqa: PLC0415

    found = proof.load(Path(name)) if _exported(name) else None
    if found is None:
        return False
    if key is None:
        raise _keyless()
    proof.check(found, key, heads)
    if isinstance(found, proof.Consistency):
        first, second = found.heads
        show.line(f"✓ the ledger of {second.municipality} of {second.size} leaves begins with that of {first.size}")
    else:
        when = show.moment(found.head.at / 1000)
        show.line(
            f"✓ leaf {found.leaf_index} is in the ledger of {found.head.municipality} of {found.head.size} leaves"
        )
        show.line(f"  signed {when}; its batch says: {found.context.decode(errors='replace')}")
        if found.said:
            show.line("  the entry: " + ", ".join(f"{what} {value}" for what, value in found.said._asdict().items()))
    if heads:
        show.line("✓ that is a head that was kept elsewhere")
    else:
        show.note("With --head it is also held against a head that was kept elsewhere: samspil ledger head")
    return True


def _prove(name: str, made: Callable[[Read, str], Proof], out: Path | None) -> None:
    """Make a proof from the store or from an exported file, and print or write it."""
    import msgspec  # noqa: PLC0415

    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.ledger import batches  # noqa: PLC0415
    from samspil.ledger.export import Exported  # noqa: PLC0415

    with show.working(f"{name}: reading the ledger"):
        if _exported(name):
            exported = Exported(Path(name))
            proof = made(exported.batches, exported.municipality)
        else:
            with Hub.find(name, write=False) as hub, hub.store.transaction() as connection:
                code = hub.file.municipality.code
                proof = made(lambda: batches(connection, code), code)
    text = msgspec.json.format(msgspec.json.encode(proof)) + b"\n"
    if out is None:
        show.document(text)
    else:
        try:
            with out.open("xb") as file:
                file.write(text)
        except FileExistsError:
            raise SettingsError("is there already; choose another name", file=str(out)) from None
        except OSError as error:
            raise SettingsError(f"cannot be written ({error.strerror})", file=str(out), field="--out") from None
    show.note(f"Check it anywhere: samspil verify {out or 'FILE'} --public-key …  (samspil ledger key)")


def _exported(name: str) -> bool:
    """Whether it is a file that somebody was given, and no municipality's."""
    return Path(name).is_file() and not name.endswith(".yaml")


def _keyless() -> SettingsError:
    return SettingsError("a file cannot vouch for itself: give the key that its owner gave you", field="--public-key")


def _store(name: str, key: Ed25519PublicKey | None, heads: Sequence[Head]) -> tuple[str, Verified]:
    from samspil.hub import Hub  # noqa: PLC0415
    from samspil.ledger import batches  # noqa: PLC0415
    from samspil.ledger.verification import check  # noqa: PLC0415

    with Hub.find(name, write=False) as hub, hub.store.transaction() as connection:
        slug, code = hub.file.slug, hub.file.municipality.code
        with show.working(f"{slug}: checking the ledger"):
            return slug, check(batches(connection, code), code, key or hub.vault.signer().public_key(), heads)
