"""A file of records: how they are read, and the transaction in which they are written."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar

from ledger.eventlog import sqlite_reading
from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.port import DamagedLog, LogUnavailable, Record, Selection
from ledger.eventlog.sqlite_upgrade import UPGRADABLE, upgrade
from ledger.sqlite_rows import KEPT_STATEMENTS

APPLICATION_ID = 0x43495649  # "CIVI"
SCHEMA_VERSION = 2
LOCK_TIMEOUT = 30.0
"""Seconds that a writer waits for another process's commit before it gives up."""

SCHEMA = Path(__file__).with_name("sqlite_log.sql").read_text(encoding="utf-8")

_WRITER_CACHE = 64 * 1024 * 1024
_READER_CACHE = 8 * 1024 * 1024
"""Bytes. Each thread that reads has a cache of its own; what the system caches serves them all."""


class SQLiteRecords:
    """The records in the file at `path`, which is made if need be. Raises `DamagedLog` for a file of another kind."""

    application_id: ClassVar[int] = APPLICATION_ID
    schema: ClassVar[str] = SCHEMA
    synchronous: ClassVar[str] = "FULL"
    remedy: ClassVar[str] = (
        "Stop everything that uses it, keep the file, put the last good copy of it in its place (with its -wal "
        "file, if the copy has one), and start again; read models are rebuilt from it by `civic-ledger project`."
    )

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = threading.local()
        """The connection that a thread holds within `reading`."""
        self._idle: list[sqlite3.Connection] = []
        """Connections that nobody is reading with; as many as ever read at the same time."""
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            made = self._is_made()
            self._writer = self._connect(_WRITER_CACHE)
            if not made:
                self._make()
        self._upgrade()

    def head(self) -> int:
        with self._reader() as reader:
            position: int = reader.execute(statements.HEAD).fetchone()[0]
        return position

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        with self._reader() as reader:
            return sqlite_reading.select(reader, selections, after=after, limit=limit)

    def select_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        with self._reader() as reader:
            return sqlite_reading.select_each(reader, selections)

    def latest_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        with self._reader() as reader:
            return sqlite_reading.latest_each(reader, selections)

    def position_of(self, event_id: str) -> int | None:
        with self._reader() as reader:
            row = reader.execute(statements.POSITION_OF, (event_id,)).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._reported():
            reader = self._take_reader()
            reader.execute("BEGIN")
        self._reading.connection = reader
        try:
            yield
        finally:
            self._reading.connection = None
            reader.execute("ROLLBACK")
            self._idle.append(reader)

    def verify(self) -> None:
        with self._reader() as reader:
            found = [row[0] for row in reader.execute("PRAGMA quick_check(3)")]
            if found != ["ok"]:
                raise self._damaged("; ".join(found))
            count, last = reader.execute("SELECT count(*), max(position) FROM records").fetchone()
        if count != (last or 0):
            raise self._damaged(f"{count:,} records, but the last position is {last:,}")

    def close(self) -> None:
        with self._writing:
            for connection in self._connections:
                connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The one connection that writes; what it wrote is kept unless the block raises."""
        with self._writing, self._reported():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _is_made(self) -> bool:
        """Whether there is a log already. A file of another kind is refused, and nothing in it changed."""
        with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT)) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")]
            (
                application,
                version,
            ) = (  # after the tables: another process may be making the same file
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            )
        known = version == SCHEMA_VERSION or version in UPGRADABLE
        if tables and not (application == self.application_id and known):
            raise self._damaged(
                f"it is not a log that this version knows (schema {version}, tables "
                f"{', '.join(sorted(tables)[:5])}; known is schema {SCHEMA_VERSION})"
            )
        return bool(tables)

    def _make(self) -> None:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            if writer.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
                for statement in self.schema.split(";;"):
                    writer.execute(statement)
                writer.execute(f"PRAGMA application_id = {self.application_id}")
                writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise

    def _upgrade(self) -> None:
        if _version(self._writer) != SCHEMA_VERSION:
            with self.transaction() as writer:
                if _version(writer) != SCHEMA_VERSION:  # no other process was faster
                    upgrade(writer, self.schema)
                    writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _connect(self, cache: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=LOCK_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=KEPT_STATEMENTS,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        connection.execute(f"PRAGMA cache_size = -{cache // 1024}")
        # Pages: an index page that many commits change is then copied into the file once for all of them.
        connection.execute("PRAGMA wal_autocheckpoint = 20000")
        self._connections.append(connection)
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with: the thread's own within `reading`, else one that is idle."""
        held: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        with self._reported():
            reader = held or self._take_reader()
            try:
                yield reader
            finally:
                if held is None:
                    self._idle.append(reader)

    def _take_reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            reader = self._connect(_READER_CACHE)
            reader.execute("PRAGMA query_only = ON")
            return reader

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what SQLite says into the errors of the port."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LogUnavailable(f"the log {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, found: str) -> DamagedLog:
        return DamagedLog(
            f"The log {self.path} is damaged or of another kind: {found}. {self.remedy}"
        )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
