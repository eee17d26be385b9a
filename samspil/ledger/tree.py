"""The Merkle tree of RFC 6962, section 2.1, with SHA-256: roots and proofs.

Nothing here knows what a leaf says. A tree that only grows needs no more than its *frontier*, the roots of the perfect
subtrees that it consists of: appending a leaf costs two hashes on average, and the state is a handful of digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

SIZE = 32  # bytes of a hash
EMPTY = sha256(b"").digest()

Range = tuple[int, int]  # leaves from, and up to but without


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + data).digest()


def hashes(start: bytes, data: Iterable[bytes]) -> list[bytes]:
    """Hashes of many that begin alike. To copy the state of one hash takes half as long as to begin another."""
    begun, made = sha256(start), []
    for one in data:
        state = begun.copy()
        state.update(one)
        made.append(state.digest())
    return made


class Frontier:
    """A tree of ``size`` leaves, by the roots of its perfect subtrees, the largest first."""

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        self.size = size
        self._roots = [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)]
        if len(packed) != SIZE * size.bit_count():
            raise ValueError("the frontier does not fit the size")

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves, given by their hashes: a level of the tree at a time, from the leaves up."""
        level, size = list(leaves), self.size
        self.size += len(level)
        higher, kept = self._roots, []  # a kept root is one without a sister, the largest first
        while level or size:
            if size & 1:
                level.insert(0, higher.pop())
            if len(level) & 1:
                kept.append(level.pop())
            level = hashes(b"\1", map(bytes.__add__, level[::2], level[1::2]))
            size >>= 1
        self._roots = kept[::-1]

    def pack(self) -> bytes:
        """The frontier as it is stored."""
        return b"".join(self._roots)

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        if not self._roots:
            return EMPTY
        *others, root = self._roots
        for left in reversed(others):
            root = _node(left, root)
        return root


def inclusion_ranges(index: int, size: int) -> Sequence[Range]:
    """The audit path of a leaf (2.1.1): the subtrees whose roots it consists of, from the leaf up."""
    if not 0 <= index < size:
        raise ValueError("there is no such leaf")
    return list(_inclusion(index, 0, size))


def consistency_ranges(first: int, second: int) -> Sequence[Range]:
    """The proof (2.1.2) that the tree of ``first`` leaves is the beginning of that of ``second``, in the same way."""
    if not 0 < first <= second:
        raise ValueError("there is no such tree")
    return list(_consistency(first, 0, second, whole=True))


def roots_of(ranges: Sequence[Range], leaves: Iterable[bytes]) -> list[bytes]:
    """The roots of subtrees that do not overlap, in the order of ``ranges``; reads the leaves once."""
    trees = {each: Frontier() for each in ranges}
    waiting = sorted(ranges, reverse=True)
    for number, leaf in enumerate(leaves):
        if not waiting:
            break
        start, end = waiting[-1]
        if number >= start:
            trees[waiting[-1]].extend((leaf,))
        if number + 1 == end:
            waiting.pop()
    if waiting:
        raise ValueError("there are fewer leaves")
    return [trees[each].root() for each in ranges]


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of this root has the leaf (its hash) at this place (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if here & 1 or here == last:
            found = _node(sibling, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = _node(found, sibling)
        here, last = here >> 1, last >> 1
    return not last and found == root


def consistent(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the second tree begins with the first (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if here & 1 or here == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = _node(new, sibling)
        here, last = here >> 1, last >> 1
    return not last and old == first_root and new == second_root


def _inclusion(index: int, start: int, end: int) -> Iterator[Range]:
    if end - start == 1:
        return
    middle = start + _split(end - start)
    if index < middle:
        yield from _inclusion(index, start, middle)
        yield (middle, end)
    else:
        yield from _inclusion(index, middle, end)
        yield (start, middle)


def _consistency(first: int, start: int, end: int, *, whole: bool) -> Iterator[Range]:
    if first == end:
        if not whole:
            yield (start, end)
        return
    middle = start + _split(end - start)
    if first <= middle:
        yield from _consistency(first, start, middle, whole=whole)
        yield (middle, end)
    else:
        yield from _consistency(first, middle, end, whole=False)
        yield (start, middle)


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
