"""What is done with each bundle of entries by itself, in any process: read, hash, compare, take apart."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ledger.transparency.errors import Malformed
from ledger.transparency.merkle import HASH_BYTES, Frontier, leaf_hashes
from ledger.transparency.tiles import TILE_WIDTH, Bundle, Tile, decode_bundle, tile_hashes
from services.audit.findings import Finding, Kind
from services.audit.form import Row
from services.audit.quick import read_all
from services.audit.source import Source

_Find = Callable[[Kind, str, str, str], None]
"""How a file that cannot be used is told: kind, what was found, what was expected, its path."""

_NO_TIMES = ("", "", True)

NAME_BYTES: Final = 8
"""As much of a hash as it takes to name the first entry that differs; what is true is told by whole hashes."""


class Examined(NamedTuple):
    """What became of one bundle. Only numbers, text, bytes, and lists and tuples of these: see `packing`."""

    number: int
    heads: list[bytes]
    """Of the complete subtrees, largest first: one of a full bundle. Empty if neither entries nor hashes are there."""
    names: bytes
    """`NAME_BYTES` of each leaf hash."""
    differing: list[tuple[int, str, str]]
    """Entries whose hash is not in the tile: place in the bundle, hash of the entry, hash in the tile."""
    ids: list[str]
    sources: list[str]
    times: tuple[str, str, bool]
    """The earliest and the latest time of its events, empty where there are none; and whether they are in order."""
    rows: list[Row | None]
    """One for each entry; None where it is not well formed."""
    findings: list[tuple[str, int, int | None, str, str, str | None]]


def examine_all(source: Source, bundles: Sequence[Bundle]) -> Iterator[Examined]:
    """The bundles, one after the other; where the source is far away, their files are fetched together.

    Whoever drops one before asking for the next has it done in the processor's cache, and a tenth sooner.
    """
    tiles = [Tile(0, bundle.index, bundle.width) for bundle in bundles]
    files = source.read_all([one.path for pair in zip(bundles, tiles, strict=True) for one in pair])
    for bundle in bundles:
        yield _examined(source, bundle, next(files), next(files))


def leaves_of(source: Source, bundle: Bundle) -> list[bytes] | None:
    """The leaf hashes of a bundle's entries; None if they cannot be read."""
    entries = _entries(source, bundle, source.read(bundle.path), lambda *_: None)
    return None if entries is None else leaf_hashes(entries)


def _examined(
    source: Source, bundle: Bundle, data: bytes | None, tile_data: bytes | None
) -> Examined:
    found: list[tuple[str, int, int | None, str, str, str | None]] = []
    first = bundle.index * TILE_WIDTH + 1
    last = first + bundle.width - 1

    def find(kind: Kind, why: str, expected: str, file: str) -> None:
        found.append((kind.value, first, last, why, expected, file))

    entries = _entries(source, bundle, data, find)
    leaves = None if entries is None else leaf_hashes(entries)
    published = leaves
    if leaves is None or tile_data != b"".join(leaves):
        published = _hashes(source, Tile(0, bundle.index, bundle.width), tile_data, find)
    leaves = leaves or published
    if leaves is None:
        return Examined(bundle.index, [], b"", [], [], [], _NO_TIMES, [], found)
    frontier = Frontier()
    frontier.extend(leaves)
    differing = []
    if published is not None and leaves != published:
        pairs = enumerate(zip(leaves, published, strict=True))
        differing = [
            (at, ours.hex(), theirs.hex()) for at, (ours, theirs) in pairs if ours != theirs
        ]
    contents = read_all(entries or [])
    for at, wrong in contents.wrong:
        found.append((Kind.FORM.value, first + at, None, wrong.found, wrong.expected, None))
    ids, rows, times = contents.ids, contents.rows, contents.times
    if entries is None:
        ids, rows = [""] * bundle.width, [None] * bundle.width
    return Examined(
        bundle.index,
        list(frontier.heads),
        b"".join([leaf[:NAME_BYTES] for leaf in leaves]),
        differing,
        ids,
        list(contents.sources),
        (min(times), max(times), times == sorted(times)) if times else _NO_TIMES,
        rows,
        found,
    )


def _entries(source: Source, bundle: Bundle, data: bytes | None, find: _Find) -> list[bytes] | None:
    width = bundle.width
    if data is None and width < TILE_WIDTH:  # a log that has grown may have removed partial files
        data, width = source.read(Bundle(bundle.index).path), TILE_WIDTH
    if data is None:
        find(Kind.MISSING_FILE, "no such file", f"{bundle.width} entries", bundle.path)
        return None
    try:
        return decode_bundle(data, width)[: bundle.width]
    except Malformed as error:
        find(Kind.MALFORMED_FILE, error.why, f"{bundle.width} entries", bundle.path)
        return None


def _hashes(source: Source, tile: Tile, data: bytes | None, find: _Find) -> list[bytes] | None:
    data = whole_or_part(source, tile, data)
    if data is None:
        find(Kind.MISSING_FILE, "no such file", f"{tile.width} hashes", tile.path)
        return None
    try:
        return tile_hashes(data, tile.width)
    except Malformed as error:
        find(Kind.MALFORMED_FILE, error.why, f"{tile.width} hashes", tile.path)
        return None


def whole_or_part(source: Source, tile: Tile, data: bytes | None) -> bytes | None:
    """The tile's bytes; from the full tile, if there is no partial one any more (tlog-tiles, Partial Tiles)."""
    if data is None and tile.width < TILE_WIDTH:
        data = source.read(Tile(tile.level, tile.index).path)
        if data is not None and len(data) == TILE_WIDTH * HASH_BYTES:
            return data[: tile.width * HASH_BYTES]
    return data


def as_finding(found: tuple[str, int, int | None, str, str, str | None]) -> Finding:
    kind, position, last, what, expected, file = found
    return Finding(Kind(kind), position, last, what, expected, file)
