"""Read models in SQLite. The file is disposable (`synchronous=NORMAL`): what a crash takes is folded again."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from projections.projection import Key, Projection, Rows, Table, Value
from projections.stores.port import Row, Snapshot, Store, StoreTooNew, StoreUnavailable

_PAGE = 16_384
"""Bytes: a batch changes rows in random places of a model, and fewer pages are then copied."""
_CACHE = 16 * 1024 * 1024
"""Bytes a connection: what it holds must not grow with the log."""

_MODELS = (
    "CREATE TABLE IF NOT EXISTS models"
    " (model TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL) STRICT"
)
_MODEL = "SELECT version, position FROM models WHERE model = ?"
_NEW_MODEL = "INSERT OR REPLACE INTO models (model, version, position) VALUES (?, ?, 0)"
_ADVANCE = "UPDATE models SET position = ? WHERE model = ? AND version = ? AND position = ?"


class SQLiteStore(Store):
    """A store in the file at `path`, or in memory where it is None."""

    def __init__(self, path: Path | None) -> None:
        self._name = str(path or "file:civic-read-models?mode=memory")
        self._path = path
        self._lock = threading.RLock()
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            self._writer = self._connect()
            self._writer.execute(_MODELS)

    def prepare(self, projection: Projection) -> int:
        with self._transaction() as writer:
            row = writer.execute(_MODEL, (projection.name,)).fetchone()
            if row is not None and row[0] > projection.version:
                raise StoreTooNew(
                    f"{self._name}: the model {projection.name!r} is of version {row[0]}; this program knows "
                    f"version {projection.version}. Use the newer program or another store."
                )
            if row is not None and row[0] == projection.version:
                return int(row[1])
            self._drop(writer, projection.name)
            for table in projection.tables:
                for statement in _schema(table):
                    writer.execute(statement)
            writer.execute(_NEW_MODEL, (projection.name, projection.version))
            return 0

    def batch(self, projection: Projection) -> Rows:
        return Rows(self._get, self._get_all)

    def advance(self, projection: Projection, rows: Rows, *, after: int, to: int) -> bool:
        with self._transaction() as writer:
            where = (to, projection.name, projection.version, after)
            if writer.execute(_ADVANCE, where).rowcount == 0:
                return False
            for table, sums in rows.sums.items():
                writer.executemany(_add(table), [(*key, *sums[key]) for key in sorted(sums)])
            for table, changed in rows.put_rows.items():
                kept = sorted(
                    (*key, *values) for key, values in changed.items() if values is not None
                )
                gone = [key for key, values in changed.items() if values is None]
                writer.executemany(_put(table), kept)
                writer.executemany(_delete(table), gone)
        return True

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._reading() as connection:
            yield _SQLiteSnapshot(connection)

    @contextmanager
    def contents(self, projection: Projection) -> Iterator[tuple[int, Iterator[Row]]]:
        with self._reading() as connection:
            position = _SQLiteSnapshot(connection).position(projection.name)
            yield position, self._all_rows(connection, projection)

    def close(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()

    def _all_rows(self, connection: sqlite3.Connection, projection: Projection) -> Iterator[Row]:
        for table in sorted(projection.tables):
            for row in connection.execute(_all(table)):
                yield (table.name, *row)

    def _drop(self, writer: sqlite3.Connection, model: str) -> None:
        names = writer.execute(
            "SELECT name FROM sqlite_schema"
            " WHERE type = 'table' AND (name = ? OR name LIKE ? ESCAPE '\\')",
            (model, f"{model}\\_%"),
        )
        for (name,) in names.fetchall():
            writer.execute(f'DROP TABLE "{name}"')

    def _get(self, table: Table, key: Key) -> Key | None:
        with self._reported(), self._lock:
            row: Key | None = self._writer.execute(_one(table), key).fetchone()
        return row

    def _get_all(self, table: Table, first: Value) -> Mapping[Key, Key]:
        width = len(table.key)
        with self._reported(), self._lock:
            rows = self._writer.execute(_beginning(table), (first,)).fetchall()
        return {row[:width]: row[width:] for row in rows}

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
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
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._path is None:  # one connection holds the whole database
            with self._lock:
                yield self._writer
            return
        with self._reported():
            reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
            if reader is None:
                reader = self._readers.connection = self._connect()
            reader.execute("BEGIN")
            try:
                yield reader
            finally:
                reader.execute("ROLLBACK")

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(
                f"The read models in {self._name} cannot be used: {error}. They hold nothing of their own: stop "
                "what uses the file, delete it, and run `civic-ledger project`."
            ) from error


class _SQLiteSnapshot:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def position(self, model: str) -> int:
        row = self._connection.execute(_MODEL, (model,)).fetchone()
        return 0 if row is None else int(row[1])

    def rows(self, sql: str, *values: Value) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()


# The names of tables and columns below come from `Table`s, which are constants of the projections.


def _schema(table: Table) -> Iterator[str]:
    columns = [
        f"{column} {'INTEGER' if column in table.whole else 'TEXT'}"
        for column in table.key + table.values
    ]
    key = ", ".join(table.key)
    yield f"CREATE TABLE {table.name} ({', '.join(columns)}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"
    for index in table.indexes:
        name = f"{table.name}_by_{'_'.join(index)}"
        yield f"CREATE INDEX {name} ON {table.name} ({', '.join(index)})"


@cache
def _put(table: Table) -> str:
    columns = table.key + table.values
    marks = ", ".join("?" * len(columns))
    return f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"


@cache
def _add(table: Table) -> str:
    columns = table.key + table.values
    marks = ", ".join("?" * len(columns))
    sums = ", ".join(f"{column} = {column} + excluded.{column}" for column in table.values)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
        f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {sums}"
    )


@cache
def _delete(table: Table) -> str:
    return f"DELETE FROM {table.name} WHERE {_is(table.key)}"


@cache
def _one(table: Table) -> str:
    return f"SELECT {', '.join(table.values)} FROM {table.name} WHERE {_is(table.key)}"


@cache
def _beginning(table: Table) -> str:
    columns = ", ".join(table.key + table.values)
    return f"SELECT {columns} FROM {table.name} WHERE {_is(table.key[:1])}"


@cache
def _all(table: Table) -> str:
    columns = ", ".join(table.key + table.values)
    return f"SELECT {columns} FROM {table.name} ORDER BY {', '.join(table.key)}"


def _is(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)
