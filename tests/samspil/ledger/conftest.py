"""A ledger of three batches on each of the store's databases."""

from __future__ import annotations

import pytest

from samspil.ledger import Ledger
from samspil.store import Store
from samspil.vault import Persons, Vault

ANNA, BENT = bytes([1]) * 16, bytes([2]) * 16


class Written:
    """The ledger of municipality 730: a context and four entries in each batch, of two persons and of nobody."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.vault = Vault(bytes(32), "730")
        self.vault.unlock(store)
        self.persons = Persons(self.vault)
        self.ledger = Ledger("730", self.vault.signer(), self.persons)
        self.key = self.vault.signer().public_key()
        with store.transaction() as connection:
            self.persons.fetch(connection, new=[ANNA, BENT])

    def append(self, batch: int) -> None:
        whom = (ANNA, BENT, ANNA, None)
        entries = [(bytes([batch, n]) * 8, whom[n], batch * 10 + n, 1, 1) for n in range(4)]
        with self.store.transaction() as connection:
            self.ledger.append(connection, {"what": "write", "batch": batch}, self.ledger.pack(entries))


@pytest.fixture
def written(store: Store) -> Written:
    made = Written(store)
    for batch in range(3):
        made.append(batch)
    return made
