"""Pseudonyms (pseudonymer): HMAC-SHA-256 under a key of the recipient, 32 hexadecimal digits.

The same value has the same pseudonym in everything one recipient gets, so its records can be joined; another
recipient, another municipality or another version of the key gives another one, and without the key nobody can tell
that they belong together. A CPR number has ten digits: without a key it would be found by trying all of them.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from samspil.vault import Vault

DIGITS = 32  # 128 bits: among a million persons two share one with a chance of 1 in 10²⁶


def pseudonyms(vault: Vault, recipient: str, version: int) -> Callable[[str], str]:
    """The function from a value to its pseudonym at a recipient (a system's name) under a version of its key."""
    keyed = hmac.new(vault.key(f"pseudonym/{recipient}/{version}"), digestmod="sha256")

    def pseudonym(value: str) -> str:
        state = keyed.copy()
        state.update(value.encode())
        return state.hexdigest()[:DIGITS]

    return pseudonym
