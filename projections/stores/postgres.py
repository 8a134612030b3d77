"""Read models in PostgreSQL. They are disposable (`synchronous_commit=off`): what a crash takes is folded again."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from zlib import crc32

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import IntLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from projections.projection import Rows, Table, Value
from projections.stores import statements
from projections.stores.books import Books, Execute
from projections.stores.port import Generation, Row, StoreUnavailable
from projections.stores.sql import SQLStore
from projections.stores.statements import Dialect

CONNECTIONS = 10
"""The most that one process opens."""

CONNECT_PATIENCE = 3.0
"""Seconds that a caller waits for a connection."""

COPIED_FROM = 200
"""Rows of one table from which on they are copied in and merged; fewer are sent one by one, which is faster then."""

SWITCH_PATIENCE = 60.0
LOCK_PATIENCE = 0.2
"""Seconds. Readers that come wait while a switch waits for those that are reading: it gives way again and again."""

PAGE = 10_000

_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "application_name": "civic-ledger",
}
_SESSION = b"SET synchronous_commit = off; SET client_min_messages = warning"
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE models IN ACCESS SHARE MODE"
"""The lock comes before the moment that is read, and is held to the end: no switch falls between a model's position
and its rows, which PostgreSQL would otherwise look up under their new name."""

_MAKING = b"SELECT pg_advisory_xact_lock(hashtext('civic-ledger'))"
_ALONE = b"LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE"
_EXCLUSIVE = b"LOCK TABLE models IN ACCESS EXCLUSIVE MODE"


class PostgresStore(SQLStore):
    """A store in the database at a `postgresql://` URL, in the first schema of its search path.

    Raises `StoreUnavailable` while it cannot be reached; nothing has to be done but to try again.
    """

    _dialect = Dialect(text='TEXT COLLATE "C"', whole="BIGINT", tail="WITH (fillfactor = 80)")

    def __init__(self, url: str) -> None:
        chosen = conninfo_to_dict(url)
        where = f"{chosen.get('host', 'localhost')}:{chosen.get('port', 5432)}"
        super().__init__(f"PostgreSQL at {where}, database {chosen.get('dbname', '')}")
        self._pool = ConnectionPool(
            make_conninfo(**_DEFAULTS | chosen),
            min_size=0,
            max_size=CONNECTIONS,
            timeout=CONNECT_PATIENCE,
            reconnect_timeout=1.0,  # whoever asks next tries again
            kwargs={"autocommit": True},
            configure=_configure,
            open=True,
        )
        self._made = False
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self._made = True

    def advance(self, generation: Generation, rows: Rows, *, after: int, to: int) -> bool:
        with self._reported(), self._pool.connection() as connection, connection.transaction():
            books = Books(_executed_by(connection), self._dialect)
            if not books.advance(generation, after, to):
                return False
            Writing(connection, generation.number).write(rows)
        return True

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _books(self, *, exclusive: bool = False) -> Iterator[Books]:
        with self._reported(), ExitStack() as stack:
            connection = stack.enter_context(self._pool.connection())
            if exclusive:
                stack.enter_context(self._without_readers(connection))
            else:
                stack.enter_context(connection.transaction())
                connection.execute(_ALONE if self._made else _MAKING)
            yield Books(_executed_by(connection), self._dialect)

    @contextmanager
    def _without_readers(self, connection: Connection[Any]) -> Iterator[None]:
        until = time.monotonic() + SWITCH_PATIENCE
        while True:
            with ExitStack() as stack:
                stack.enter_context(connection.transaction())
                connection.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE * 1000:.0f}".encode())
                try:
                    connection.execute(_EXCLUSIVE)
                except errors.LockNotAvailable:
                    if time.monotonic() > until:
                        raise
                else:
                    yield
                    return
            time.sleep(LOCK_PATIENCE)

    @contextmanager
    def _reading(self) -> Iterator[Execute]:
        with self._reported():
            connection = self._begun()
            try:
                yield _executed_by(connection)
            finally:
                if not connection.broken:
                    connection.execute(b"ROLLBACK")
                self._pool.putconn(connection)

    def _begun(self) -> Connection[Any]:
        """A connection that reads one moment. One that broke while it was idle is not the caller's trouble."""
        connection = self._pool.getconn()
        try:
            connection.execute(_READ)
        except psycopg.OperationalError:
            self._pool.putconn(connection)
            self._pool.check()
            connection = self._pool.getconn()
            connection.execute(_READ)
        return connection

    def _look(self, sql: str, *values: Value) -> list[Row]:
        with self._reported(), self._pool.connection() as connection:
            return connection.execute(translated(sql), values).fetchall()

    def _stream(self, execute: Execute, sql: str) -> Iterator[Row]:
        assert isinstance(execute, _Executed)
        with execute.connection.cursor(name="contents") as cursor:
            cursor.itersize = PAGE
            cursor.execute(translated(sql))
            yield from cursor

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, PoolTimeout) as error:
            if isinstance(error, psycopg.OperationalError):
                self._pool.check()  # let go of what broke, so that the next caller finds a connection
            raise StoreUnavailable(
                f"The read models cannot be used ({self._name}): {_told(error)}. Nothing is lost: they follow the log "
                "again as soon as they can."
            ) from error


