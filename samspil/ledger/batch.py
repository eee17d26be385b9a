"""One row of the ledger: a batch of entries in one context, and the tree's head after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, select

from samspil.ledger.entry import SIZE, Entry, unpack
from samspil.ledger.head import Head
from samspil.ledger.tree import hashes, leaf_hash
from samspil.store.tables import ledger

MARK = 4  # bytes of each leaf's hash, kept so that the very entry that was changed can be named


class Batch(msgspec.Struct, frozen=True):
    """``context`` is JSON: when, what, flow, purpose, legal basis, fields. It is the first leaf, then the entries."""

    seq: int
    at: int
    size: int
    root: bytes
    frontier: bytes
    signature: bytes
    marks: bytes
    context: bytes
    entries: bytes

    def unpack(self) -> Iterator[Entry]:
        """What its entries say in the clear."""
        return unpack(self.entries)

    def packed(self) -> Sequence[bytes]:
        """Its entries as they are hashed."""
        return [self.entries[at : at + SIZE] for at in range(0, len(self.entries), SIZE)]

    def leaves(self) -> list[bytes]:
        """The hashes of its leaves."""
        return leaves(self.context, self.packed())

    def head(self, municipality: str) -> Head:
        """The tree's head after it."""
        return Head(municipality, self.size, self.at, self.root, self.signature)


def leaves(context: bytes, packed: Sequence[bytes]) -> list[bytes]:
    """Leaf hashes of a batch. An entry's leaf has the digest of its context: it cannot be moved under another purpose."""
    return [leaf_hash(b"\0" + context), *hashes(b"\0\1" + sha256(context).digest(), packed)]


def batches(connection: Connection, municipality: str) -> Iterator[Batch]:
    """All batches in order, a bounded number in memory."""
    after = 0
    query = select(*(ledger.c[name] for name in Batch.__struct_fields__))
    while True:
        rows = connection.execute(
            query.where(ledger.c.municipality == municipality, ledger.c.seq > after).order_by(ledger.c.seq).limit(100)
        ).all()
        if not rows:
            return
        for row in rows:
            yield Batch(*row)
        after = rows[-1].seq
