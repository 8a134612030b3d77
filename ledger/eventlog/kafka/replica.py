"""The index of a log on Kafka: a copy in SQLite, which can be deleted at any time and is made again from the topic."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from ledger.eventlog.kafka.records import Kept
from ledger.eventlog.port import Append, Appended, Conflict, DamagedLog, NewEvent
from ledger.eventlog.sqlite_batch import Batch, insert_events
from ledger.eventlog.sqlite_records import SCHEMA, SQLiteRecords

_PROGRESS = Path(__file__).with_name("replica.sql").read_text(encoding="utf-8")
_PLACE = "SELECT topic, next_offset FROM progress"
_APPLICATION_ID = b"CIVR"
_MOVE = "UPDATE progress SET next_offset = ? WHERE next_offset = ?"

NO_REPLICA = (
    "{path} is no replica, or too damaged to be known for one: it is left as it is. Delete it if it was a replica (it "
    "is made again), or name another file in CIVIC_REPLICA."
)

_logger = logging.getLogger(__name__)


class OutOfStep(Exception):
    """Another process has taken the replica further than this one knows."""


class Replica(SQLiteRecords):
    """A copy of the topic up to an offset. Processes of one machine may share it: whoever is first takes it further."""

    application_id: ClassVar[int] = int.from_bytes(_APPLICATION_ID)
    schema: ClassVar[str] = f"{SCHEMA};;\n{_PROGRESS}"
    synchronous: ClassVar[str] = "NORMAL"  # what a crash takes is read from the topic again
    remedy: ClassVar[str] = (
        "It should be a copy of a topic (CIVIC_REPLICA): stop what uses it and delete it; it is made again."
    )

    @classmethod
    def opened(cls, path: Path, topic: str) -> "Replica":
        """The replica of the topic with this id. One of another topic is made anew.

        Raises `DamagedLog` for a damaged file, and for a file of another kind.
        """
        replica = cls(path)
        with replica.transaction() as writer:
            place = writer.execute(_PLACE).fetchone()
            if place is not None and place[0] != topic:
                _logger.warning("the replica %s is of another topic: it is made anew", path)
                replica._empty(writer)
                place = None
            if place is None:
                writer.execute("INSERT INTO progress VALUES (?, 0)", (topic,))
        return replica

    def next_offset(self) -> int:
        """The offset from which to read on: the topic reaches to it, if it has lost nothing."""
        with self._reader() as reader:
            _, offset = reader.execute(_PLACE).fetchone()
        return int(offset)

    def start_anew(self) -> None:
        """Forget everything but the topic."""
        with self.transaction() as writer:
            (topic, _) = writer.execute(_PLACE).fetchone()
            self._empty(writer)
            writer.execute("INSERT INTO progress VALUES (?, 0)", (topic,))

    def take(self, records: Sequence[Kept], offsets: tuple[int, int]) -> None:
        """Copy records that stand in the topic from one offset to before another one. Raises `OutOfStep`."""
        with self.transaction() as writer:
            self._move(writer, *offsets)
            insert_events(writer, [(position, event) for position, _, event in records])

    @contextmanager
    def deciding(self, appends: Sequence[Append], at: int) -> Iterator["Decided"]:
        """The outcomes of appends, decided on what stands before the offset `at`. Raises `OutOfStep`.

        They are kept if the block ends, having said at which offset the topic stands then.
        """
        with self.transaction() as writer:
            self._move(writer, at, at)
            batch = Batch(writer)
            decided = Decided(batch.store(appends), batch.new, at)
            yield decided
            self._move(writer, at, decided.next_offset)

    def _move(self, writer: sqlite3.Connection, start: int, end: int) -> None:
        if writer.execute(_MOVE, (end, start)).rowcount == 0:
            raise OutOfStep

    def _empty(self, writer: sqlite3.Connection) -> None:
        for (table,) in writer.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall():
            writer.execute(f'DROP TABLE "{table}"')
        for statement in self.schema.split(";;"):
            writer.execute(statement)


class Decided:
    """What is to be sent for a batch of appends, and what their callers are told once it is in the topic."""

    def __init__(
        self,
        outcomes: list[Appended | Conflict],
        new: Sequence[tuple[int, NewEvent]],
        next_offset: int,
    ) -> None:
        self.outcomes = outcomes
        self.new = new
        self.next_offset = next_offset


def remade(path: Path, topic: str) -> Replica:
    """The replica, in the place of a damaged one. A file that cannot be known for one is left: raises `DamagedLog`."""
    with path.open("rb") as file:
        header = file.read(100)  # https://www.sqlite.org/fileformat.html, section 1.3
    if not header.startswith(b"SQLite format 3\0") or header[68:72] != _APPLICATION_ID:
        raise DamagedLog(NO_REPLICA.format(path=path))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    return Replica.opened(path, topic)