class Writing:
    """Writes the rows of one batch within a transaction."""

    def __init__(self, connection: Connection[Any], number: int) -> None:
        self._connection = connection
        self._number = number

    def write(self, rows: Rows) -> None:
        number = self._number
        for table, sums in rows.sums.items():
            added = [(*key, *sums[key]) for key in sorted(sums)]
            self._merge(table, added, statements.add(table, number))
        for table, changed in rows.put_rows.items():
            kept = sorted((*key, *values) for key, values in changed.items() if values is not None)
            gone = [key for key, values in changed.items() if values is None]
            self._merge(table, kept, statements.put(table))
            self._many(statements.delete(table, number), gone)

    def _merge(self, table: Table, rows: Sequence[Row], on_conflict: str) -> None:
        if len(rows) < COPIED_FROM:
            self._many(statements.insert(table, self._number) + on_conflict, rows)
            return
        target = statements.physical(table.name, self._number)
        columns = ", ".join(table.columns)
        incoming = f"incoming_{crc32(repr((target, table)).encode()):08x}"
        execute = self._connection.execute
        execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {target}) ON COMMIT DELETE ROWS".encode()
        )
        copy = f"COPY {incoming} ({columns}) FROM STDIN".encode()
        with self._connection.cursor() as cursor, cursor.copy(copy) as incoming_rows:
            for row in rows:
                incoming_rows.write_row(row)
        execute(
            f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {incoming}{on_conflict}".encode()
        )

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(translated(sql), rows)


class _Executed(Execute):
    """Runs statements of our own common SQL on one connection."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    def __call__(self, sql: str, *values: Value) -> list[Row]:
        cursor = self.connection.execute(translated(sql), values)
        return cursor.fetchall() if cursor.description is not None else []


_executed_by = _Executed

_PARTS = re.compile(r"('[^']*')|(\?)(?=\s+IS\b)|(\?)|(%)", re.IGNORECASE)


@cache
def translated(sql: str) -> bytes:
    """SQL with `?` for values, as psycopg takes it: `%s`, and `%%` for a per cent sign.

    PostgreSQL must be told the type of a value of which nothing is asked but whether it is null.
    """

    def part(found: re.Match[str]) -> str:
        literal, of_null, mark, _ = found.groups()
        if literal is not None:
            return str(literal).replace("%", "%%")
        return "%s::text" if of_null else "%s" if mark else "%%"

    return _PARTS.sub(part, sql).encode()


def _told(error: psycopg.Error | PoolTimeout) -> str:
    """What the server says first; more may quote a row, and so a person."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or str(error).strip() or type(error).__name__


def _configure(connection: Connection[Any]) -> None:
    connection.execute(_SESSION)
    connection.adapters.register_loader("numeric", IntLoader)  # the sum of whole numbers is one
