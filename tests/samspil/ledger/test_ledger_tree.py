"""The tree against the reference vectors of Certificate Transparency, and against RFC 6962's own definition."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.ledger.tree import (
    EMPTY,
    Frontier,
    consistency_ranges,
    consistent,
    includes,
    inclusion_ranges,
    leaf_hash,
    roots_of,
)

# The eight leaves of the test suites of certificate-transparency and transparency-dev/merkle, with the published roots.
LEAVES = [
    leaf_hash(bytes.fromhex(data))
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)

SIZES = st.integers(1, 130)


def some_leaves(size):
    return [leaf_hash(n.to_bytes(2, "big")) for n in range(size)]


def defined(leaves):
    """MTH as section 2.1 writes it down."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + defined(leaves[:k]) + defined(leaves[k:])).digest()


def root(leaves):
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size):
    assert ROOTS[size] == root(LEAVES[:size]).hex()


@pytest.mark.parametrize(("index", "proof"), [(0, [A, B, C]), (5, [D, E, ROOTS[4]])])
def test_the_published_inclusion_proofs(index, proof):
    assert proof == [each.hex() for each in roots_of(inclusion_ranges(index, 8), LEAVES)]
    assert includes(bytes.fromhex(ROOTS[8]), 8, index, LEAVES[index], [bytes.fromhex(each) for each in proof])


@pytest.mark.parametrize(
    ("first", "second", "proof"), [(1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[4]]), (2, 5, [B, D]), (8, 8, [])]
)
def test_the_published_consistency_proofs(first, second, proof):
    assert proof == [each.hex() for each in roots_of(consistency_ranges(first, second), LEAVES)]
    old, new = (bytes.fromhex(ROOTS[size]) for size in (first, second))
    assert consistent(first, old, second, new, [bytes.fromhex(each) for each in proof])


@given(st.lists(st.integers(0, 40), max_size=6))
def test_the_root_is_that_of_the_definition_however_the_leaves_came(pieces):
    leaves, packed, size = some_leaves(sum(pieces)), b"", 0
    for many in pieces:
        tree = Frontier(size, packed)
        tree.extend(leaves[size : size + many])
        size, packed = tree.size, tree.pack()
    assert defined(leaves) == Frontier(size, packed).root()
    assert len(packed) == 32 * size.bit_count()


@given(SIZES, st.data())
def test_every_leaf_is_proved_and_no_other(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = some_leaves(size)
    proof = roots_of(inclusion_ranges(index, size), leaves)
    assert includes(root(leaves), size, index, leaves[index], proof)
    assert len(proof) <= (size - 1).bit_length()
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not includes(root(leaves), size, index, leaves[other], proof)
        assert not includes(root(leaves), size, other, leaves[index], proof)
    assert not includes(root(leaves), size, index, leaves[index], [*proof, bytes(32)])
    for n in range(len(proof)):
        assert not includes(root(leaves), size, index, leaves[index], proof[:n] + proof[n + 1 :])
        assert not includes(root(leaves), size, index, leaves[index], [*proof[:n], bytes(32), *proof[n + 1 :]])


@given(SIZES, st.data())
def test_a_tree_that_grew_is_proved_and_one_that_was_changed_is_not(second, data):
    first = data.draw(st.integers(1, second))
    leaves = some_leaves(second)
    proof = roots_of(consistency_ranges(first, second), leaves)
    assert consistent(first, root(leaves[:first]), second, root(leaves), proof)
    at = data.draw(st.integers(0, first - 1))
    changed = [*leaves[:at], leaf_hash(b"another"), *leaves[at + 1 :]]
    forged = roots_of(consistency_ranges(first, second), changed)
    assert not consistent(first, root(leaves[:first]), second, root(changed), forged)
    assert not consistent(first, root(leaves[:first]), second, root(leaves), [*proof, bytes(32)])


@pytest.mark.parametrize(
    "call", [lambda: inclusion_ranges(3, 3), lambda: consistency_ranges(0, 3), lambda: Frontier(3)]
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError, match=r"there is no such|does not fit"):
        call()


def test_fewer_leaves_than_the_proof_needs_are_told():
    with pytest.raises(ValueError, match="fewer leaves"):
        roots_of(inclusion_ranges(2, 9), LEAVES[:8])


def test_a_proof_for_nothing_proves_nothing():
    assert not includes(EMPTY, 0, 0, EMPTY, [])
    assert not consistent(0, EMPTY, 3, root(LEAVES[:3]), [])
