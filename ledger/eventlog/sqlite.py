"""The log in one SQLite file: the embedded default.

The file's write lock is the sequencer, so any number of processes may share a log. Every commit is on disk
(`synchronous=FULL`) before anybody is answered; the appends of concurrent callers share one commit.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

import orjson
from eventsourcing.dcb.api import DCBRecorder
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import InfrastructureFactoryError, TrackingRecorder
from eventsourcing.utils import Environment, EnvType

from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    DamagedLog,
    EventLog,
    Guard,
    LogUnavailable,
    NewEvent,
    Record,
    Selection,
    wait_by_polling,
)
from ledger.eventlog.sequencer import Sequencer

APPLICATION_ID = 0x43495649  # "CIVI"
SCHEMA_VERSION = 1
LOCK_TIMEOUT = 30.0
"""Seconds that a writer waits for another process's commit before it gives up."""

SCHEMA = Path(__file__).with_name("sqlite_log.sql").read_text(encoding="utf-8")

_HEAD = "SELECT coalesce(max(position), 0) FROM records"
_POSITION_OF = "SELECT position FROM records WHERE id = ?"
_POSITIONS_OF = "SELECT id, position FROM records WHERE id IN (SELECT value FROM json_each(?))"
_INSERT_RECORD = "INSERT INTO records (position, id, type, entry, tags) VALUES (?, ?, ?, ?, ?)"
_INSERT_TAG = "INSERT INTO tags (tag, type, position) VALUES (?, ?, ?)"


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
            self._writer = self._connect()
            if not made:
                self._make()
        self._sequencer: Sequencer[Append, Appended] = Sequencer(self.append_batch, str(path))

    def head(self) -> int:
        with self._reported():
            position: int = self._reader().execute(_HEAD).fetchone()[0]
        return position

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        sql = _select(tuple((len(one.types), len(one.tags)) for one in selections))
        values = [value for one in selections for value in _values(one, after)]
        values.append(-1 if limit is None else limit)
        with self._reported():
            rows = self._reader().execute(sql, values)
            return [
                Record(position, type_, entry, tuple(orjson.loads(tags)))
                for position, type_, entry, tags in rows
            ]

    def select_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
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
                rows = self._reader().execute(_each(len(types)), (tags_wanted, *types))
                for key, position, type_, entry, tags in rows:
                    record = Record(position, type_, entry, tuple(orjson.loads(tags)))
                    found[indexes[key]].append(record)
        return found

    def position_of(self, event_id: str) -> int | None:
        with self._reported():
            row = self._reader().execute(_POSITION_OF, (event_id,)).fetchone()
        return None if row is None else row[0]

    def submit(self, append: Append) -> "Future[Appended]":
        return self._sequencer.submit(append)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        with self._writing, self._reported():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                outcomes = _Batch(self._writer).store(appends)
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

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        # Pages: an index page that many commits change is then copied into the file once for all of them.
        connection.execute("PRAGMA wal_autocheckpoint = 20000")
        self._connections.append(connection)
        return connection

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = self._connect()
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


