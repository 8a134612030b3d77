"""The tree worker: what it publishes, what it goes on from, and what it refuses to sign."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, NewEvent
from ledger.transparency.checkpoint import Checkpoint, sign_checkpoint
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import EMPTY_HEAD
from ledger.transparency.tiles import tiles_between
from projections.tree import folder as folders
from projections.tree.checking import Parted
from projections.tree.folder import INCOMING, PublicFolder
from projections.tree.last_signed import SQLiteLastSigned, TreeHead
from tests.publishing import (
    KEY,
    ORIGIN,
    KnownKeys,
    append,
    check_consistent,
    check_files,
    entry,
    published,
    worker_on,
)


def log_of(count: int, what: str = "") -> MemoryLog:
    log = MemoryLog()
    append(log, count, what)
    return log


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


# Refusing


def test_a_log_that_was_changed_is_not_signed_and_the_position_is_told(tmp_path: Path) -> None:
    store = SQLiteLastSigned(None)
    worker_on(log_of(700), tmp_path, store).catch_up()
    before = (tmp_path / "checkpoint").read_bytes()
    for position in (1, 300, 700):
        changed = MemoryLog()
        append(changed, position - 1)
        append(changed, 1, "forged")
        append(changed, 710 - position)
        worker = worker_on(changed, tmp_path, store)
        for _ in range(2):
            with pytest.raises(Parted, match=rf"not those that were signed.* position {position}$"):
                worker.step()
        assert worker.status.refused is not None
        assert (tmp_path / "checkpoint").read_bytes() == before


def test_a_log_that_was_cut_is_not_signed(tmp_path: Path) -> None:
    store = SQLiteLastSigned(None)
    worker_on(log_of(700), tmp_path, store).catch_up()
    with pytest.raises(Parted, match=r"ends at position 699, .* part at position 700"):
        worker_on(log_of(699), tmp_path, store).step()


def test_without_the_tiles_the_position_cannot_be_told(tmp_path: Path) -> None:
    store, folder = SQLiteLastSigned(None), tmp_path / "public"
    worker_on(log_of(7), folder, store).catch_up()
    shutil.rmtree(folder)
    with pytest.raises(Parted, match="cannot be told"):
        worker_on(log_of(7, "forged"), folder, store).step()


def test_what_was_signed_and_not_published_binds_too(tmp_path: Path) -> None:
    store, log = SQLiteLastSigned(None), log_of(5)
    worker_on(log, tmp_path, store).catch_up()
    other = TreeHead(6, b"another head".ljust(32))
    assert store.advance(ORIGIN, store.read(ORIGIN), other)
    append(log, 3)
    with pytest.raises(Parted):
        worker_on(log, tmp_path, store).step()


def test_a_gap_in_the_log_is_not_signed(tmp_path: Path) -> None:
    log = log_of(9)
    del log._records[4]
    with pytest.raises(Parted, match="gives no position"):
        worker_on(log, tmp_path).step()


def test_a_folder_of_another_key_is_left_alone(tmp_path: Path) -> None:
    other = SigningKey("ledger.example/other", bytes(32))
    data = sign_checkpoint(Checkpoint("ledger.example/other", 0, EMPTY_HEAD), other)
    (tmp_path / "checkpoint").write_bytes(data)
    with pytest.raises(Parted, match="has not signed the checkpoint"):
        worker_on(log_of(1), tmp_path).step()
    assert (tmp_path / "checkpoint").read_bytes() == data


def test_what_fails_half_way_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, store = log_of(300), SQLiteLastSigned(None)
    worker = worker_on(log, tmp_path, store)
    worker.catch_up()
    append(log, 300)
    real = folders._bring_to_disk

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "_bring_to_disk", full)
    with pytest.raises(OSError, match="No space"):
        worker.step()
    assert (published(tmp_path).size, store.read(ORIGIN)) == (300, published(tmp_path)[1:3])
    monkeypatch.setattr(folders, "_bring_to_disk", real)
    worker.catch_up()
    assert check_files(tmp_path, log).size == 600


# Several at once


def test_of_two_workers_one_goes_on_and_the_other_takes_over_from_there(tmp_path: Path) -> None:
    log, store = log_of(10), SQLiteLastSigned(None)
    first, second = (worker_on(log, tmp_path, store) for _ in range(2))
    seen = []
    for turn, worker in enumerate((first, second, second, first, second)):
        append(log, 100 + turn)
        worker.catch_up()
        seen.append(check_files(tmp_path, log))
    check_consistent(seen, tmp_path)


def test_the_loser_of_a_compare_and_swap_signs_nothing(tmp_path: Path) -> None:
    class Contested(SQLiteLastSigned):
        """Another worker is faster, once, with fewer entries."""

        def advance(self, origin: str, before: TreeHead | None, after: TreeHead) -> bool:
            if after.size == 9 and before == contested:
                worker_on(log_of(7), tmp_path / "other", store).catch_up()
            return super().advance(origin, before, after)

    store = Contested(None)
    log = log_of(5)
    worker = worker_on(log, tmp_path / "public", store)
    worker.catch_up()
    contested = store.read(ORIGIN)
    append(log, 4)
    assert worker.step(), "there is more to do: what the other signed comes first"
    assert published(tmp_path / "public").size == 5
    assert published(tmp_path / "other").size == 7
    worker.catch_up()
    assert check_files(tmp_path / "public", log).size == 9


def test_a_worker_that_signs_another_log_is_found_out(tmp_path: Path) -> None:
    store = SQLiteLastSigned(None)
    log = log_of(5)
    worker = worker_on(log, tmp_path / "public", store)
    worker.catch_up()
    forked = log_of(5)
    append(forked, 2, "forged")
    worker_on(forked, tmp_path / "other", store).catch_up()
    append(log, 9)
    with pytest.raises(Parted, match=r"signed elsewhere.* part after position 5$"):
        worker.step()


def test_a_slow_worker_never_takes_the_checkpoint_back(tmp_path: Path) -> None:
    store, log = SQLiteLastSigned(None), log_of(5)

    class Slow(KnownKeys):
        """Between the swap and the signature another worker comes, and publishes more."""

        def signing(self, *, first: bool) -> tuple[SigningKey, ...]:
            if not first and log.head() == 5:
                append(log, 5)
                worker_on(log, tmp_path, store).catch_up()
            return (KEY,)

    worker_on(log, tmp_path, store, keys=Slow()).step()
    assert published(tmp_path).size == 10


def test_a_store_that_goes_back_is_not_trusted(tmp_path: Path) -> None:
    store, log = SQLiteLastSigned(None), log_of(5)
    worker = worker_on(log, tmp_path, store)
    worker.catch_up()
    store._connection.execute("UPDATE last_signed SET size = 4")
    append(log, 1)
    with pytest.raises(Parted, match="went back"):
        worker.step()


def test_entries_are_the_logs_own_bytes(tmp_path: Path) -> None:
    log = MemoryLog()
    entries = [entry(1), b"", b"\xff" * 65_535]
    log.append_batch([Append(tuple(NewEvent("thing", one, ()) for one in entries))])
    worker_on(log, tmp_path).catch_up()
    assert check_files(tmp_path, log).size == 3
    assert [record.entry for record in log.select(EVERYTHING)] == entries
    assert len(list(tiles_between(0, 3))) == 1
