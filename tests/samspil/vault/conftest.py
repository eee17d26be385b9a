"""Vaults on a store, unlocked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from samspil.store import Store
from samspil.vault import Master, Vault


@pytest.fixture
def unlocked(store: Store) -> Callable[..., Vault]:
    """Unlocks a municipality's vault on the store; versions of the master key by number."""

    def unlock(municipality: str = "730", **versions: bytes) -> Vault:
        given = {int(name.removeprefix("v")): key for name, key in versions.items()} or {1: bytes(range(32))}
        vault = Vault(Master(given), municipality)
        vault.unlock(store)
        return vault

    return unlock
