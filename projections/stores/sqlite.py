"""Read models in SQLite. The file is disposable (`synchronous=NORMAL`): what a crash takes is folded again."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.sqlite_rows import KEPT_STATEMENTS, insert_rows
from projections.projection import Key, Rows, Table, Value
from projections.stores import statements
from projections.stores.books import Books, Execute
from projections.stores.port import Generation, Row, StoreUnavailable
from projections.stores.sql import SQLStore
from projections.stores.statements import Dialect

_PAGE = 16_384
"""Bytes: a batch changes rows in random places of a model, and fewer pages are then copied."""
_CACHE = 16 * 1024 * 1024
"""Bytes a connection: what it holds must not grow with the log."""

_NAMES = "SELECT name FROM sqlite_schema WHERE type = 'table'"


class SQLiteStore(SQLStore):
    """A store in the file at `path`, or in memory where it is None."""

    _dialect = Dialect(text="TEXT", whole="INTEGER", tail="STRICT, WITHOUT ROWID")

    def __init__(self, path: Path | None) -> None:
        super().__init__(str(path or "memory"))
        self._path = path
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            self._writer = self._connect()
        self._drop_first_layout()
        self._open()

    def advance(self, generation: Generation, rows: Rows, *, after: int, to: int) -> bool:
        with self._books() as books:
            if not books.advance(generation, after, to):
                return False
            self._write(generation.number, rows)
        return True

    def close(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()

    def _write(self, number: int, rows: Rows) -> None:
        for table, sums in rows.sums.items():
            added = [(*key, *sums[key]) for key in sorted(sums)]
            self._insert(table, number, added, statements.add(table, number))
        for table, changed in rows.put_rows.items():
            kept = sorted((*key, *values) for key, values in changed.items() if values is not None)
            gone = [key for key, values in changed.items() if values is None]
            self._insert(table, number, kept, statements.put(table))
            self._writer.executemany(statements.delete(table, number), gone)

    def _insert(self, table: Table, number: int, rows: Sequence[Key], behind: str) -> None:
        insert_rows(self._writer, statements.columns_of(table, number), rows, behind)

    @contextmanager
    def _books(self, *, exclusive: bool = False) -> Iterator[Books]:
        """Readers see the moment before the transaction until it ends: nobody has to be kept out."""
        with self._transaction() as writer:
            yield Books(_executed_by(writer), self._dialect)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reported(), self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[Execute]:
        if self._path is None:  # one connection holds the whole database
            with self._reported(), self._lock:
                yield _executed_by(self._writer)
            return
        with self._reported():
            reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
            if reader is None:
                reader = self._readers.connection = self._connect()
            reader.execute("BEGIN")
            try:
                yield _executed_by(reader)
            finally:
                reader.execute("ROLLBACK")

    def _look(self, sql: str, *values: Value) -> list[Row]:
        with self._reported(), self._lock:
            return self._writer.execute(sql, values).fetchall()

    def _stream(self, execute: Execute, sql: str) -> Iterator[Row]:
        connection = self._writer if self._path is None else self._readers.connection
        return iter(connection.execute(sql))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=30,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=KEPT_STATEMENTS,
        )
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE // 1024}")
        connection.execute(
            "PRAGMA wal_autocheckpoint = 5000"
        )  # pages; see `ledger.eventlog.sqlite`
        self._connections.append(connection)
        return connection

    def _drop_first_layout(self) -> None:
        """Before there were generations, tables stood under the names that are views now: fold them anew."""
        with self._transaction() as writer:
            names = {name for (name,) in writer.execute(_NAMES)}
            if "models" in names and "layout" not in names:
                for name in names:
                    writer.execute(f'DROP TABLE "{name}"')

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"{self._trouble(error)}") from error

    def _trouble(self, error: sqlite3.DatabaseError) -> str:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return (
                f"There is no room for the read models in {self._name}: {error}. Nothing is lost; make room, and it "
                "goes on where it was."
            )
        return (
            f"The read models in {self._name} cannot be used: {error}. They hold nothing of their own: stop "
            "what uses the file, delete it, and run `civic-ledger project`."
        )


def _executed_by(connection: sqlite3.Connection) -> Execute:
    def execute(sql: str, *values: Value) -> list[Row]:
        return connection.execute(sql, values).fetchall()

    return execute
