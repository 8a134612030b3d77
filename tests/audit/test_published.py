"""Other people's libraries find what the tree worker publishes true, at every size and from each to the next."""

import shutil
from pathlib import Path

from ledger.eventlog.memory import MemoryLog
from ledger.transparency.merkle import consistency_proof
from ledger.transparency.strict import base64_of
from tests.audit.go import verdict
from tests.audit.trees import nodes_of, write
from tests.publishing import KEY, append, worker_on

VKEY = ("-vkey", KEY.verifier.vkey)


def test_every_checkpoint_and_the_way_from_each_to_the_next(verifier: Path, tmp_path: Path) -> None:
    log, public = MemoryLog(), tmp_path / "public"
    worker = worker_on(log, public)
    before = None
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 70_000):
        append(log, size - log.head())
        worker.catch_up()
        said = verdict(verifier, "tree", *VKEY, public)
        assert (said["ok"], said["size"]) == (True, size), said
        checkpoint = shutil.copy(public / "checkpoint", tmp_path / f"checkpoint-{size}")
        if before is not None:
            hashes = consistency_proof(before, size, nodes_of(public, size))
            lines = "".join(f"{base64_of(one)}\n" for one in hashes).encode()
            files = (tmp_path / f"checkpoint-{before}", checkpoint, write(tmp_path / "p", lines))
            assert verdict(verifier, "consistency", *VKEY, *files)["ok"]
        before = size
    (public / "tile/entries/100").unlink()
    assert not verdict(verifier, "tree", *VKEY, public)["ok"]
