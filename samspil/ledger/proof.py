"""Proofs from a ledger: that an entry is in it, and that a later state of it begins with an earlier one.

The leaves are read and hashed once, and no more than a few digests are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from samspil.ledger.batch import Batch
from samspil.ledger.tree import consistency_ranges, inclusion_ranges, roots_of


def inclusion(found: Iterable[Batch], index: int, size: int) -> Sequence[bytes]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves. Raises ValueError if there are fewer."""
    return roots_of(inclusion_ranges(index, size), (leaf for batch in found for leaf in batch.leaves()))


def consistency(found: Iterable[Batch], first: int, second: int) -> Sequence[bytes]:
    """The proof between two sizes. Raises ValueError if there are fewer leaves."""
    return roots_of(consistency_ranges(first, second), (leaf for batch in found for leaf in batch.leaves()))
