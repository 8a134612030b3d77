"""What a witness has cosigned, in one SQLite file."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.witnessing import Forked, Latest

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS latest"
    " (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, head BLOB NOT NULL, checkpoint BLOB NOT NULL) STRICT",
    # Proof that a log has two histories: of each size the checkpoint cosigned, and each other one that it signed.
    "CREATE TABLE IF NOT EXISTS forks"
    " (origin TEXT, size INTEGER, head BLOB, cosigned BLOB NOT NULL, checkpoint BLOB NOT NULL,"
    " PRIMARY KEY (origin, size, head)) STRICT",
)
_LATEST = "SELECT size, head, checkpoint FROM latest WHERE origin = ?"
_MOVE = "INSERT OR REPLACE INTO latest (origin, size, head, checkpoint) VALUES (?, ?, ?, ?)"
_FORK = (
    "INSERT OR IGNORE INTO forks (origin, size, head, cosigned, checkpoint) VALUES (?, ?, ?, ?, ?)"
)
_FORKS = "SELECT cosigned, checkpoint FROM forks WHERE origin = ? ORDER BY size, head"


class WitnessUnavailable(Exception):
    """The witness cannot keep what it cosigns, so it cosigns nothing."""


class WitnessStore:
    """In the file at `path`. May be used from any thread and process. Raises `WitnessUnavailable`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            self._connection = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.execute("PRAGMA synchronous = EXTRA")
            for statement in _SCHEMA:
                self._connection.execute(statement)

    def move(self, checkpoint: Checkpoint, note: bytes, check: Callable[[Latest], None]) -> None:
        """Put the checkpoint in the place of the latest, if `check` of that raises nothing; on disk when this returns.

        Nobody else looks or moves meanwhile. A `Forked` is kept as proof.
        """
        with self._transaction() as connection:
            row = connection.execute(_LATEST, (checkpoint.origin,)).fetchone()
            named = (checkpoint.origin, checkpoint.size, checkpoint.head)
            forked: Forked | None = None
            try:
                check(Latest() if row is None else Latest(*row[:2]))
            except Forked as error:
                forked = error
                connection.execute(_FORK, (*named, b"" if row is None else row[2], note))
            else:
                connection.execute(_MOVE, (*named, note))
        if forked is not None:
            raise forked

    def latest(self, origin: str) -> Latest:
        """What was cosigned last."""
        with self._reported(), self._lock:
            row = self._connection.execute(_LATEST, (origin,)).fetchone()
        return Latest() if row is None else Latest(*row[:2])

    def forks(self, origin: str) -> list[tuple[bytes, bytes]]:
        """Pairs of checkpoints of one size, both signed by the log, that contradict each other."""
        with self._reported(), self._lock:
            return self._connection.execute(_FORKS, (origin,)).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reported(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise WitnessUnavailable(f"the witness's file {self._path}: {error}") from error
