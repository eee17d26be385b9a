"""Is the ledger as it was written? Needs the public key only, and no store: an exported file does.

Everything is hashed again from the first entry. What was changed, removed, added or swapped is found whoever did it
without the signing key, and named as closely as what is left allows. A tail cut off can only be found with a head that
was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from samspil.errors import SamspilError
from samspil.ledger.batch import MARK, Batch, batches
from samspil.ledger.head import Head
from samspil.ledger.tree import Frontier


class Verified(NamedTuple):
    """What a whole ledger has. ``size`` is the tree's: entries, and a leaf for the context of each batch."""

    batches: int
    entries: int
    size: int


def verify(connection: Connection, municipality: str, key: Ed25519PublicKey, heads: Sequence[Head] = ()) -> int:
    """Check a ledger in the store; the number of entries. Raises SamspilError (ledger-broken) naming what is wrong."""
    return check(batches(connection, municipality), municipality, key, heads).entries


def check(found: Iterable[Batch], municipality: str, key: Ed25519PublicKey, heads: Sequence[Head] = ()) -> Verified:
    """Check batches in order, and that they begin with what each head kept elsewhere has seen.

    Raises SamspilError (ledger-broken) naming the first thing that is wrong, or (head) for a head that proves nothing.
    """
    waiting = sorted(heads, key=lambda head: head.size, reverse=True)
    for head in waiting:
        if head.municipality != municipality or not head.holds(key):
            raise SamspilError(
                f"the head of {head.size} leaves is not signed with this key for {municipality}", reason="head"
            )
    tree, seq, entries = Frontier(), 0, 0
    for batch in found:
        if batch.seq != seq + 1:
            raise _broken(municipality, _missing(batch, seq, tree.size))
        leaves = batch.leaves()
        done = 0
        while waiting and waiting[-1].size <= tree.size + len(leaves) - done:
            head = waiting.pop()
            cut = head.size - tree.size
            tree.extend(leaves[done : done + cut])
            done += cut
            if tree.root() != head.root:
                raise _broken(municipality, _differs(batch, leaves, f"the head of {head.size} leaves saw another"))
        tree.extend(leaves[done:])
        if tree.size != batch.size or tree.root() != batch.root or tree.pack() != batch.frontier:
            raise _broken(municipality, _differs(batch, leaves, "it is not what was signed"))
        if not batch.head(municipality).holds(key):
            raise _broken(municipality, f"batch {batch.seq} is not signed with this key: it was added or written anew")
        seq, entries = batch.seq, entries + len(leaves) - 1
    if waiting:
        kept = waiting[0]
        raise _broken(
            municipality,
            f"its end was cut off: it has {tree.size} leaves, and a head that was kept has {kept.size}",
        )
    return Verified(seq, entries, tree.size)


def _missing(batch: Batch, seq: int, size: int) -> str:
    gone = batch.size - len(batch.leaves()) - size
    many = f"batches {seq + 1} to {batch.seq - 1} were" if batch.seq > seq + 2 else f"batch {seq + 1} was"
    return f"{many} removed, {gone} leaves" if batch.seq > seq else f"batch {batch.seq} is out of place"


def _differs(batch: Batch, leaves: Sequence[bytes], otherwise: str) -> str:
    """Which entry of a batch it is, as far as the marks tell. The first leaf is the context."""
    marks = [batch.marks[at : at + MARK] for at in range(0, len(batch.marks), MARK)]
    now = [leaf[:MARK] for leaf in leaves]
    if marks[:1] != now[:1]:  # every leaf has the context's digest
        return f"what batch {batch.seq} says of its entries (purpose, fields, time) was changed"
    wrong = [n for n, pair in enumerate(zip(now, marks, strict=False)) if pair[0] != pair[1]]
    if len(now) != len(marks):
        what, many = (
            ("removed from", len(marks) - len(now)) if len(now) < len(marks) else ("added to", len(now) - len(marks))
        )
        return (
            f"{many} entries were {what} batch {batch.seq} at entry {wrong[0] if wrong else min(len(now), len(marks))}"
        )
    if wrong and sorted(now) == sorted(marks):
        return f"entries {', '.join(map(str, wrong))} of batch {batch.seq} changed places"
    if wrong:
        return f"entry {', '.join(map(str, wrong))} of batch {batch.seq} was changed"
    return f"batch {batch.seq}: {otherwise}"


def _broken(municipality: str, what: str) -> SamspilError:
    return SamspilError(f"the ledger of {municipality} is not as it was written: {what}", reason="ledger-broken")
