"""Tree heads and proofs: the shared vectors, a real log, and the definition of RFC 6962 written out."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.merkle import (
    EMPTY_HEAD,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    tree_head,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.transparency.vectors import HEADS, LEAVES, Argon

MANY = leaf_hashes(b"entry %d" % n for n in range(300))


def defined_head(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + defined_head(leaves[:k]) + defined_head(leaves[k:])).digest()


def read(height: int, index: int) -> bytes:
    nodes = MANY[index << height : (index + 1) << height]
    assert len(nodes) == 1 << height, "only complete nodes may be asked for"
    return defined_head(nodes)


HEAD = [defined_head(MANY[:size]) for size in range(len(MANY) + 1)]


def test_heads_of_the_shared_vectors() -> None:
    hashes = leaf_hashes(LEAVES)
    assert hashes == [leaf_hash(one) for one in LEAVES]
    assert [tree_head(hashes[:size]) for size in range(len(LEAVES) + 1)] == HEADS
    assert HEADS[0] == EMPTY_HEAD


def test_proofs_of_a_real_log() -> None:
    verify_inclusion(Argon.leaf_hash, Argon.index, Argon.size, Argon.inclusion, Argon.head)
    verify_consistency(
        Argon.first_size, Argon.first_head, Argon.size, Argon.head, Argon.consistency
    )


def test_known_proofs() -> None:
    """PATH and PROOF of the example tree of RFC 6962, section 2.1.3, which has 7 leaves."""
    hashes = leaf_hashes(LEAVES[:7])
    a, b, c, d, e, f, j = hashes

    def node(height: int, index: int) -> bytes:
        return defined_head(hashes[index << height : (index + 1) << height])

    g, h, i, k, ell = node(1, 0), node(1, 1), node(1, 2), node(2, 0), defined_head([e, f, j])
    assert inclusion_proof(0, 7, node) == [b, h, ell]
    assert inclusion_proof(3, 7, node) == [c, g, ell]
    assert inclusion_proof(4, 7, node) == [f, j, k]
    assert inclusion_proof(6, 7, node) == [i, k]
    assert consistency_proof(3, 7, node) == [c, d, g, ell]
    assert consistency_proof(4, 7, node) == [ell]
    assert consistency_proof(6, 7, node) == [i, j, k]
    assert a == leaf_hash(b"")


def test_the_frontier_is_that_of_any_way_of_appending() -> None:
    for batch in (1, 2, 7, 256, 300):
        frontier = Frontier()
        for begin in range(0, 300, batch):
            frontier.extend(MANY[begin : begin + batch])
            assert frontier.head() == HEAD[frontier.size]
        assert frontier.heads == Frontier.read(300, read).heads


def test_appending_gives_the_completed_nodes() -> None:
    frontier = Frontier.read(5, read)
    assert frontier.extend(MANY[5:8]) == [
        MANY[5:8],
        [read(1, 2), read(1, 3)],
        [read(2, 1)],
        [read(3, 0)],
    ]
    assert frontier.extend([]) == []
    assert frontier.size == 8


@pytest.mark.parametrize(
    ("size", "heads"), [(1, []), (0, MANY[:1]), (3, MANY[:1]), (1, [b"short"]), (-1, MANY[:1])]
)
def test_a_frontier_that_cannot_be_is_refused(size: int, heads: list[bytes]) -> None:
    with pytest.raises(Malformed, match="cannot have"):
        Frontier(size, heads)


def test_every_entry_is_proven_in_every_tree() -> None:
    for size in range(1, 70):
        for index in range(size):
            proof = inclusion_proof(index, size, read)
            verify_inclusion(MANY[index], index, size, proof, HEAD[size])


def test_every_tree_is_proven_to_begin_with_every_smaller_one() -> None:
    for second in range(70):
        for first in range(second + 1):
            proof = consistency_proof(first, second, read)
            verify_consistency(first, HEAD[first], second, HEAD[second], proof)


sizes = st.integers(1, len(MANY))


@settings(deadline=None)
@given(st.data(), sizes)
def test_a_changed_inclusion_proof_fails(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, read)
    right = (MANY[index], index, size, proof, HEAD[size])
    wrong = [
        (leaf_hash(b"another"), *right[1:]),
        (*right[:4], leaf_hash(b"another")),
        (*right[:3], [*proof, MANY[0]], HEAD[size]),
        (*right[:3], [*proof, b""], HEAD[size]),
        (MANY[index], -1, *right[2:]),
        (MANY[index], size, *right[2:]),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], leaf_hash(proof[at]), *proof[at + 1 :]]
        wrong += [
            (*right[:3], changed, HEAD[size]),
            (*right[:3], proof[:-1], HEAD[size]),
            (*right[:3], [*proof[:at], proof[at][:-1], *proof[at + 1 :]], HEAD[size]),
            (MANY[index], index ^ 1, *right[2:]),
        ]
    for arguments in wrong:
        with pytest.raises(Unverified):
            verify_inclusion(*arguments)


@settings(deadline=None)
@given(st.data(), sizes)
def test_a_changed_consistency_proof_fails(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(0, second))
    proof = consistency_proof(first, second, read)
    other = leaf_hash(b"another")
    wrong = [
        (first, other, second, HEAD[second], proof),
        (first, HEAD[first], second, HEAD[second], [*proof, MANY[0]]),
        (second + 1, HEAD[first], second, HEAD[second], proof),
    ]
    if first:
        wrong.append((first, HEAD[first], second, other, proof))
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], leaf_hash(proof[at]), *proof[at + 1 :]]
        wrong += [
            (first, HEAD[first], second, HEAD[second], changed),
            (first, HEAD[first], second, HEAD[second], proof[:-1]),
            (first, HEAD[first], second, HEAD[second], []),
        ]
    for arguments in wrong:
        with pytest.raises(Unverified):
            verify_consistency(*arguments)


def test_there_is_no_proof_of_what_is_not() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="there is no entry"):
            inclusion_proof(index, size, read)
    with pytest.raises(ValueError, match="cannot begin with"):
        consistency_proof(6, 5, read)
