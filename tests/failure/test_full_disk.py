"""There is no more room: nobody is told that something was stored which was not, and it can go on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.eventlog.port import EVERYTHING, Append, LogUnavailable
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.digest import digest
from projections.stores.port import StoreUnavailable
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.failure.conftest import ROOM
from tests.failure.filling import event
from tests.failure.processes import started


def numbers(log: SQLiteLog) -> list[int]:
    return [int(record.entry.split()[0]) for record in log.select(EVERYTHING)]


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with started("filling", path, ROOM) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
        assert process.wait(timeout=60) == 0
    *acknowledged, unavailable, retried, next_ = said
    assert unavailable.startswith(f"unavailable: the log {path}: ")
    assert len(acknowledged) > 100
    assert [int(n) for n in acknowledged] == list(range(len(acknowledged)))
    assert retried.split()[0] == str(len(acknowledged))
    assert next_ == f"{len(acknowledged) + 1} False"
    log = SQLiteLog(path)
    log.verify()
    assert numbers(log) == list(range(len(acknowledged) + 2))
    log.close()


def fill(log: SQLiteLog, acknowledged: list[int]) -> None:
    for n in range(10_000):
        log.submit(Append((event(n),))).result()
        acknowledged.append(n)


def test_a_disk_that_is_full_until_room_is_made(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(ROOM // 2))
    log = SQLiteLog(small_disk / "log.sqlite")
    acknowledged: list[int] = []
    with pytest.raises(LogUnavailable, match="disk is full"):
        fill(log, acknowledged)
    with pytest.raises(LogUnavailable):
        log.submit(Append((event(-1),))).result()
    assert numbers(log) == acknowledged
    assert len(acknowledged) > 30
    ballast.unlink()
    for n in range(len(acknowledged), len(acknowledged) + 50):
        assert log.submit(Append((event(n),))).result().position == n + 1
    log.verify()
    log.close()
    again = SQLiteLog(small_disk / "log.sqlite")
    again.verify()
    assert numbers(again) == list(range(len(acknowledged) + 50))
    again.close()


def test_read_models_on_a_full_disk_go_on_when_room_is_made(
    town: Path, disk_of: Callable[[int], Path]
) -> None:
    """A batch is stored with its position or not at all, and nobody is told otherwise."""
    disk = disk_of(20 * ROOM)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(19 * ROOM))
    log, store = SQLiteLog(town), SQLiteStore(disk / "store.sqlite")
    worker = Worker(log, store, all_projections(), batch=500)
    with pytest.raises(StoreUnavailable, match=r"There is no room .* make room, and it goes on"):
        worker.catch_up()
    stopped_at = {one.model: one.position for one in store.generations()}
    assert 0 < max(stopped_at.values()) < log.head()
    expected = SQLiteStore(None)
    for one in all_projections():
        if stopped_at[one.name]:
            Worker(log, expected, [one]).catch_up(until=stopped_at[one.name])
            assert digest(store, one, with_personal=True) == digest(
                expected, one, with_personal=True
            )
    with pytest.raises(StoreUnavailable):
        worker.step()
    ballast.unlink()
    worker.catch_up()
    Worker(log, expected, all_projections()).catch_up()
    for one in all_projections():
        assert digest(store, one, with_personal=True) == digest(expected, one, with_personal=True)
    store.close()
    log.close()
