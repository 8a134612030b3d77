"""The tree above the bundles, computed again and set beside the published tiles."""

from collections.abc import Iterable, Sequence
from typing import Self

from ledger.transparency.merkle import HASH_BYTES, Frontier
from ledger.transparency.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    TileContent,
    TiledTree,
    TileReader,
)
from services.audit.bundles import whole_or_part
from services.audit.findings import Findings, Kind
from services.audit.source import Source


class UpperTree:
    """The tree over the heads of full bundles, as if each were an entry: its level l is level l + 1 of the log's.

    The bundle at the end, if it is not full, comes in only where the head is asked for.
    """

    def __init__(self) -> None:
        self._tiles = TiledTree()
        self._frontier = Frontier()

    @classmethod
    def resume(cls, bundles: int, tiles: Iterable[TileContent]) -> Self:
        """From the `partials` of that time. Raises `KeyError` or `Malformed` if they are not of so many bundles."""
        read = dict(tiles).__getitem__
        tree = cls()
        tree._tiles = TiledTree.resume(bundles, read)
        tree._frontier = Frontier.read(bundles, TileReader(bundles, read))
        return tree

    @property
    def bundles(self) -> int:
        """How many full bundles there are below it."""
        return self._frontier.size

    def partials(self) -> list[TileContent]:
        """All that it takes to resume, in tiles of this tree."""
        return self._tiles.partials()

    def extend(self, heads: Sequence[bytes]) -> list[TileContent]:
        """Append the heads of full bundles. Gives the log's tiles that are full now."""
        self._frontier.extend(heads)
        return [_of_the_log(one) for one in self._tiles.extend(heads)]

    def last_tiles(self) -> list[TileContent]:
        """The log's partial tiles above level 0."""
        return [_of_the_log(one) for one in self._tiles.partials()]

    def head(self, width: int = 0, heads: Sequence[bytes] = ()) -> bytes:
        """The log's head, with a last bundle of that width (below 256) and the heads of its subtrees."""
        size = self.bundles * TILE_WIDTH + width
        return Frontier(size, (*self._frontier.heads, *heads)).head()


def compare_tiles(source: Source, tiles: Iterable[TileContent], findings: Findings) -> int:
    """Set the published tiles beside these, which follow from the entries. How many there were."""
    compared = 0
    for tile, expected in tiles:
        compared += 1
        content = whole_or_part(source, tile, source.read(tile.path))
        if content != expected:
            _tell(tile, content, expected, findings)
    return compared


def _tell(tile: Tile, content: bytes | None, expected: bytes, findings: Findings) -> None:
    first, last = _covered(tile, 0, tile.width)
    hashes = f"{tile.width} hashes that follow from the entries"
    if content is None:
        findings.add(Kind.MISSING_FILE, first, "no such file", hashes, last=last, file=tile.path)
        return
    if len(content) != len(expected):
        found = f"{len(content)} bytes"
        findings.add(Kind.MALFORMED_FILE, first, found, hashes, last=last, file=tile.path)
        return
    for at in range(0, len(expected), HASH_BYTES):
        ours, theirs = expected[at : at + HASH_BYTES], content[at : at + HASH_BYTES]
        if ours != theirs:
            first, last = _covered(tile, at // HASH_BYTES, 1)
            found = f"the hash {theirs.hex()}"
            findings.add(Kind.TILE, first, found, ours.hex(), last=last, file=tile.path)


def _covered(tile: Tile, at: int, hashes: int) -> tuple[int, int]:
    """The positions under some hashes of a tile."""
    entries = 1 << TILE_HEIGHT * tile.level
    first = (tile.index * TILE_WIDTH + at) * entries
    return first + 1, first + hashes * entries


def _of_the_log(content: TileContent) -> TileContent:
    tile, hashes = content
    return Tile(tile.level + 1, tile.index, tile.width), hashes
