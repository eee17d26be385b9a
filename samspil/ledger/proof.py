"""Proofs from a ledger: that an entry is in it, and that a later state of it begins with an earlier one.

One is JSON that stands by itself: with the public key, and with no store and nothing else of the ledger, it can be
checked. Its names are those of RFC 9162, 4.11 and 4.12; the hashes are those of RFC 6962, 2.1. To make one, the leaves
are read and hashed once, and no more than a few digests are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samspil.errors import SamspilError, SettingsError
from samspil.ledger.batch import Batch, leaves
from samspil.ledger.entry import SIZE, Entry, unpack
from samspil.ledger.head import Head
from samspil.ledger.tree import consistency_ranges, consistent, includes, inclusion_ranges, roots_of

_LARGEST = 1 << 20  # bytes of a proof; one of a thousand million leaves has 3,000
Read = Callable[[], Iterable[Batch]]  # the batches from the first, each time it is called


class Inclusion(msgspec.Struct, frozen=True, tag_field="format", tag="samspil-inclusion-proof-1"):
    """That a leaf is in the tree of a signed head (RFC 6962, 2.1.1).

    ``context`` is what the leaf's batch says of its entries, as JSON; ``entry`` is missing where that itself is the
    leaf. What tells of a person in an entry is sealed, here as in the ledger.
    """

    name: ClassVar[str] = "inclusion"
    head: Head
    leaf_index: int
    context: bytes
    inclusion_path: Sequence[bytes]
    entry: bytes = b""

    @classmethod
    def made(cls, read: Read, municipality: str, batch: int, number: int, size: int | None) -> Self:
        """Of entry ``number`` of a batch, both as ``verify`` names them; ``size``: of an earlier head than the newest.

        Raises SamspilError (no-proof) if there is no such entry or head.
        """
        head, before, found = None, 0, None
        for one in read():
            if one.seq == batch:
                found = one, before + number
            before = one.size
            head = one.head(municipality) if size in (None, one.size) else head
        if found is None or number > len(found[0].packed()):
            there = f"it has the entries 1 to {len(found[0].packed())}" if found else "there is no such batch"
            raise SamspilError(f"no entry {number} in batch {batch}: {there}", reason="no-proof")
        one, index = found
        if head is None or index >= head.size:
            raise _no_head(size, f"later than entry {number} of batch {batch}" if head else "of that size")
        path = inclusion(read(), index, head.size)
        return cls(head, index, one.context, path, one.packed()[number - 1] if number else b"")

    @property
    def heads(self) -> Sequence[Head]:
        """The heads that it is about."""
        return (self.head,)

    @property
    def said(self) -> Entry | None:
        """What the entry says in the clear."""
        return next(unpack(self.entry), None)

    def holds(self) -> bool:
        """Whether the path leads from the leaf to the head's root."""
        if len(self.entry) not in (0, SIZE):
            return False
        leaf = leaves(self.context, [self.entry] if self.entry else [])[-1]
        return includes(self.head.root, self.head.size, self.leaf_index, leaf, self.inclusion_path)


class Consistency(msgspec.Struct, frozen=True, tag_field="format", tag="samspil-consistency-proof-1"):
    """That the tree of the second head begins with that of the first (RFC 6962, 2.1.2)."""

    name: ClassVar[str] = "consistency"
    first: Head
    second: Head
    consistency_path: Sequence[bytes]

    @classmethod
    def made(cls, read: Read, municipality: str, first: int, second: int | None) -> Self:
        """Between the heads of these sizes, the second the newest if it is not given. Raises SamspilError (no-proof)."""
        early = late = None
        for one in read():
            early = one.head(municipality) if one.size == first else early
            late = one.head(municipality) if second in (None, one.size) else late
        if early is None or late is None or late.size < early.size:
            raise _no_head(first if early is None else second, "of that size" if not early or not late else "after it")
        return cls(early, late, consistency(read(), early.size, late.size))

    @property
    def heads(self) -> Sequence[Head]:
        """The heads that it is about."""
        return (self.first, self.second)

    def holds(self) -> bool:
        """Whether the path leads from one root to the other."""
        one, two = self.first, self.second
        return one.municipality == two.municipality and consistent(
            one.size, one.root, two.size, two.root, self.consistency_path
        )


Proof = Inclusion | Consistency


def load(path: Path) -> Proof | None:
    """The proof in a file; None if it is something else. Raises SettingsError if it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", file=str(path)) from None
    try:
        return None if len(text) > _LARGEST else msgspec.json.decode(text, type=Proof)
    except msgspec.DecodeError:
        return None


def check(proof: Proof, key: Ed25519PublicKey, kept: Sequence[Head] = ()) -> None:
    """Raise SamspilError (proof-broken) unless the proof holds, or (head) unless it is about one of the heads kept."""
    for head in (*proof.heads, *kept):
        if not head.holds(key):
            raise SamspilError(f"the head of {head.size} leaves is not signed with this key", reason="head")
    if not proof.holds():
        raise SamspilError(
            f"the {proof.name} proof does not lead to what was signed: it or the ledger was changed",
            reason="proof-broken",
        )
    if kept and not _about(proof, kept):
        sizes = ", ".join(str(head.size) for head in proof.heads)
        raise SamspilError(
            f"none of the heads kept elsewhere is of {sizes} leaves: ask for the proof for the size of one that is kept",
            reason="head",
        )


def inclusion(found: Iterable[Batch], index: int, size: int) -> Sequence[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves. Raises ValueError if there are fewer."""
    return roots_of(inclusion_ranges(index, size), (leaf for batch in found for leaf in batch.leaves()))


def consistency(found: Iterable[Batch], first: int, second: int) -> Sequence[bytes]:
    """The proof between two sizes. Raises ValueError if there are fewer leaves."""
    return roots_of(consistency_ranges(first, second), (leaf for batch in found for leaf in batch.leaves()))


def _about(proof: Proof, kept: Sequence[Head]) -> bool:
    """Whether one of its heads was kept. Raises SamspilError (proof-broken) if one saw another tree."""
    found = False
    for head in proof.heads:
        for one in kept:
            if (one.municipality, one.size) == (head.municipality, head.size):
                if one.root != head.root:
                    raise SamspilError(
                        f"the head of {head.size} leaves kept elsewhere saw another ledger", reason="proof-broken"
                    )
                found = True
    return found


def _no_head(size: int | None, what: str) -> SamspilError:
    which = "there is no head" if size is None else f"{size} leaves: there is no head"
    return SamspilError(
        f"{which} {what}; take a size from a head that was kept (samspil ledger head)", reason="no-proof"
    )
