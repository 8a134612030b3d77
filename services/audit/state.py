"""What an audit remembers for the next one: one SQLite file, changed in one transaction once all was found right.

It holds the checkpoint, the tree's edge, what stands (each voter's choice, each person's home) by key, so that the
next audit reads the new entries and looks up only what they are about. It holds nothing that is not public.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from ledger.transparency.errors import Malformed
from ledger.transparency.tiles import TILE_WIDTH, Tile
from services.audit.bundles import NAME_BYTES
from services.audit.held import Held, Kept, Past, Recalled
from services.audit.source import CannotRead
from services.audit.tree import UpperTree

Value = TypeVar("Value")

VERSION: Final = 1

_SCHEMA = """
CREATE TABLE audited (one INTEGER PRIMARY KEY CHECK (one = 1), document BLOB NOT NULL) STRICT;
CREATE TABLE bundle (number INTEGER PRIMARY KEY, names BLOB NOT NULL) STRICT;
CREATE TABLE event (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE held (
    space TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
"""
_READ = "SELECT document FROM audited"
_WRITE = "INSERT OR REPLACE INTO audited (one, document) VALUES (1, ?)"
_NAMES = "SELECT number, names FROM bundle ORDER BY number"
_PUT_NAMES = "INSERT OR REPLACE INTO bundle (number, names) VALUES (?, ?)"
_HAS_ID = "SELECT 1 FROM event WHERE id = ?"
_PUT_ID = "INSERT INTO event (id) VALUES (?)"
_VALUE = "SELECT value FROM held WHERE space = ? AND key = ?"
_PUT_VALUE = "INSERT OR REPLACE INTO held (space, key, value) VALUES (?, ?, ?)"
_DROP_VALUE = "DELETE FROM held WHERE space = ? AND key = ?"
_COUNTED = "SELECT value, count(*) FROM held WHERE space = ? GROUP BY value"


class Seen(NamedTuple):
    """The log as it was when it was last found right."""

    origin: str
    size: int
    head: bytes
    checkpoint: bytes
    """The signed note, as it was published: evidence, should the log ever say otherwise."""
    tree: UpperTree
    rules: dict[str, Any]
    """What the rulebook had come to."""


class StateFile(Past):
    """The memory of earlier audits of one log. Raises `CannotRead` where the file is not one of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._version = self._prepare()
        except sqlite3.Error as error:
            raise CannotRead(f"{path} cannot be used as a state file: {error}") from error
        self.seen = self._read()

    def close(self) -> None:
        self._database.close()

    # What was

    def held(self, space: str, decode: Callable[[bytes], Value]) -> Held[Value]:
        return Held(space) if self.seen is None else Recalled(space, self._load, decode)

    def counted(self, space: str) -> Iterator[tuple[bytes, int]]:
        if self.seen is None:
            return iter(())
        return iter(self._database.execute(_COUNTED, (space,)).fetchall())

    def knows(self, ids: Iterable[str]) -> bool:
        if self.seen is None:
            return False
        return any(self._database.execute(_HAS_ID, (id_,)).fetchone() for id_ in ids)

    def names(self) -> Iterator[tuple[int, bytes]]:
        """Of each bundle, the first bytes of its entries' hashes."""
        return iter(self._database.execute(_NAMES))

    def _load(self, space: str, key: bytes) -> bytes | None:
        row = self._database.execute(_VALUE, (space, key)).fetchone()
        return None if row is None else bytes(row[0])

    # What is

    def write(
        self,
        seen: Seen,
        names: Iterable[tuple[int, bytes]],
        ids: Iterable[str],
        standing: Iterable[Kept],
    ) -> None:
        """Remember all of it, or nothing. Raises `CannotRead` if the disk does not take it."""
        try:
            with self._transaction():
                self._many(_PUT_NAMES, names)
                self._many(_PUT_ID, ((one,) for one in sorted(ids)))
                for space, values in standing:
                    self._put(space, values)
                self._database.execute(_WRITE, (_document(seen),))
        except sqlite3.Error as error:
            raise CannotRead(f"{self._path} cannot be written: {error}") from error
        self.seen = seen

    def _put(self, space: str, values: Iterable[tuple[bytes, bytes | None]]) -> None:
        ended = []
        standing = []
        for key, value in values:
            if value is None:
                ended.append((space, key))
            else:
                standing.append((space, key, value))
        standing.sort()  # stored side by side, in one pass
        self._many(_DROP_VALUE, ended if self.seen is not None else ())
        self._many(_PUT_VALUE, standing)

    def _many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        self._database.executemany(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._database.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                raise sqlite3.OperationalError("another audit has changed it meanwhile")
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _prepare(self) -> int:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version == 0 and tables == 0:
            self._database.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT"
            )
        elif version != VERSION:
            raise sqlite3.DatabaseError("it is of another version, or of another program")
        (data_version,) = self._database.execute("PRAGMA data_version").fetchone()
        return int(data_version)

    def _read(self) -> Seen | None:
        try:
            row = self._database.execute(_READ).fetchone()
            return None if row is None else _seen(row[0])
        except (sqlite3.Error, Malformed, KeyError, ValueError) as error:
            raise CannotRead(f"{self._path} is damaged: {error}") from error


def _document(seen: Seen) -> bytes:
    tiles = [(*tile_of(one), content.hex()) for one, content in seen.tree.partials()]
    return orjson.dumps(
        {
            "origin": seen.origin,
            "size": seen.size,
            "head": seen.head.hex(),
            "checkpoint": seen.checkpoint.decode(),
            "tiles": tiles,
            "rules": seen.rules,
        }
    )


def tile_of(tile: Tile) -> tuple[int, int, int]:
    return tile.level, tile.index, tile.width


def _seen(document: bytes) -> Seen:
    kept = orjson.loads(document)
    tiles = [(Tile(*place), bytes.fromhex(content)) for *place, content in kept["tiles"]]
    return Seen(
        kept["origin"],
        kept["size"],
        bytes.fromhex(kept["head"]),
        kept["checkpoint"].encode(),
        UpperTree.resume(kept["size"] // TILE_WIDTH, tiles),
        kept["rules"],
    )


def first_difference(names: bytes, leaves: Sequence[bytes]) -> int | None:
    """The first entry of a bundle that is not the one that was seen; None if all that are in both are the same."""
    for at, leaf in enumerate(leaves[: len(names) // NAME_BYTES]):
        if leaf[:NAME_BYTES] != names[at * NAME_BYTES : (at + 1) * NAME_BYTES]:
            return at
    return None
