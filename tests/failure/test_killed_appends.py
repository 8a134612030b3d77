"""A process that appends to the SQLite log is killed with SIGKILL, again and again.

What must hold after: every acknowledged event is in the log, exactly once, at the position that was
answered; positions have no gap; appends are whole; the file is sound, and appends go on.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.eventlog.port import EVERYTHING, Append, Appended, Record
from ledger.eventlog.sqlite import SQLiteLog
from tests.failure.appending import event
from tests.failure.processes import lines_until_killed, started

LINES = (1, 3, 10, 40, 150)
"""Acknowledged events after which a process is killed."""


def id_of(record: Record) -> str:
    return record.entry.split()[0].decode()


def check(path: Path, acknowledged: list[str]) -> None:
    log = SQLiteLog(path)
    log.verify()
    records = log.select(EVERYTHING)
    assert [record.position for record in records] == list(range(1, len(records) + 1))
    ids = [id_of(record) for record in records]
    assert len(set(ids)) == len(ids)
    at = {id_: str(position) for position, id_ in enumerate(ids, 1)}
    for line in acknowledged:
        id_, position = line.split()
        assert at[id_] == position, line
    last = ids[-1]
    assert log.append_batch([Append((event(last),))]) == [Appended(len(ids), again=True)]
    log.close()


@pytest.mark.parametrize("way", ["single", "batches"])
def test_killed_in_the_middle_of_appends(tmp_path: Path, way: str) -> None:
    path = tmp_path / "log.sqlite"
    acknowledged: list[str] = []
    for round_, number in enumerate(LINES):
        with started("appending", path, way, f"r{round_}") as process:
            acknowledged += lines_until_killed(process, number)
        check(path, acknowledged)
    assert len(acknowledged) >= sum(LINES)
    if way == "batches":
        check_whole(path)


def check_whole(path: Path) -> None:
    """Each append's events stand together, all of them: an id says how many there are."""
    log = SQLiteLog(path)
    ids = [id_of(record) for record in log.select(EVERYTHING)]
    log.close()
    while ids:
        append = ids[0].partition("/")[0]
        size = int(append.rpartition("-")[2])
        assert ids[:size] == [f"{append}/{n}" for n in range(1, size + 1)]
        del ids[:size]


def test_one_of_several_processes_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    SQLiteLog(path).close()
    acknowledged: list[str] = []
    for round_, number in enumerate((2, 30, 80)):
        with ExitStack() as stack:
            processes = [
                stack.enter_context(started("appending", path, way, f"r{round_}-{way}"))
                for way in ("single", "batches")
            ]
            for process in processes:
                acknowledged += lines_until_killed(process, number)
        check(path, acknowledged)
