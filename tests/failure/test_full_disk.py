"""There is no more room: nobody is told that something was stored which was not, and it can go on."""

from pathlib import Path

import pytest

from ledger.eventlog.port import EVERYTHING, Append, LogUnavailable
from ledger.eventlog.sqlite import SQLiteLog
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
