"""Writing the ledger. A batch is entered in the same transaction as the receipts it tells of."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, bindparam, insert, select

from samspil.ledger.batch import MARK, Batch, leaves
from samspil.ledger.entry import Told, pack
from samspil.ledger.head import Head
from samspil.ledger.tree import EMPTY, Frontier
from samspil.store.tables import ledger
from samspil.vault import Persons, few


class Ledger:
    """One municipality's tree."""

    def __init__(self, municipality: str, signer: Ed25519PrivateKey, persons: Persons) -> None:
        self._municipality, self._signer, self._persons = municipality, signer, persons
        self.place = f"{municipality}/ledger/".encode()

    def pack(self, told: Sequence[Told]) -> list[bytes]:
        """Entries as they are appended, sealed. The keys of their persons must have been fetched."""
        packed: list[bytes] = []
        for some in few(told):
            packed += pack(self.place, some, self._persons.ciphers([one[1] for one in some]))
        return packed

    def append(self, connection: Connection, context: Mapping[str, Any], packed: Sequence[bytes]) -> None:
        """Add a batch of entries in the caller's transaction; it stands or falls with it."""
        if connection.dialect.name == "postgresql":  # one tree: the next batch grows from this one
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(726677, %s)", (int(self._municipality),))
        last = connection.execute(_LAST, {"of": self._municipality}).first()
        tree = Frontier(last.size, bytes(last.frontier)) if last else Frontier()
        now = time.time()
        written = msgspec.json.encode({"at": now, **context})
        hashes = leaves(written, packed)
        tree.extend(hashes)
        head = Head(self._municipality, tree.size, int(now * 1000), tree.root()).signed(self._signer)
        batch = Batch(
            last.seq + 1 if last else 1,
            head.at,
            head.size,
            head.root,
            tree.pack(),
            head.signature,
            b"".join([leaf[:MARK] for leaf in hashes]),
            written,
            b"".join(packed),
        )
        connection.execute(_ADD, {"municipality": self._municipality, **msgspec.structs.asdict(batch)})

    def head(self, connection: Connection) -> Head:
        """The newest signed head; one of nothing if nothing was entered yet."""
        row = connection.execute(_LAST, {"of": self._municipality}).first()
        if row is None:
            return Head(self._municipality, 0, int(time.time() * 1000), EMPTY).signed(self._signer)
        return Head(self._municipality, row.size, row.at, bytes(row.root), bytes(row.signature))


_STATE = (ledger.c[name] for name in ("seq", "size", "at", "root", "frontier", "signature"))  # not the entries
_LAST = select(*_STATE).where(ledger.c.municipality == bindparam("of")).order_by(ledger.c.seq.desc()).limit(1)
_ADD = insert(ledger)
