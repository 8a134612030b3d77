"""Public files for tests: a worker on a log of numbered entries, and what its folder must hold."""

from collections.abc import Sequence
from pathlib import Path

from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, EventLog, NewEvent
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint
from ledger.transparency.keys import SigningKey, VerifierKey
from ledger.transparency.merkle import (
    consistency_proof,
    leaf_hashes,
    tree_head,
    verify_consistency,
)
from ledger.transparency.tiles import (
    TILE_WIDTH,
    Bundle,
    TileReader,
    bundles_between,
    decode_bundle,
    tile_hashes,
    tiles_between,
)
from projections.tree.cosigning import Witnesses
from projections.tree.folder import PublicFolder
from projections.tree.last_signed import LastSigned, SQLiteLastSigned
from projections.tree.publishing import Publisher
from projections.tree.worker import BATCH, TreeWorker

ORIGIN = "ledger.example/town"
KEY = SigningKey(ORIGIN, bytes(range(32)))


class KnownKeys:
    """The keys that a test gives."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = keys or (KEY,)

    def signing(self, *, first: bool) -> Sequence[SigningKey]:
        return self.keys


def worker_on(
    log: EventLog,
    folder: Path,
    last_signed: LastSigned | None = None,
    *,
    keys: KnownKeys | None = None,
    witnesses: Witnesses | None = None,
    batch: int = BATCH,
) -> TreeWorker:
    public = PublicFolder(folder)
    store = SQLiteLastSigned(None) if last_signed is None else last_signed
    publisher = Publisher(public, ORIGIN, keys or KnownKeys(), witnesses)
    return TreeWorker(log, public, store, ORIGIN, publisher, batch)


def entry(number: int, what: str = "") -> bytes:
    return b'{"id":"%d","source":"%s"}' % (number, what.encode())


def append(log: EventLog, count: int, what: str = "") -> None:
    """Append so many entries, which say at which position they stand."""
    start = log.head() + 1
    events = tuple(NewEvent("thing", entry(n, what), ()) for n in range(start, start + count))
    if events:
        log.append_batch([Append(events)])


def log_of(count: int, what: str = "") -> MemoryLog:
    """A log of so many entries."""
    log = MemoryLog()
    append(log, count, what)
    return log


def published(folder: Path, key: VerifierKey = KEY.verifier) -> Checkpoint:
    """What the folder's checkpoint says; its signature is true."""
    return open_checkpoint((folder / "checkpoint").read_bytes(), [key]).checkpoint


def check_files(folder: Path, log: EventLog, key: VerifierKey = KEY.verifier) -> Checkpoint:
    """The checkpoint, once every entry, bundle and tile of its tree is the one that the log says."""
    checkpoint = published(folder, key)
    size = checkpoint.size
    entries = [record.entry for record in log.select(EVERYTHING, limit=size)]
    hashes = leaf_hashes(entries)
    assert (len(entries), tree_head(hashes)) == (size, checkpoint.head)
    public = PublicFolder(folder)
    for bundle in bundles_between(0, size):
        first = bundle.index * TILE_WIDTH
        data = public.read(bundle.path)
        if data is None:  # the full one may have come already (Partial Tiles)
            data = public.read(Bundle(bundle.index).path)
            assert data is not None, bundle.path
            assert decode_bundle(data)[: bundle.width] == entries[first : first + bundle.width]
        else:
            assert decode_bundle(data, bundle.width) == entries[first : first + bundle.width]
    for tile in tiles_between(0, size):
        data = public.tile(tile)
        read = tile_hashes(data, len(data) // 32)[: tile.width]
        span = TILE_WIDTH**tile.level
        first = tile.index * TILE_WIDTH * span
        for n, one in enumerate(read):
            assert one == tree_head(hashes[first + n * span : first + (n + 1) * span]), tile.path
    return checkpoint


def check_consistent(checkpoints: Sequence[Checkpoint], folder: Path) -> None:
    """Each of these checkpoints is of a beginning of the last one's log, whose files are in the folder."""
    ordered = sorted(checkpoints, key=lambda one: one.size)
    last = ordered[-1]
    nodes = TileReader(last.size, PublicFolder(folder).tile)
    for one in ordered:
        proof = consistency_proof(one.size, last.size, nodes)
        verify_consistency(one.size, one.head, last.size, last.head, proof)
