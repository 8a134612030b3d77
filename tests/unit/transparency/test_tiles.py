"""Tiles and entry bundles: paths, which of them a tree has, and that they hold the tree."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.transparency.errors import Malformed
from ledger.transparency.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hashes,
    tree_head,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.tiles import (
    MAX_ENTRY,
    Bundle,
    Tile,
    TiledTree,
    TileReader,
    bundles_between,
    decode_bundle,
    encode_bundle,
    parse_path,
    tile_hashes,
    tiles_between,
)

LEAVES = leaf_hashes(b"%d" % n for n in range(66_000))

PATHS = {
    "tile/0/x001/x234/067": Tile(0, 1_234_067),
    "tile/0/000": Tile(0, 0),
    "tile/0/001.p/5": Tile(0, 1, 5),
    "tile/5/x123/x456/078": Tile(5, 123_456_078),
    "tile/5/x123/x456/078.p/2": Tile(5, 123_456_078, 2),
    "tile/63/999.p/255": Tile(63, 999, 255),
    "tile/1/x001/000": Tile(1, 1000),
    "tile/entries/000": Bundle(0),
    "tile/entries/000.p/255": Bundle(0, 255),
    "tile/entries/x123/x456/789": Bundle(123_456_789),
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    assert parse_path(path) == PATHS[path]
    assert PATHS[path].path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x1/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/\u0660\u0660\u0660",
        "tile/00/000",
        "tile/-1/000",
        "tile/64/000",
        "tile/100/000",
        "tile/8/0/000",
        "tile/data/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 99 + "999",
    ],
)
def test_what_is_not_a_path(path: str) -> None:
    with pytest.raises(Malformed, match="names no tile"):
        parse_path(path)


@given(st.integers(0, 63), st.integers(0, 2**56 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(level: int, index: int, width: int) -> None:
    for one in (Tile(level, index, width), Bundle(index, width)):
        assert parse_path(one.path) == one


def test_the_tiles_of_the_specification() -> None:
    """Partial Tiles, the examples: of 70,000 entries, and of 256."""
    tiles = list(tiles_between(0, 70_000))
    assert [one for one in tiles if one.level == 0] == [
        *(Tile(0, index) for index in range(273)),
        Tile(0, 273, 112),
    ]
    assert [one for one in tiles if one.level] == [Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_between(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_between(0, 0)) == list(bundles_between(0, 0)) == []
    assert list(bundles_between(255, 513)) == [Bundle(0), Bundle(1), Bundle(2, 1)]


edges = st.sampled_from(
    [0, 1, 2, 255, 256, 257, 511, 512, 4_000, 65_279, 65_280, 65_535, 65_536, 65_537, 66_000]
) | st.integers(0, 66_000)


@settings(deadline=None)
@given(edges, edges)
def test_a_growth_writes_the_tiles_that_were_not_there(one: int, another: int) -> None:
    old, new = sorted((one, another))
    had = set(tiles_between(0, old))
    grown = [tile for tile in tiles_between(0, new) if tile not in had]
    assert list(tiles_between(old, new)) == grown
    had_bundles = set(bundles_between(0, old))
    assert list(bundles_between(old, new)) == [
        bundle for bundle in bundles_between(0, new) if bundle not in had_bundles
    ]


def grown(*sizes: int) -> tuple[TiledTree, dict[Tile, bytes]]:
    """A tree that grew to each of these sizes, and the files that were written."""
    tree, files = TiledTree(), dict[Tile, bytes]()
    for old, new in pairwise((0, *sizes)):
        written = dict(tree.extend(LEAVES[old:new])) | dict(tree.partials())
        assert set(tiles_between(old, new)) <= set(written)
        files |= written
    return tree, files


@pytest.mark.parametrize(
    "sizes", [[0], [1], [255, 256, 257], [100, 66_000], [65_536], [65_537], [300, 300, 65_000]]
)
def test_the_tree_in_tiles_is_the_tree(sizes: list[int]) -> None:
    tree, files = grown(*sizes)
    size = sizes[-1]
    assert tree.size == size
    assert tree.head() == tree_head(LEAVES[:size])
    assert set(tiles_between(0, size)) <= set(files)
    for tile, content in files.items():
        nodes = tile_hashes(content, tile.width)
        span = 256**tile.level
        for place in {0, tile.width - 1}:
            begin = (tile.index * 256 + place) * span
            assert nodes[place] == tree_head(LEAVES[begin : begin + span]), tile
    resumed = TiledTree.resume(size, files.__getitem__)
    assert resumed.head() == tree.head()
    assert resumed.partials() == tree.partials()
    assert resumed.extend(LEAVES[size:]) == tree.extend(LEAVES[size:])


@settings(deadline=None, max_examples=40)
@given(edges, st.data())
def test_a_tile_reader_gives_what_is_computed_directly(size: int, data: st.DataObject) -> None:
    read = TileReader(size, FILES_OF_ALL.__getitem__)
    if size:
        height = data.draw(st.integers(0, size.bit_length() - 1))
        index = data.draw(st.integers(0, (size >> height) - 1))
        assert read(height, index) == tree_head(LEAVES[index << height : (index + 1) << height])
        entry = data.draw(st.integers(0, size - 1))
        head = tree_head(LEAVES[:size])
        verify_inclusion(LEAVES[entry], entry, size, inclusion_proof(entry, size, read), head)
        smaller = data.draw(st.integers(0, size))
        proof = consistency_proof(smaller, size, read)
        verify_consistency(smaller, tree_head(LEAVES[:smaller]), size, head, proof)
    with pytest.raises(ValueError, match="not complete"):
        read(0, size)


class _AllSizes(dict[Tile, bytes]):
    """The full tiles, and any partial one cut from them: what a log of many checkpoints has."""

    def __missing__(self, tile: Tile) -> bytes:
        span = 256**tile.level
        first = tile.index * 256
        heads = (
            tree_head(LEAVES[n * span : (n + 1) * span]) for n in range(first, first + tile.width)
        )
        self[tile] = b"".join(heads)
        return self[tile]


FILES_OF_ALL = _AllSizes()


def test_a_full_tile_may_stand_for_a_partial_one() -> None:
    _, files = grown(256)
    read = TileReader(100, lambda _: files[Tile(0, 0)])
    assert read(0, 99) == LEAVES[99]
    with pytest.raises(ValueError, match="not complete"):
        read(0, 100)


@pytest.mark.parametrize("length", [0, 31, 99 * 32, 101 * 32, 100 * 32 - 1, 257 * 32])
def test_a_tile_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(Malformed, match="bytes"):
        TileReader(100, lambda _: bytes(length))(0, 0)
    with pytest.raises(Malformed, match="bytes"):
        tile_hashes(bytes(length), 100)


def test_a_known_bundle() -> None:
    assert encode_bundle([b"", b"abc"]) == b"\0\0\0\x03abc"
    assert decode_bundle(b"\0\0\0\x03abc", 2) == [b"", b"abc"]
    assert encode_bundle([bytes(MAX_ENTRY)])[:2] == b"\xff\xff"
    with pytest.raises(ValueError, match="longer than"):
        encode_bundle([bytes(MAX_ENTRY + 1)])


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    with pytest.raises(Malformed, match="holds"):
        decode_bundle(data, len(entries) + 1)
    if entries:
        with pytest.raises(Malformed, match=r"ends inside|holds"):
            decode_bundle(data[:-1], len(entries))
    with pytest.raises(Malformed, match="ends inside entry"):
        decode_bundle(data + b"\0", len(entries))
