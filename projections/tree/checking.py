"""Whether the log extends what was signed: recomputed from its own entries, from the first one on."""

from collections.abc import Iterable, Iterator, Sequence

from ledger.eventlog.port import EVERYTHING, EventLog
from ledger.transparency.errors import Malformed
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.tiles import TILE_WIDTH, Tile, TiledTree, tile_hashes
from projections.tree.folder import PublicFolder
from projections.tree.growing import GrowingTree
from projections.tree.last_signed import TreeHead

PAGE = 2_560
"""Entries read at a time: ten full bundles."""


class Parted(Exception):
    """The log is not the one that was signed, so nothing may be signed any more. The message says where they part.

    A restart changes nothing: put the right log, or the right settings, in place first.
    """


def entries_between(log: EventLog, after: int, to: int) -> Iterator[list[bytes]]:
    """The entries at the positions above `after`, up to `to` or the log's end. Raises `Parted` for a gap."""
    while after < to:
        records = log.select(EVERYTHING, after=after, limit=min(PAGE, to - after))
        if not records:
            return
        last = records[-1].position
        if last != after + len(records):
            raise Parted(f"after position {after:,} the log gives no position {after + 1:,}")
        yield [record.entry for record in records]
        after = last


def recomputed(log: EventLog, heads: Iterable[TreeHead], folder: PublicFolder) -> GrowingTree:
    """The tree over the log's own entries, as large as the largest of the heads. Raises `Parted`."""
    tree = GrowingTree()
    for signed in sorted(set(heads)):
        for entries in entries_between(log, tree.size, signed.size):
            tree.extend(entries)
        if tree.size < signed.size:
            raise Parted(
                f"the log ends at position {tree.size:,}, but a tree of {signed.size:,} entries was signed: "
                f"they part at position {tree.size + 1:,}"
            )
        if tree.head() != signed.head:
            raise Parted(_where(log, signed, folder))
    return tree


def has_edge(folder: PublicFolder, tree: GrowingTree) -> bool:
    """Whether the folder's tiles and its last bundle are those of the tree, as far as its right edge shows."""
    try:
        resumed = TiledTree.resume(tree.size, folder.tile)
    except (FileNotFoundError, Malformed):
        return False
    there = ((name, folder.read(name)) for name, _ in tree.partials())
    return resumed.head() == tree.head() and dict(there) == dict(tree.partials())


def _where(log: EventLog, signed: TreeHead, folder: PublicFolder) -> str:
    """In which way the log contradicts what was signed, by the tiles that were made then."""
    told = f"the log's first {signed.size:,} entries are not those that were signed"
    try:
        known = TiledTree.resume(signed.size, folder.tile).head() == signed.head
        position = _first_difference(log, signed.size, folder) if known else None
    except (FileNotFoundError, Malformed):
        position = None
    if position is None:
        return f"{told}; at which position they part cannot be told without the tiles of that tree"
    return f"{told}: they part at position {position:,}"


def _first_difference(log: EventLog, size: int, folder: PublicFolder) -> int | None:
    hashes: Sequence[bytes] = ()
    position = 0
    for entries in entries_between(log, 0, size):
        for entry in entries:
            index, place = divmod(position, TILE_WIDTH)
            if place == 0:
                width = min(TILE_WIDTH, size - position)
                content = folder.tile(Tile(0, index, width))
                hashes = tile_hashes(content, len(content) // 32)
            position += 1
            if leaf_hash(entry) != hashes[place]:
                return position
    return None
