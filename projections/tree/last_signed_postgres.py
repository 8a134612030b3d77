"""The last-signed store in PostgreSQL, for a ledger whose processes run on several machines."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from projections.tree.last_signed import LastSigned, LastSignedUnavailable, TreeHead

_CONNECT_WITHIN = 5
"""Seconds."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS last_signed"
    " (origin text PRIMARY KEY, size bigint NOT NULL, head bytea NOT NULL)"
)
_READ = "SELECT size, head FROM last_signed WHERE origin = %s"
_FIRST = "INSERT INTO last_signed (origin, size, head) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_MOVE = (
    "UPDATE last_signed SET size = %s, head = %s"
    " WHERE origin = %s AND size = %s AND head = %s AND size < %s"
)


class PostgresLastSigned(LastSigned):
    """In the database at `url`. The table is made at the first use; a lost connection is made anew."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None

    def read(self, origin: str) -> TreeHead | None:
        with self._connected() as connection:
            row = connection.execute(_READ, (origin,)).fetchone()
        return None if row is None else TreeHead(*row)

    def advance(self, origin: str, before: TreeHead | None, after: TreeHead) -> bool:
        with self._connected() as connection:
            if before is None:
                moved = connection.execute(_FIRST, (origin, *after))
            else:
                moved = connection.execute(_MOVE, (*after, origin, *before, after.size))
            return moved.rowcount == 1

    def close(self) -> None:
        with self._lock:
            self._let_go()

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except psycopg.Error as error:
                self._let_go()
                # The error's own text may quote the address with its password.
                raise LastSignedUnavailable(
                    f"the last-signed store in PostgreSQL: {type(error).__name__}"
                ) from error

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_WITHIN)
        # Whatever the database's default is: an answer must mean that it is on the disk.
        connection.execute("SET synchronous_commit = on")
        connection.execute(_SCHEMA)
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
