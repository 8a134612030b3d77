"""The log in one SQLite file: the embedded default.

The file's write lock is the sequencer, so any number of processes may share a log. Every commit is on disk
(`synchronous=FULL`) before anybody is answered; the appends of concurrent callers share one commit.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
from eventsourcing.dcb.api import DCBRecorder
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import InfrastructureFactoryError, TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    DamagedLog,
    EventLog,
    LogUnavailable,
    Record,
    Selection,
    wait_by_polling,
)
from ledger.eventlog.sequencer import Sequencer
from ledger.eventlog.sqlite_batch import Batch

APPLICATION_ID = 0x43495649  # "CIVI"
SCHEMA_VERSION = 1
LOCK_TIMEOUT = 30.0
"""Seconds that a writer waits for another process's commit before it gives up."""

_WRITER_CACHE = 64 * 1024 * 1024
_READER_CACHE = 8 * 1024 * 1024
"""Bytes. Each thread that reads has a cache of its own; what the system caches serves them all."""

SCHEMA = Path(__file__).with_name("sqlite_log.sql").read_text(encoding="utf-8")


class SQLiteLog(EventLog):
    """A log in the file at `path`, which is made if need be. Raises `DamagedLog` for a file of another kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            made = self._is_made()
            self._writer = self._connect(_WRITER_CACHE)
            if not made:
                self._make()
        self._sequencer: Sequencer[Append, Appended] = Sequencer(self.append_batch, str(path))

    def head(self) -> int:
        with self._reported():
            position: int = self._reader().execute(statements.HEAD).fetchone()[0]
        return position

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        sql = statements.select(tuple((len(one.types), len(one.tags)) for one in selections))
        values = [value for one in selections for value in statements.values_of(one, after)]
        values.append(-1 if limit is None else limit)
        with self._reported():
            rows = self._reader().execute(sql, values)
            return [
                Record(position, type_, entry, tuple(orjson.loads(tags)))
                for position, type_, entry, tags in rows
            ]

    def select_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        return self._each(selections, statements.select_each)

    def latest_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        return [records[-1:] for records in self._each(selections, statements.latest_each)]

    def _each(
        self, selections: Sequence[Selection], statement: Callable[[int], str]
    ) -> list[list[Record]]:
        """The records of each selection by a statement that takes one tag and so many types."""
        found: list[list[Record]] = [[] for _ in selections]
        of_types: dict[tuple[str, ...], dict[int, str]] = {}
        for index, (types, tags) in enumerate(selections):
            if types and len(tags) == 1:
                of_types.setdefault(types, {})[index] = tags[0]
            else:
                found[index] = self.select((selections[index],))
        for types, wanted in of_types.items():
            tags_wanted, indexes = orjson.dumps(list(wanted.values())).decode(), list(wanted)
            with self._reported():
                rows = self._reader().execute(statement(len(types)), (tags_wanted, *types))
                for key, position, type_, entry, tags in rows:
                    record = Record(position, type_, entry, tuple(orjson.loads(tags)))
                    found[indexes[key]].append(record)
        return found

    def position_of(self, event_id: str) -> int | None:
        with self._reported():
            row = self._reader().execute(statements.POSITION_OF, (event_id,)).fetchone()
        return None if row is None else row[0]

    def submit(self, append: Append) -> "Future[Appended]":
        return self._sequencer.submit(append)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        with self._writing, self._reported():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                outcomes = Batch(self._writer).store(appends)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        with self._changed:
            self._changed.notify_all()
        return outcomes

    @contextmanager
    def reading(self) -> Iterator[None]:
        reader = self._reader()
        with self._reported():
            reader.execute("BEGIN")
        try:
            yield
        finally:
            reader.execute("ROLLBACK")

    def wait(self, after: int, timeout: float) -> bool:
        with self._changed:
            return wait_by_polling(self.head, after, timeout, self._changed.wait)

    def verify(self) -> None:
        with self._reported():
            reader = self._reader()
            found = [row[0] for row in reader.execute("PRAGMA quick_check(3)")]
            if found != ["ok"]:
                raise self._damaged("; ".join(found))
            count, last = reader.execute("SELECT count(*), max(position) FROM records").fetchone()
        if count != (last or 0):
            raise self._damaged(f"{count:,} records, but the last position is {last:,}")

    def close(self) -> None:
        self._sequencer.close()
        with self._writing:
            for connection in self._connections:
                connection.close()

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
        if tables and (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
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
                for statement in SCHEMA.split(";;"):
                    writer.execute(statement)
                writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise

    def _connect(self, cache: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{cache // 1024}")
        # Pages: an index page that many commits change is then copied into the file once for all of them.
        connection.execute("PRAGMA wal_autocheckpoint = 20000")
        self._connections.append(connection)
        return connection

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = self._connect(_READER_CACHE)
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
            f"The log {self.path} is damaged or of another kind: {found}. Stop everything that uses it, keep "
            "the file, put the last good copy of it in its place (with its -wal file, if the copy has one), "
            "and start again; read models are rebuilt from it by `civic-ledger project`."
        )


class SQLiteFactory(DCBInfrastructureFactory[TrackingRecorder]):
    """Lets any `DCBApplication` of eventsourcing use this log: `PERSISTENCE_MODULE=ledger.eventlog.sqlite`,
    with the file's path in `SQLITE_DBNAME`."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        path = self.env.get("SQLITE_DBNAME")
        if not path or path.startswith((":", "file:")):
            raise InfrastructureFactoryError(
                "set SQLITE_DBNAME to the path of a file (for a log in memory there is eventsourcing.dcb.popo)"
            )
        self._path = Path(path)
        self._logs: list[SQLiteLog] = []

    def dcb_recorder(self) -> DCBRecorder:
        log = SQLiteLog(self._path)
        self._logs.append(log)
        return log

    def close(self) -> None:
        for log in self._logs:
            log.close()
