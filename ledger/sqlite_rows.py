"""Many rows for SQLite in few statements.

`executemany` takes a step for each row, and in each it gives the interpreter lock away and has to get it back: beside
a busy thread that costs a hundred times as much as the row.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

KEPT_STATEMENTS = 512
"""What a connection should keep prepared (`cached_statements`), so that no size is prepared again and again."""

_LARGEST = 256
"""Rows in a statement: with 100 columns they stay below SQLite's limit of 32,766 values."""

_SIZES = [_LARGEST >> n for n in range(_LARGEST.bit_length())]


def insert_rows(
    connection: sqlite3.Connection,
    into: str,
    rows: Sequence[Sequence[object]],
    behind: str = "",
) -> None:
    """Insert rows of equal length into a table and its columns, `name (column, …)`; `behind` stands after the values.

    Within a transaction that is rolled back if this raises: some of the rows may stand already. (`OR FAIL` saves SQLite
    from copying every page that the statement changes, so that it could undo it alone.)
    """
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            connection.execute(_statement(into, len(rows[0]), size, behind), values)
            start += size


@lru_cache(4 * KEPT_STATEMENTS)
def _statement(into: str, columns: int, rows: int, behind: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"INSERT OR FAIL INTO {into} VALUES {', '.join([row] * rows)}{behind}"
