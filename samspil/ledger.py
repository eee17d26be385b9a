"""The ledger: who read and sent what about whom, why, in a chain that shows any later change.

Entries are written in batches, in the same transaction as the receipts they tell of. An entry has pseudonyms only
(keyed digests of record and person), the outbox row and the outcome; a batch's context has the time, the flow, its
purpose, legal basis and fields. Each batch's head is a hash over the head before it, the context and a hash of each
entry, and is signed with Ed25519, so an entry changed, taken out, added or moved is found by ``verify``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, insert, select

from samspil.errors import SamspilError
from samspil.store.tables import ledger

SIZE = 42  # bytes of one entry: key 16, person 16, outbox id 8, action 1, outcome 1
NOBODY = bytes(16)
_GENESIS = bytes(32)


class Entry(NamedTuple):
    """One record in a batch. Digests as in the store; ``outbox_id`` 0 where nothing was planned."""

    key: bytes
    person: bytes
    outbox_id: int
    action: int  # samspil.store.tables PUT, DELETE, WITHDRAW; 0 for a read
    outcome: int  # for a write the receipt's status; for a read one of READ_*

    def pack(self) -> bytes:
        """The entry as it is hashed and stored."""
        return self.key + self.person + self.outbox_id.to_bytes(8, "big") + bytes((self.action, self.outcome))


READ_PLANNED, READ_FILTERED, READ_HELD, READ_UNCHANGED, READ_BLOCKED = 11, 12, 13, 14, 15


class Batch(NamedTuple):
    """One row of the ledger."""

    seq: int
    head: bytes
    signature: bytes
    context: bytes
    entries: bytes

    def unpack(self) -> Iterator[Entry]:
        """The batch's entries."""
        for at in range(0, len(self.entries), SIZE):
            row = self.entries[at : at + SIZE]
            yield Entry(row[:16], row[16:32], int.from_bytes(row[32:40], "big"), row[40], row[41])


class Ledger:
    """One municipality's chain."""

    def __init__(self, municipality: str, signer: Ed25519PrivateKey) -> None:
        self._municipality, self._signer = municipality, signer

    def append(self, connection: Connection, context: Mapping[str, Any], entries: Iterable[bytes]) -> None:
        """Add a batch of packed entries in the caller's transaction; it stands or falls with it."""
        if connection.dialect.name == "postgresql":  # one chain: the next batch needs this one's head
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(726677, %s)", (int(self._municipality),))
        last = connection.execute(
            select(ledger.c.seq, ledger.c.head)
            .where(ledger.c.municipality == self._municipality)
            .order_by(ledger.c.seq.desc())
            .limit(1)
        ).first()
        seq, before = (last.seq + 1, last.head) if last else (1, _GENESIS)
        packed = list(entries)
        written = msgspec.json.encode({"at": time.time(), **context})
        head = _head(before, seq, written, packed)
        connection.execute(
            insert(ledger).values(
                municipality=self._municipality,
                seq=seq,
                head=head,
                signature=self._signer.sign(head),
                context=written,
                entries=b"".join(packed),
            )
        )


def batches(connection: Connection, municipality: str) -> Iterator[Batch]:
    """All batches in order, a bounded number in memory."""
    after = 0
    query = select(ledger.c.seq, ledger.c.head, ledger.c.signature, ledger.c.context, ledger.c.entries)
    while True:
        rows = connection.execute(
            query.where(ledger.c.municipality == municipality, ledger.c.seq > after).order_by(ledger.c.seq).limit(100)
        ).all()
        if not rows:
            return
        for row in rows:
            yield Batch(*row)
        after = rows[-1].seq


def written_with(connection: Connection, municipality: str, key: Ed25519PublicKey) -> bool:
    """Whether the ledger was begun with this key, as far as its first batch tells; True if there is none yet."""
    query = select(ledger.c.head, ledger.c.signature).where(ledger.c.municipality == municipality)
    first = connection.execute(query.order_by(ledger.c.seq).limit(1)).first()
    try:
        if first is not None:
            key.verify(first.signature, first.head)
    except InvalidSignature:
        return False
    return True


def verify(connection: Connection, municipality: str, key: Ed25519PublicKey) -> int:
    """Check the whole chain; the number of entries. Raises SamspilError (ledger-broken) naming the first bad batch."""
    before, expected, count = _GENESIS, 1, 0
    for batch in batches(connection, municipality):
        packed = [batch.entries[at : at + SIZE] for at in range(0, len(batch.entries), SIZE)]
        whole = batch.seq == expected and batch.head == _head(before, batch.seq, batch.context, packed)
        try:
            key.verify(batch.signature, batch.head)
        except InvalidSignature:
            whole = False
        if not whole:
            raise SamspilError(
                f"the ledger of {municipality} was changed at or before batch {expected}", reason="ledger-broken"
            )
        before, expected, count = batch.head, expected + 1, count + len(packed)
    return count


def _head(before: bytes, seq: int, context: bytes, packed: Sequence[bytes]) -> bytes:
    leaves = b"".join([sha256(b"\0" + entry).digest() for entry in packed])
    parts = (before, seq.to_bytes(8, "big"), sha256(context).digest(), sha256(leaves).digest())
    return sha256(b"\1" + b"".join(parts)).digest()
