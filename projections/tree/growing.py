"""A tree with its entries: entries in, public files out."""

from collections.abc import Iterable, Sequence
from typing import Self

from ledger.transparency.merkle import leaf_hashes
from ledger.transparency.tiles import TILE_WIDTH, Bundle, TileContent, TiledTree, encode_bundle
from projections.tree.folder import Content


class GrowingTree:
    """It holds the right edge of the tree, and the entries of the last bundle: never more than 255."""

    def __init__(self, tree: TiledTree | None = None, entries: Iterable[bytes] = ()) -> None:
        """`entries`: those of the tree that stand in no full bundle."""
        self._tree = tree or TiledTree()
        self._entries = list(entries)
        assert len(self._entries) == self._tree.size % TILE_WIDTH

    @property
    def size(self) -> int:
        return self._tree.size

    def head(self) -> bytes:
        return self._tree.head()

    def copy(self) -> Self:
        """The tree as it is now, whatever is appended to this one."""
        return type(self)(self._tree.copy(), self._entries)

    def extend(self, entries: Sequence[bytes]) -> list[Content]:
        """Append entries. Gives the bundles and tiles that are full now."""
        index = self.size // TILE_WIDTH
        entries_open = self._entries + list(entries)
        full = len(entries_open) // TILE_WIDTH
        bundles = [
            (
                Bundle(index + n).path,
                encode_bundle(entries_open[n * TILE_WIDTH : (n + 1) * TILE_WIDTH]),
            )
            for n in range(full)
        ]
        tiles = self._tree.extend(leaf_hashes(entries))
        self._entries = entries_open[full * TILE_WIDTH :]
        return bundles + _named(tiles)

    def partials(self) -> list[Content]:
        """The bundle and the tiles that are not full, which a checkpoint of this size needs besides."""
        bundle = Bundle(self.size // TILE_WIDTH, len(self._entries))
        bundles = [(bundle.path, encode_bundle(self._entries))] if self._entries else []
        return bundles + _named(self._tree.partials())


def _named(tiles: Iterable[TileContent]) -> list[Content]:
    return [(tile.path, content) for tile, content in tiles]
