"""The public files of a log, written in the simplest way: all of it at once."""

from collections.abc import Sequence
from pathlib import Path

from ledger.transparency.checkpoint import Checkpoint, sign_checkpoint
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import leaf_hashes
from ledger.transparency.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    TiledTree,
    TileReader,
    bundles_between,
    encode_bundle,
)


def write_tree(folder: Path, entries: Sequence[bytes], signer: SigningKey) -> Checkpoint:
    """The files of a log of these entries, signed. Of an empty log that is a checkpoint and nothing else."""
    tree = TiledTree()
    tiles = tree.extend(leaf_hashes(entries)) + tree.partials()
    for tile, content in tiles:
        write(folder / tile.path, content)
    for bundle in bundles_between(0, len(entries)):
        first = bundle.index * TILE_WIDTH
        write(folder / bundle.path, encode_bundle(entries[first : first + bundle.width]))
    checkpoint = Checkpoint(signer.verifier.name, tree.size, tree.head())
    write(folder / CHECKPOINT_PATH, sign_checkpoint(checkpoint, signer))
    return checkpoint


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def nodes_of(folder: Path, size: int) -> TileReader:
    """The nodes of the tree of that size, from the files."""
    return TileReader(size, lambda tile: (folder / tile.path).read_bytes())
