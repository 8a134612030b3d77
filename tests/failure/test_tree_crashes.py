"""The tree worker is killed at every step of its order: no checkpoint ever contradicts an earlier one."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.sqlite import SQLiteLog
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.merkle import consistency_proof
from ledger.transparency.note import parse_note
from ledger.transparency.strict import base64_of
from ledger.transparency.tiles import bundles_between, tiles_between
from projections.tree.checking import Parted
from projections.tree.folder import INCOMING
from projections.tree.last_signed import SQLiteLastSigned
from tests.audit import go
from tests.audit.go import verdict
from tests.audit.trees import nodes_of, write
from tests.failure.treeing import NEVER, following, killed_at, watched
from tests.publishing import KEY, append, check_consistent, check_files, worker_on

KINDS = {
    "write", "sync", "rename", "after rename", "drop", "swap", "after swap", "sign", "after sign",
    "cosign", "after cosign",
}  # fmt: skip


def grow(folder: Path, count: int, what: str = "") -> None:
    log = SQLiteLog(folder / "log.sqlite")
    append(log, count, what)
    log.close()


def checked(folder: Path) -> list[Checkpoint]:
    """The published checkpoint, if there is one: all its files are there and true."""
    if not (folder / "public/checkpoint").exists():
        return []
    log = SQLiteLog(folder / "log.sqlite")
    try:
        return [check_files(folder / "public", log)]
    finally:
        log.close()


def signed(folder: Path) -> list[Checkpoint]:
    """Every checkpoint that was ever signed, published or not."""
    texts = (folder / "signed").read_text().split("\0")
    return [parse_checkpoint(text) for text in texts if text]


@pytest.mark.parametrize(
    ("at_first", "more"), [(0, 3), (250, 1), (250, 6), (250, 7), (250, 300), (600, 0)]
)
def test_killed_at_every_act_and_started_again_it_contradicts_nothing(
    tmp_path: Path, at_first: int, more: int
) -> None:
    """Each act once: a log that is published, grows, is published by a process that dies, grows, is published."""
    died: list[str] = []
    while True:
        folder = tmp_path / str(len(died))
        folder.mkdir()
        grow(folder, at_first)
        assert killed_at(folder, NEVER) is None
        seen = checked(folder)
        grow(folder, more)
        how = killed_at(folder, len(died) + 1)
        seen += checked(folder)
        grow(folder, 2)
        assert killed_at(folder, NEVER) is None
        seen += checked(folder)
        sizes = [one.size for one in seen]
        assert sizes[0] == at_first
        assert sizes == sorted(sizes)
        assert sizes[-1] == at_first + more + 2
        check_consistent([*seen, *signed(folder)], folder / "public")
        if how is None:
            break
        died.append(how)
    if at_first == 250 and more > 6:
        assert set(died) == KINDS
    if more:
        assert died.count("swap") == died.count("sign") == died.count("cosign") == 1


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go.build(tmp_path_factory.mktemp("verifier"))


def check_by_others(verifier: Path, folder: Path, published: Sequence[bytes]) -> None:
    """Other people's libraries find each of these checkpoints signed, and the way from each to the last one's tree."""
    last = folder / "public/checkpoint"
    size = published_size(last.read_bytes())
    nodes = nodes_of(folder / "public", size)
    vkey = ("-vkey", KEY.verifier.vkey)
    assert verdict(verifier, "tree", *vkey, folder / "public")["size"] == size
    for data in dict.fromkeys(published):
        hashes = consistency_proof(published_size(data), size, nodes)
        proof = write(folder / "proof", "".join(f"{base64_of(one)}\n" for one in hashes).encode())
        files = (write(folder / "earlier", data), last, proof)
        assert verdict(verifier, "consistency", *vkey, *files)["ok"]


def published_size(data: bytes) -> int:
    return parse_checkpoint(parse_note(data).text).size


@pytest.mark.parametrize("act", range(1, 40, 3))
def test_killed_again_and_again_it_comes_to_the_end(
    tmp_path: Path, verifier: Path, act: int
) -> None:
    """Killed twice at an act of each start, before it may publish once, and so on."""
    seen, published = [], []
    for round_ in range(3):
        grow(tmp_path, 100)
        for again in range(3):
            killed_at(tmp_path, act + again if again < 2 else NEVER)
            seen += checked(tmp_path)
            if seen:
                published.append((tmp_path / "public/checkpoint").read_bytes())
        assert seen[-1].size == 100 * (round_ + 1)
    check_consistent([*seen, *signed(tmp_path)], tmp_path / "public")
    check_by_others(verifier, tmp_path, published)
    left = [path for path in (tmp_path / "public" / INCOMING).iterdir() if path.is_file()]
    assert len(left) <= 6 * 4, "a crash leaves the files of one write"


@pytest.mark.parametrize("before", ["after swap", "after sign", "cosign", "after cosign", "write"])
def test_what_was_written_down_before_a_crash_binds_after_it(tmp_path: Path, before: str) -> None:
    """Killed when the head was written down; then somebody changes the last entry that it covers."""
    grow(tmp_path, 5)
    act = 1
    while (how := killed_at(tmp_path, act)) != before or act < 10:
        assert how is not None
        for path in (*tmp_path.glob("store*"), tmp_path / "public" / "checkpoint"):
            path.unlink(missing_ok=True)
        act += 1
    assert checked(tmp_path) == []
    for path in tmp_path.glob("log.sqlite*"):
        path.unlink()
    grow(tmp_path, 4)
    grow(tmp_path, 2, "changed")
    with pytest.raises(Parted, match=r"they part at position 5$"):
        killed_at(tmp_path, NEVER)
    assert not (tmp_path / "public/checkpoint").exists()


def test_processes_that_work_at_once_publish_one_history(tmp_path: Path) -> None:
    """Three follow the log while it grows; one is killed. Every checkpoint that is seen leads to the next."""
    grow(tmp_path, 1)
    workers = [following(tmp_path) for _ in range(3)]
    try:
        until, data = time.monotonic() + 3, list[bytes]()
        while time.monotonic() < until:
            grow(tmp_path, 7)
            file = tmp_path / "public/checkpoint"
            if file.exists() and (now := file.read_bytes()) not in data[-1:]:
                data.append(now)
            if len(data) == 20:
                workers[0].kill()
        assert sum(one.is_alive() for one in workers) >= 2, "none gave up"
    finally:
        for one in workers:
            one.kill()
            one.join()
    assert len(data) > 5
    assert killed_at(tmp_path, NEVER) is None
    seen = [parse_checkpoint(parse_note(one).text) for one in data]
    sizes = [one.size for one in seen]
    assert sizes == sorted(set(sizes)), "it never goes back"
    check_consistent([*seen, *checked(tmp_path)], tmp_path / "public")


def test_the_order_is_kept(tmp_path: Path) -> None:
    """When a head is written down, its files are on the disk under their names; then it is signed, then published."""
    acts: list[tuple[str, tuple[Any, ...]]] = []
    log, store = MemoryLog(), SQLiteLastSigned(None)
    worker = worker_on(log, tmp_path, store)
    with watched(lambda name, arguments: acts.append((name, arguments))):
        for count in (3, 300, 1):
            append(log, count)
            acts.clear()
            before = worker.status.published or 0
            worker.catch_up()
            check_order(acts, tmp_path, before, log.head())


def check_order(
    acts: Sequence[tuple[str, tuple[Any, ...]]], folder: Path, before: int, size: int
) -> None:
    def when(name: str, path: Path | None = None, after: int = 0) -> int:
        return next(
            n
            for n, (done, told) in enumerate(acts)
            if n >= after and done == name and path in (None, told[0])
        )

    renames = {told[1]: (n, told[0]) for n, (name, told) in enumerate(acts) if name == "rename"}
    on_disk = {}
    for target, (renamed, temporary) in renames.items():
        synced_folder = when("sync", target.parent, after=renamed)
        assert when("write", temporary) < when("sync", temporary) < renamed < synced_folder
        on_disk[target] = synced_folder
    swap, sign = when("swap"), when("sign")
    assert acts[swap][1][3].size == size
    for one in (*tiles_between(before, size), *bundles_between(before, size)):
        assert on_disk[folder / one.path] < swap
    assert swap < sign < when("cosign") < renames[folder / "checkpoint"][0]
