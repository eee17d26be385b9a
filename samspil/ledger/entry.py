"""One entry: a record that was read or sent. What tells of the person is sealed before it is hashed.

54 bytes: outbox id 8, action 1, outcome 1, and the record's digest sealed under the person's key. Entries of one person
look no more alike than those of two, and when the key is destroyed nothing is left that could tell them apart, while
the tree over them stays as it was. An entry of which nobody knows whom it is about names no record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from samspil.vault.box import NONCE, nonces

SIZE = 54
READ_PLANNED, READ_FILTERED, READ_HELD, READ_UNCHANGED, READ_BLOCKED, READ_SHOWN = 11, 12, 13, 14, 15, 16

_CLEAR = 10
_packed = Struct(">QBB").pack
_NOBODY = bytes(SIZE - _CLEAR)


class Entry(NamedTuple):
    """What an entry says in the clear. ``outbox_id`` is 0 where nothing was planned."""

    outbox_id: int
    action: int  # samspil.store.tables PUT, DELETE, WITHDRAW; 0 for a read
    outcome: int  # for a write the receipt's status; for a read one of READ_*


# What is to be entered: the record's key, the person (None: of whom it is nobody knows), and an Entry's three.
Told = tuple[bytes, bytes | None, int, int, int]


def pack(place: bytes, told: Sequence[Told], ciphers: Sequence[AESGCM | None]) -> list[bytes]:
    """Entries as they are hashed and stored. ``place`` names municipality and table; a cipher is the person's key."""
    clears = [_packed(outbox_id, action, outcome) for _, _, outbox_id, action, outcome in told]
    return [
        clear + _NOBODY if cipher is None else clear + nonce + cipher.encrypt(nonce, one[0], place + clear)
        for one, clear, cipher, nonce in zip(told, clears, ciphers, nonces(len(told)), strict=True)
    ]


def unpack(packed: bytes) -> Iterator[Entry]:
    """A batch's entries."""
    for at in range(0, len(packed), SIZE):
        yield Entry(int.from_bytes(packed[at : at + 8], "big"), packed[at + 8], packed[at + 9])


def record_of(place: bytes, person: AESGCM, packed: bytes) -> bytes | None:
    """The digest of the record if the entry is about this person, else None."""
    clear, sealed = packed[:_CLEAR], packed[_CLEAR:]
    try:
        return person.decrypt(sealed[:NONCE], sealed[NONCE:], place + clear)
    except InvalidTag:
        return None
