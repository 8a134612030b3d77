"""The tree worker: what it publishes, and what it goes on from."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, NewEvent
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.merkle import EMPTY_HEAD
from ledger.transparency.tiles import tiles_between
from projections.tree.checking import Parted
from projections.tree.folder import INCOMING, PublicFolder
from projections.tree.last_signed import SQLiteLastSigned
from tests.publishing import (
    KEY,
    ORIGIN,
    append,
    check_consistent,
    check_files,
    entry,
    log_of,
    published,
    worker_on,
)


def names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and INCOMING not in path.parts
    }


# What is published


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1_000, 66_000])
def test_the_files_are_those_of_the_log(tmp_path: Path, size: int) -> None:
    log = log_of(size)
    status = worker_on(log, tmp_path).catch_up()
    assert (status.published, status.signed) == (size, size)
    assert check_files(tmp_path, log).size == size
    bundles = [name for name in names(tmp_path) if name.startswith("tile/entries/")]
    assert len(bundles) == -(-size // 256)
    assert (tmp_path / "vkey").read_text() == f"{KEY.verifier.vkey}\n"


def test_an_empty_log_has_a_checkpoint_and_no_tile(tmp_path: Path) -> None:
    worker_on(MemoryLog(), tmp_path).catch_up()
    assert published(tmp_path) == Checkpoint(ORIGIN, 0, EMPTY_HEAD)
    assert names(tmp_path) == {"checkpoint", "vkey"}


def test_a_log_that_grows_has_consistent_checkpoints(tmp_path: Path) -> None:
    log, seen = MemoryLog(), []
    worker = worker_on(log, tmp_path)
    for count in (0, 1, 1, 253, 1, 1, 300, 0, 600):
        append(log, count)
        worker.catch_up()
        seen.append(check_files(tmp_path, log))
    assert [one.size for one in seen] == [0, 1, 2, 255, 256, 257, 557, 557, 1157]
    check_consistent(seen, tmp_path)


def test_partial_files_go_when_full_ones_have_come_and_not_before(tmp_path: Path) -> None:
    log = log_of(10)
    worker = worker_on(log, tmp_path)
    for count in (0, 5, 240):
        append(log, count)
        worker.catch_up()
    partial = {"tile/0/000.p/10", "tile/0/000.p/15", "tile/entries/000.p/15"}
    assert partial <= names(tmp_path), "old checkpoints must be served (Partial Tiles)"
    append(log, 2)
    worker.catch_up()
    assert published(tmp_path).size == 257
    assert not partial & names(tmp_path)
    assert {"tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"} <= names(tmp_path)


def test_a_backlog_is_published_in_steps(tmp_path: Path) -> None:
    log = log_of(1_000)
    worker = worker_on(log, tmp_path, batch=256)
    sizes = []
    while worker.step():
        sizes.append(published(tmp_path).size)
    assert sizes == [256, 512, 768]
    assert check_files(tmp_path, log).size == 1_000


def test_nothing_new_is_no_new_checkpoint(tmp_path: Path) -> None:
    log = log_of(3)
    worker = worker_on(log, tmp_path)
    worker.catch_up()
    before = (tmp_path / "checkpoint").stat()
    assert not worker.step()
    assert (tmp_path / "checkpoint").stat() == before


def test_it_follows_at_its_pace_until_it_is_stopped(tmp_path: Path) -> None:
    log, stop = log_of(3), threading.Event()
    worker = worker_on(log, tmp_path)
    thread = threading.Thread(target=worker.follow, args=(stop, 0.05))
    thread.start()
    try:
        for size in (3, 4, 300):
            append(log, size - log.head())
            until = time.monotonic() + 5
            while worker.status.published != size:
                assert time.monotonic() < until
                time.sleep(0.005)
        pace_began, sizes = time.monotonic(), set()
        while time.monotonic() < pace_began + 0.5:
            append(log, 1)
            sizes.add(worker.status.published)
            time.sleep(0.002)
        assert 3 <= len(sizes) <= 13, "about one every 0.05 s"
    finally:
        stop.set()
        thread.join()
    check_files(tmp_path, log)


# Going on


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    log, store, seen = MemoryLog(), SQLiteLastSigned(None), []
    for count in (1, 254, 1, 1, 700):
        append(log, count)
        worker_on(log, tmp_path, store).catch_up()
        seen.append(check_files(tmp_path, log))
    check_consistent(seen, tmp_path)


@pytest.mark.parametrize(
    "lost", ["", "tile", "tile/entries", "tile/0", "tile/1", "tile/entries/002.p", "checkpoint"]
)
def test_files_that_were_lost_are_written_anew(tmp_path: Path, lost: str) -> None:
    log, store, folder = log_of(600), SQLiteLastSigned(None), tmp_path / "public"
    worker_on(log, folder, store).catch_up()
    gone = folder / lost
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    append(log, 1)
    worker_on(log, folder, store).catch_up()
    assert check_files(folder, log).size == 601


def test_a_changed_edge_is_written_anew_and_all_files_on_request(tmp_path: Path) -> None:
    log, store = log_of(600), SQLiteLastSigned(None)
    worker_on(log, tmp_path, store).catch_up()
    (tmp_path / "tile/0/002.p/88").write_bytes(b"x" * 88 * 32)
    worker_on(log, tmp_path, store).catch_up()
    check_files(tmp_path, log)
    (tmp_path / "tile/entries/000").unlink()
    worker = worker_on(log, tmp_path, store)
    worker.rewrite()
    check_files(tmp_path, log)


def test_a_last_signed_store_that_was_lost_begins_at_the_published_checkpoint(
    tmp_path: Path,
) -> None:
    log, store = log_of(300), SQLiteLastSigned(None)
    worker_on(log, tmp_path).catch_up()
    worker_on(log, tmp_path, store).catch_up()
    assert store.read(ORIGIN) == published(tmp_path)[1:3]
    append(log, 1)
    worker_on(log, tmp_path, store).catch_up()
    assert check_files(tmp_path, log).size == 301
    with pytest.raises(Parted):
        worker_on(log_of(300, "other"), tmp_path).catch_up()


def test_what_a_crash_left_unfinished_is_swept(tmp_path: Path) -> None:
    public = PublicFolder(tmp_path)
    public.prepare()
    left = tmp_path / INCOMING / "half"
    left.write_bytes(b"half a tile")
    public.prepare()
    assert left.exists(), "another process may be writing it"
    os.utime(left, (0, 0))
    public.prepare()
    assert not left.exists()


def test_entries_are_the_logs_own_bytes(tmp_path: Path) -> None:
    log = MemoryLog()
    entries = [entry(1), b"", b"\xff" * 65_535]
    log.append_batch([Append(tuple(NewEvent("thing", one, ()) for one in entries))])
    worker_on(log, tmp_path).catch_up()
    assert check_files(tmp_path, log).size == 3
    assert [record.entry for record in log.select(EVERYTHING)] == entries
    assert len(list(tiles_between(0, 3))) == 1
