"""What the tree worker refuses to sign, and what becomes of several that work at once."""

import shutil
from pathlib import Path

import pytest

from ledger.eventlog.memory import MemoryLog
from ledger.transparency.checkpoint import Checkpoint, sign_checkpoint
from ledger.transparency.keys import SigningKey
from ledger.transparency.merkle import EMPTY_HEAD
from projections.tree import folder as folders
from projections.tree.checking import Parted
from projections.tree.last_signed import SQLiteLastSigned, TreeHead
from tests.publishing import (
    KEY,
    ORIGIN,
    KnownKeys,
    append,
    check_consistent,
    check_files,
    log_of,
    published,
    worker_on,
)

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
