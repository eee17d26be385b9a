"""The ledger: who read and sent what about whom, why, in a tree that shows any later change.

Entries are written in batches; a batch's context has the time, the flow, its agreement, purpose, legal basis and
fields. Contexts and entries are the leaves of a Merkle tree (RFC 6962) whose head is signed after each batch.
"""

from __future__ import annotations

from samspil.ledger.batch import Batch, batches
from samspil.ledger.entry import (
    READ_BLOCKED,
    READ_FILTERED,
    READ_HELD,
    READ_PLANNED,
    READ_SHOWN,
    READ_UNCHANGED,
    Entry,
)
from samspil.ledger.head import Head
from samspil.ledger.ledger import Ledger
from samspil.ledger.verification import verify

__all__ = [
    "READ_BLOCKED",
    "READ_FILTERED",
    "READ_HELD",
    "READ_PLANNED",
    "READ_SHOWN",
    "READ_UNCHANGED",
    "Batch",
    "Entry",
    "Head",
    "Ledger",
    "batches",
    "verify",
]
