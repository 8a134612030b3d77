"""The Merkle tree of a log: hashes, tree heads, proofs (RFC 6962, section 2.1).

An *index* counts entries from 0: it is the position less one. A *node* of height h and index i is the head of the
complete subtree over the entries from i·2^h up to (i+1)·2^h.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, Self

from ledger.transparency.errors import Malformed, Unverified

HASH_BYTES: Final = 32
EMPTY_HEAD: Final = sha256(b"").digest()
"""The head of a tree without entries."""

NodeReader = Callable[[int, int], bytes]
"""(height, index) → the hash of that node. Asked for complete nodes of the tree only."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash that stands for an entry."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The same for many."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node from those of its two halves."""
    return sha256(b"\x01" + left + right).digest()


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """The head of the tree over these leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.head()


class Frontier:
    """The heads of the complete subtrees that a tree falls into: all it takes to go on appending to it.

    (Elsewhere called a compact range. There are as many as the size has ones in binary: at most 63.)
    """

    __slots__ = ("_waiting", "size")

    def __init__(self, size: int = 0, heads: Sequence[bytes] = ()) -> None:
        """Of a tree of that size, the heads largest first. Raises `Malformed` if they cannot be of it."""
        heights = _heights(size)
        if size < 0 or [len(head) for head in heads] != [HASH_BYTES] * len(heights):
            raise Malformed(
                "frontier", f"of {size} entries it cannot have these {len(heads)} hashes"
            )
        self.size = size
        self._waiting = dict(zip(heights, heads, strict=True))
        """By height: the left half that waits for its right half. Where the size has a 0, it is of the past."""

    @classmethod
    def read(cls, size: int, read: NodeReader) -> Self:
        """The frontier of a tree that is stored elsewhere."""
        return cls(size, [read(height, (size >> height) - 1) for height in _heights(size)])

    @property
    def heads(self) -> tuple[bytes, ...]:
        """The heads of the complete subtrees, largest first."""
        return tuple(self._waiting[height] for height in _heights(self.size))

    def extend(self, leaves: Sequence[bytes]) -> list[list[bytes]]:
        """Append leaf hashes. Gives the nodes that this completes, by height: the leaves, their parents and so on."""
        completed: list[list[bytes]] = []
        nodes = list(leaves)
        while nodes:
            height = len(completed)
            completed.append(nodes)
            if self.size >> height & 1:
                nodes = [self._waiting[height], *nodes]
            if len(nodes) & 1:
                self._waiting[height] = nodes[-1]
            halves = iter(nodes)
            nodes = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(halves, halves, strict=False)
            ]
        self.size += len(leaves)
        return completed

    def head(self) -> bytes:
        """The head of the whole tree."""
        heads = self.heads
        return _folded(heads[-1], heads[-2::-1]) if heads else EMPTY_HEAD


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """PATH(index, D[size]), from the leaf's sibling upwards. Raises `ValueError` if there is no such entry."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    begin, end, path = 0, size, list[bytes]()
    while end - begin > 1:
        split = _split(begin, end)
        if index < split:
            path.append(_range_head(split, end, read))
            end = split
        else:
            path.append(_range_head(begin, split, read))
            begin = split
    return path[::-1]


def consistency_proof(first: int, second: int, read: NodeReader) -> list[bytes]:
    """PROOF(first, D[second]): the tree of `second` entries begins with that of `first`.

    Empty where either says nothing: from an empty tree, and from a tree to itself (tlog-witness, add-checkpoint).
    Raises `ValueError` if the first is the larger.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} entries cannot begin with one of {first}")
    if first in (0, second):
        return []
    begin, end, path = 0, second, list[bytes]()
    while end != first:
        split = _split(begin, end)
        if first <= split:
            path.append(_range_head(split, end, read))
            end = split
        else:
            path.append(_range_head(begin, split, read))
            begin = split
    if begin:  # else the head of this range is the first tree's own, which the verifier knows
        path.append(_range_head(begin, end, read))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes
) -> None:
    """Raises `Unverified` unless the proof leads from the leaf hash at `index` to the head (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise Unverified(f"there is no entry {index} in a tree of {size}")
    # From this height on the path follows the tree's right edge, where all siblings are on the left.
    inner = (index ^ (size - 1)).bit_length()
    _check_lengths(proof, inner + (index >> inner).bit_count())
    node = leaf
    for height, sibling in enumerate(proof[:inner]):
        node = node_hash(sibling, node) if index >> height & 1 else node_hash(node, sibling)
    if _folded(node, proof[inner:]) != head:
        raise Unverified(f"the inclusion proof of entry {index} does not lead to the tree's head")


def verify_consistency(
    first: int, first_head: bytes, second: int, second_head: bytes, proof: Sequence[bytes]
) -> None:
    """Raises `Unverified` unless the second tree begins with the first (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second:
        raise Unverified(f"a tree of {second} entries cannot begin with one of {first}")
    if first in (0, second):
        _check_lengths(proof, 0)
        if first_head != (second_head if first else EMPTY_HEAD):
            raise Unverified(f"two different heads of one tree of {first} entries")
        return
    # The proof begins at the height of the first tree's last complete subtree.
    lowest = (first & -first).bit_length() - 1
    inner = ((first - 1) ^ (second - 1)).bit_length() - lowest
    border = ((first - 1) >> lowest >> inner).bit_count()
    is_one_subtree = first == 1 << lowest
    _check_lengths(proof, inner + border + (not is_one_subtree))
    begin, path = (first_head, proof) if is_one_subtree else (proof[0], proof[1:])
    small = large = begin
    for height, sibling in enumerate(path[:inner], lowest):
        if (first - 1) >> height & 1:
            small, large = node_hash(sibling, small), node_hash(sibling, large)
        else:
            large = node_hash(large, sibling)
    if _folded(small, path[inner:]) != first_head:
        raise Unverified(f"the consistency proof does not lead to the head of {first} entries")
    if _folded(large, path[inner:]) != second_head:
        raise Unverified(f"the consistency proof does not lead to the head of {second} entries")


def _heights(size: int) -> list[int]:
    """Of the complete subtrees that a tree of that size falls into, largest first."""
    return [height for height in reversed(range(size.bit_length())) if size >> height & 1]


def _check_lengths(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise Unverified(f"the proof must have {expected} hashes, not {len(proof)}")
    if any(len(one) != HASH_BYTES for one in proof):
        raise Unverified("a hash of the proof has not 32 bytes")


def _folded(node: bytes, lefts: Iterable[bytes]) -> bytes:
    for left in lefts:
        node = node_hash(left, node)
    return node


def _split(begin: int, end: int) -> int:
    """Where a tree over a range has its two halves: the left one is the largest complete subtree short of all."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _range_head(begin: int, end: int, read: NodeReader) -> bytes:
    """MTH(D[begin:end]) of a range that a split gave."""
    width = end - begin
    if width & (width - 1) == 0:
        height = width.bit_length() - 1
        return read(height, begin >> height)
    split = _split(begin, end)
    return node_hash(_range_head(begin, split, read), _range_head(split, end, read))
