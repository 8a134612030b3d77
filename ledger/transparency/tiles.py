"""The files of a public log: tiles of 256 hashes and bundles of 256 entries (C2SP tlog-tiles).

A hash at level l of the tiles is the tree's node of height 8·l.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ledger.transparency.errors import Malformed
from ledger.transparency.merkle import HASH_BYTES, Frontier, tree_head

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
MAX_ENTRY: Final = 65_535
"""Bytes: what a bundle's 16-bit length can say (Log entries)."""

CHECKPOINT_PATH: Final = "checkpoint"

_LEVELS: Final = 64
_MAX_INDEX: Final = 2**56
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """Hashes that stand side by side at one level (Merkle Tree). It is partial if its width is below 256."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        return f"tile/{self.level}/{_numbered(self.index, self.width)}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """The entries under one tile of level 0 (Log entries)."""

    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        return f"tile/entries/{_numbered(self.index, self.width)}"


TileContent = tuple[Tile, bytes]


def _numbered(index: int, width: int) -> str:
    above, last = divmod(index, 1000)
    path = f"{last:03}"
    while above:
        above, group = divmod(above, 1000)
        path = f"x{group:03}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def parse_path(path: str) -> Tile | Bundle:
    """The tile or bundle of a path. Raises `Malformed` unless the path is exactly one that `.path` gives."""
    found = _PATH.fullmatch(path)
    if found and len(path) < 100:
        index = int(re.sub("[x/]", "", found["index"]))
        width = int(found["width"] or TILE_WIDTH)
        if found["level"] == "entries":
            read: Tile | Bundle = Bundle(index, width)
        else:
            read = Tile(int(found["level"]), index, width)
        fits = index < _MAX_INDEX and (isinstance(read, Bundle) or read.level < _LEVELS)
        if fits and width <= TILE_WIDTH and read.path == path:
            return read
    raise Malformed("tile path", f"{path[:100]!r} names no tile and no entry bundle")


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The tiles, full and partial, that a tree of `new` entries has and one of `old` has not. From 0: all."""
    for level in range(_LEVELS // TILE_HEIGHT):
        before, after = old >> TILE_HEIGHT * level, new >> TILE_HEIGHT * level
        if before == after:
            return
        last, width = divmod(after, TILE_WIDTH)
        for index in range(before // TILE_WIDTH, last):
            yield Tile(level, index)
        if width:
            yield Tile(level, last, width)


def bundles_between(old: int, new: int) -> Iterator[Bundle]:
    """The same of entry bundles."""
    if old != new:
        last, width = divmod(new, TILE_WIDTH)
        for index in range(old // TILE_WIDTH, last):
            yield Bundle(index)
        if width:
            yield Bundle(last, width)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Each entry after its length. Raises `ValueError` where one is longer than `MAX_ENTRY`."""
    try:
        return b"".join(
            [part for entry in entries for part in (len(entry).to_bytes(2, "big"), entry)]
        )
    except OverflowError:
        raise ValueError(f"an entry is longer than {MAX_ENTRY:,} bytes") from None


def decode_bundle(data: bytes, width: int = TILE_WIDTH) -> list[bytes]:
    """The entries of a bundle. Raises `Malformed` unless there are exactly `width`, and nothing besides."""
    entries: list[bytes] = []
    begin, end = 0, len(data)
    while begin < end:
        body = begin + 2
        stop = body + int.from_bytes(data[begin:body], "big")
        if stop > end or body > end:
            why = f"ends inside entry {len(entries)}, which begins at byte {begin} of {end}"
            raise Malformed("entry bundle", why)
        entries.append(data[body:stop])
        begin = stop
    if len(entries) != width:
        raise Malformed("entry bundle", f"holds {len(entries)} entries, not {width}")
    return entries


def tile_hashes(data: bytes, width: int = TILE_WIDTH) -> list[bytes]:
    """The hashes of a tile. Raises `Malformed` unless there are exactly `width`."""
    if len(data) != width * HASH_BYTES:
        why = f"has {len(data)} bytes, not the {width * HASH_BYTES} of {width} hashes"
        raise Malformed("tile", why)
    return _split_hashes(data)


def _split_hashes(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


class TileReader:
    """The nodes of a tree of `size` entries, from its tiles: a `merkle.NodeReader`.

    What it gives is as true as the tiles: only a proof or a head that was verified says that it is. `read_tile` may
    give the full tile in place of a partial one (Partial Tiles). The tile read last at each level is kept.
    """

    def __init__(self, size: int, read_tile: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read_tile = read_tile
        self._kept: dict[int, TileContent] = {}

    def __call__(self, height: int, index: int) -> bytes:
        """The node's hash. Raises `Malformed` for a tile of a wrong length, `ValueError` for an incomplete node."""
        level, above = divmod(height, TILE_HEIGHT)
        tile_index, first = divmod(index << above, TILE_WIDTH)
        width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - tile_index * TILE_WIDTH)
        end = first + (1 << above)
        if end > width:
            raise ValueError(
                f"node {index} at height {height} is not complete at size {self._size}"
            )
        hashes = self.content(Tile(level, tile_index, width))[first * HASH_BYTES : end * HASH_BYTES]
        return tree_head(_split_hashes(hashes)) if above else hashes

    def content(self, tile: Tile) -> bytes:
        """A tile of the tree, cut to its width. Raises `Malformed` if it is of another length."""
        kept, content = self._kept.get(tile.level, (None, b""))
        if kept != tile:
            content = self._read_tile(tile)
            if len(content) not in (tile.width * HASH_BYTES, TILE_WIDTH * HASH_BYTES):
                why = f"has {len(content)} bytes, not those of {tile.width} hashes"
                raise Malformed(tile.path, why)
            content = content[: tile.width * HASH_BYTES]
            self._kept[tile.level] = (tile, content)
        return content


class TiledTree:
    """A tree on its way into tiles. It holds the frontier and the rightmost tile of each level, no more."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._rows: list[list[bytes]] = [[] for _ in range(_LEVELS // TILE_HEIGHT)]
        """By level: the hashes after the last full tile."""

    @classmethod
    def resume(cls, size: int, read_tile: Callable[[Tile], bytes]) -> Self:
        """The tree of that size, from its tiles. Compare its `head()` with the checkpoint that was signed."""
        reader = TileReader(size, read_tile)
        tree = cls()
        tree._frontier = Frontier.read(size, reader)
        for level, row in enumerate(tree._rows):
            index, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
            if width:
                row.extend(_split_hashes(reader.content(Tile(level, index, width))))
        return tree

    def copy(self) -> Self:
        """The tree as it is now, whatever is appended to this one."""
        same = type(self)()
        same._frontier = Frontier(self.size, self._frontier.heads)
        same._rows = [list(row) for row in self._rows]
        return same

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self._frontier.size

    def head(self) -> bytes:
        """The hash that a checkpoint of this size states."""
        return self._frontier.head()

    def extend(self, leaves: Sequence[bytes]) -> list[TileContent]:
        """Append leaf hashes. Gives the tiles that are full now: they never change again."""
        size, full = self.size, list[TileContent]()
        for level, nodes in enumerate(self._frontier.extend(leaves)[::TILE_HEIGHT]):
            row = self._rows[level] + nodes
            index = size >> TILE_HEIGHT * (level + 1)
            done = len(row) // TILE_WIDTH
            for number in range(done):
                hashes = row[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
                full.append((Tile(level, index + number), b"".join(hashes)))
            self._rows[level] = row[done * TILE_WIDTH :]
        return full

    def partials(self) -> list[TileContent]:
        """The partial tiles of this size, which must be public before a checkpoint of it is."""
        return [
            (Tile(level, self.size >> TILE_HEIGHT * (level + 1), len(row)), b"".join(row))
            for level, row in enumerate(self._rows)
            if row
        ]