class _Batch:
    """Appends that are stored in one transaction: each is checked against the file and those before it."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._head: int = writer.execute(_HEAD).fetchone()[0]
        self._position = self._head
        self._ids: dict[str, int] = {}
        self._new: list[tuple[int, NewEvent]] = []
        self._checked: dict[Guard, bool] = {}
        self._latest: dict[tuple[str | None, str | None], int] = {}

    def store(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        ids = [event.id for append in appends for event in append.events if event.id is not None]
        if ids:
            self._ids.update(self._writer.execute(_POSITIONS_OF, (orjson.dumps(ids).decode(),)))
        outcomes = [self._append(append) for append in appends]
        self._writer.executemany(
            _INSERT_RECORD,
            [
                (position, event.id, event.type, event.entry, orjson.dumps(event.tags))
                for position, event in self._new
            ],
        )
        self._writer.executemany(
            _INSERT_TAG,
            [
                (tag, event.type, position)
                for position, event in self._new
                for tag in set(event.tags)
            ],
        )
        return outcomes

    def _append(self, append: Append) -> Appended | Conflict:
        first, last = append.events[0].id, append.events[-1].id
        if first is not None and first in self._ids:
            return Appended(self._ids[last or first], again=True)
        if self._conflicts(append.guards):
            return Conflict(append.guards)
        for event in append.events:
            self._position += 1
            self._new.append((self._position, event))
            for tag in (None, *event.tags):
                self._latest[tag, event.type] = self._latest[tag, None] = self._position
            if event.id is not None:
                self._ids[event.id] = self._position
        return Appended(self._position)

    def _conflicts(self, guards: tuple[Guard, ...]) -> bool:
        for one in guards:  # noqa: SIM110  (a generator costs more than what it does here)
            if self._conflicts_with_new(one) or self._conflicts_with_old(one):
                return True
        return False

    def _conflicts_with_old(self, guard: Guard) -> bool:
        if guard.known_to >= self._head:
            return False
        known = self._checked.get(guard)
        if known is None:
            selection, after, _ = guard
            sql = _exists((len(selection.types), len(selection.tags)))
            (found,) = self._writer.execute(sql, _values(selection, after)).fetchone()
            known = self._checked[guard] = bool(found)
        return known

    def _conflicts_with_new(self, guard: Guard) -> bool:
        (types, tags), after, _ = guard
        tag = tags[0] if tags else None
        if self._latest.get((tag, None), 0) <= after:
            return False
        for type_ in types or (None,):
            if self._latest.get((tag, type_), 0) > after:
                break
        else:
            return False
        return len(tags) < 2 or any(
            position > after and guard.selection.covers(event.type, event.tags)
            for position, event in self._new
        )


_Shape = tuple[int, int]
"""The numbers of types and of tags in a selection."""


def _values(selection: Selection, after: int) -> list[str | int]:
    """The values of `_positions`, in their order."""
    types, tags = selection
    others: list[str | int] = list(tags[1:])
    first = tags[:1]
    values: list[str | int] = []
    if not types:
        values += (*first, after, *others)
    for one in types:
        values += (*first, one, after, *others)
    return values


def _positions(shape: _Shape) -> str:
    """The positions that a selection covers: one seek into an index for each of its types.

    (With `type IN (…)` SQLite 3.40 takes ten times as long as soon as a statement has several of them.)
    """
    types, tags = shape
    table = "tags t" if tags else "records t"
    of_tag = "t.tag = ? AND " if tags else ""
    of_type = "t.type = ? AND " if types else ""
    other = " AND EXISTS (SELECT 1 FROM tags o WHERE (o.tag, o.type, o.position) = (?, t.type, t.position))"
    one = f"SELECT t.position FROM {table} WHERE {of_tag}{of_type}t.position > ?"
    return " UNION ALL ".join([one + other * (tags - 1)] * (types or 1))


@lru_cache
def _select(shape: tuple[_Shape, ...]) -> str:
    columns = "SELECT r.position, r.type, r.entry, r.tags FROM"
    if shape == ((0, 0),):
        return f"{columns} records r WHERE position > ? ORDER BY position LIMIT ?"
    positions = " UNION ALL ".join(map(_positions, shape))
    if len(shape) > 1:  # one event may be covered by several selections
        positions = f"SELECT DISTINCT position FROM ({positions})"
    return (
        f"{columns} ({positions}) p CROSS JOIN records r ON r.position = p.position"
        " ORDER BY p.position LIMIT ?"
    )


@lru_cache
def _each(types: int) -> str:
    """The records of many tags, of so many types; `key` is the tag's place in the JSON array given."""
    of_types = ", ".join(["(?)"] * types)
    return (
        "SELECT j.key, r.position, r.type, r.entry, r.tags FROM json_each(?) j"
        f" CROSS JOIN (VALUES {of_types}) y"
        " CROSS JOIN tags t ON t.tag = j.value AND t.type = y.column1"
        " CROSS JOIN records r ON r.position = t.position ORDER BY r.position"
    )


@lru_cache
def _exists(shape: _Shape) -> str:
    return f"SELECT EXISTS ({_positions(shape)})"


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
