"""Many rows for SQLite in few statements."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ledger.sqlite_rows import insert_rows

ADD = " ON CONFLICT (key) DO UPDATE SET value = value + excluded.value"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE things (key INTEGER PRIMARY KEY, value INTEGER) STRICT")
        yield connection


def things(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT key, value FROM things ORDER BY key").fetchall()


@pytest.mark.parametrize("number", [0, 1, 2, 3, 255, 256, 257, 511, 1_000])
def test_each_row_is_inserted_once(connection: sqlite3.Connection, number: int) -> None:
    rows = [(key, key * key) for key in range(number)]
    insert_rows(connection, "things (key, value)", rows)
    assert things(connection) == rows


def test_what_is_there_already_is_changed_as_told(connection: sqlite3.Connection) -> None:
    for _ in range(3):
        insert_rows(connection, "things (key, value)", [(key, 1) for key in range(300)], ADD)
    assert things(connection) == [(key, 3) for key in range(300)]


def test_values_of_another_type_and_keys_twice_are_refused(connection: sqlite3.Connection) -> None:
    for rows in ([(1, 1), (2, "two")], [(1, 1), (1, 1)]):
        connection.execute("BEGIN")
        with pytest.raises(sqlite3.IntegrityError):
            insert_rows(connection, "things (key, value)", rows)
        connection.execute("ROLLBACK")
        assert things(connection) == []


def test_few_statements_are_run(connection: sqlite3.Connection) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    insert_rows(connection, "things (key, value)", [(key, 0) for key in range(1_000)])
    assert len(seen) == 3 + 4  # 3 times 256, and 128 + 64 + 32 + 8
