"""The last-signed store: what the log's key has signed, or was about to sign when its process died.

Obligations of the port, checked by `tests/contracts/last_signed.py` on every store: of two that move it from the same
place exactly one succeeds; it never moves to a smaller size; once `advance` has said True, it stays moved, whatever
dies. What it says must be relied on, or one key signs two histories: it is backed up never, or together with the log.
"""

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class TreeHead(NamedTuple):
    """A tree of so many entries, and its head."""

    size: int
    head: bytes


class LastSignedUnavailable(Exception):
    """The store could not be read or written. Nothing was signed; it is tried again."""


class LastSigned(ABC):
    """See the module's docstring. May be used from any thread."""

    @abstractmethod
    def read(self, origin: str) -> TreeHead | None:
        """What was signed last in this name; None before the first time. Raises `LastSignedUnavailable`."""

    @abstractmethod
    def advance(self, origin: str, before: TreeHead | None, after: TreeHead) -> bool:
        """Move from `before` to `after`, if it still stands there. Whether it did. Raises `LastSignedUnavailable`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""


_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS last_signed"
    " (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, head BLOB NOT NULL) STRICT"
)
_READ = "SELECT size, head FROM last_signed WHERE origin = ?"
_FIRST = "INSERT INTO last_signed (origin, size, head) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_MOVE = (
    "UPDATE last_signed SET size = ?, head = ?"
    " WHERE origin = ? AND size = ? AND head = ? AND size < ?"
)


class SQLiteLastSigned(LastSigned):
    """In the file at `path`, or in memory where it is None. A commit is on the disk before it is answered."""

    def __init__(self, path: Path | None) -> None:
        self._name = path or "in memory"
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._reported():
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
            )
            # A rollback journal, synced along with its folder: no file beside this one holds what was signed.
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.execute("PRAGMA synchronous = EXTRA")
            self._connection.execute(_SCHEMA)

    def read(self, origin: str) -> TreeHead | None:
        with self._reported(), self._lock:
            row = self._connection.execute(_READ, (origin,)).fetchone()
        return None if row is None else TreeHead(*row)

    def advance(self, origin: str, before: TreeHead | None, after: TreeHead) -> bool:
        with self._reported(), self._lock:
            if before is None:
                moved = self._connection.execute(_FIRST, (origin, *after))
            else:
                moved = self._connection.execute(_MOVE, (*after, origin, *before, after.size))
            return moved.rowcount == 1

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise LastSignedUnavailable(f"the last-signed store {self._name}: {error}") from error
