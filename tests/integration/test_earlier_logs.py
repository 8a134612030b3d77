"""A SQLite log that an earlier version wrote: opened, it is brought up to date, and says what it said before."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ledger.eventlog import sqlite_upgrade
from ledger.eventlog.port import EVERYTHING, Append, Conflict, Guard, NewEvent, Selection
from ledger.eventlog.sqlite import SQLiteLog
from ledger.sqlite_rows import insert_rows

SELECTIONS = [
    EVERYTHING,
    (Selection((), ("voter:a",)),),
    (Selection(("made",), ("question:q", "voter:b")),),
    (Selection(("made", "ended"), ("question:q",)), Selection(("opened",))),
]
VERSION_1 = """
DROP TABLE tags;
CREATE TABLE tags (
    tag TEXT NOT NULL, type TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (tag, type, position)
) STRICT, WITHOUT ROWID;
INSERT INTO tags SELECT DISTINCT one.value, records.type, position FROM records, json_each(CAST(tags AS TEXT)) one;
PRAGMA user_version = 1;
"""


def told(log: SQLiteLog) -> list[object]:
    return [log.head(), *(log.select(one) for one in SELECTIONS)]


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def earlier(tmp_path: Path) -> tuple[Path, list[object]]:
    """A file of version 1, and what its log says."""
    path = tmp_path / "log.sqlite"
    with closing(SQLiteLog(path)) as log:
        log.append_batch([Append((NewEvent("opened", b"o", ("question:q",), "o/1"),))])
        for voter in "abcab":
            tags = ("question:q", f"voter:{voter}", "question:q")
            log.append_batch([Append((NewEvent("made", voter.encode(), tags),))])
        log.append_batch([Append((NewEvent("ended", b"e", ()),))])
        before = told(log)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path, before


def test_it_says_what_it_said_before(earlier: tuple[Path, list[object]]) -> None:
    path, before = earlier
    with closing(SQLiteLog(path)) as log:
        assert told(log) == before
        guard = Guard(Selection(("made",), ("voter:c",)), after=3)
        late, right = (
            Append((NewEvent("made", b"c", ("voter:c",)),), (one,))
            for one in (guard, guard._replace(after=4))
        )
        refused, stored = log.append_batch([late, right])
        assert isinstance(refused, Conflict)
        assert stored == (8, False)
        log.verify()
    assert version(path) == 2


def test_many_pages_of_records(
    earlier: tuple[Path, list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = earlier
    monkeypatch.setattr(sqlite_upgrade, "_PAGE", 2)
    with closing(SQLiteLog(path)) as log:
        assert told(log) == before


def test_several_who_open_it_at_once(earlier: tuple[Path, list[object]]) -> None:
    path, before = earlier
    with ThreadPoolExecutor(4) as pool:
        logs = list(pool.map(lambda _: SQLiteLog(path), range(4)))
    for log in logs:
        assert told(log) == before
        log.close()


def test_cut_off_half_way_it_is_as_it_was(
    earlier: tuple[Path, list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = earlier
    with monkeypatch.context() as crash:
        crash.setattr(sqlite_upgrade, "_PAGE", 2)
        crash.setattr(sqlite_upgrade, "insert_rows", cut_off_at(3))
        with pytest.raises(KeyboardInterrupt):
            SQLiteLog(path)
    assert version(path) == 1
    with closing(SQLiteLog(path)) as log:
        assert told(log) == before


def cut_off_at(call: int) -> object:
    calls = iter(range(1, call + 1))

    def insert(*arguments: object) -> None:
        if next(calls) == call:
            raise KeyboardInterrupt
        insert_rows(*arguments)  # type: ignore[arg-type]

    return insert
