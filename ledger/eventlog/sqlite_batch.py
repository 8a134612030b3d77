"""How appends are stored in the SQLite log: many in one transaction, each on its own conditions."""

import sqlite3
from collections.abc import Iterator, Sequence

import orjson

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.port import Append, Appended, Conflict, Guard, NewEvent, Selection
from ledger.eventlog.sqlite_keys import index_rows, tag_key, type_key
from ledger.eventlog.sqlite_reading import select
from ledger.sqlite_rows import insert_rows


def insert_events(writer: sqlite3.Connection, events: Sequence[tuple[int, NewEvent]]) -> None:
    """Store events with their positions."""
    records = [
        (position, event.id, event.type, event.entry, orjson.dumps(event.tags))
        for position, event in events
    ]
    tags = index_rows((position, event.type, event.tags) for position, event in events)
    insert_rows(writer, statements.RECORDS, records)
    insert_rows(writer, statements.TAGS, tags)


class Batch:
    """Appends that are stored in one transaction: each is checked against the file and those before it."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._head: int = writer.execute(statements.HEAD).fetchone()[0]
        self._position = self._head
        self._ids: dict[str, int] = {}
        self.new: list[tuple[int, NewEvent]] = []
        """What is stored, with its positions."""
        self._latest: dict[str | None, dict[str, int]] = {None: {}}
        """The positions of what is stored: of the last of each type, by tag, and of all of them (None)."""

    def store(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        ids = [event.id for append in appends for event in append.events if event.id is not None]
        if ids:
            self._ids.update(
                self._writer.execute(statements.POSITIONS_OF, (orjson.dumps(ids).decode(),))
            )
        overtaken = self._overtaken(appends)
        outcomes = [self._append(one, n in overtaken) for n, one in enumerate(appends)]
        insert_events(self._writer, self.new)
        return outcomes

    def _overtaken(self, appends: Sequence[Append]) -> set[int]:
        """The places of those with a guard that an event in the file breaks."""
        asked: dict[tuple[str, ...], dict[tuple[tuple[str, ...], int], list[int]]] = {}
        for n, append in enumerate(appends):
            for (types, tags), after, known_to in append.guards:
                if known_to < self._head:
                    asked.setdefault(types, {}).setdefault((tags, after), []).append(n)
        return {
            n
            for types, of_types in asked.items()
            for guard in self._broken(types, list(of_types))
            for n in of_types[guard]
        }

    def _broken(
        self, types: tuple[str, ...], guards: Sequence[tuple[tuple[str, ...], int]]
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Those of the guards (tags, a position) after which the file has an event of one of the types."""
        together = [one for one in guards if types and len(one[0]) == 1]
        doubtful = [one for one in guards if not types or len(one[0]) != 1]
        if together:
            wanted = orjson.dumps([(tag_key(tag), after) for (tag,), after in together]).decode()
            sql = statements.exists_each(len(types))
            found = self._writer.execute(sql, (wanted, *map(type_key, types)))
            doubtful += [together[n] for (n,) in found]
        for tags, after in doubtful:
            if select(self._writer, (Selection(types, tags),), after=after, limit=1):
                yield tags, after

    def _append(self, append: Append, overtaken: bool) -> Appended | Conflict:
        first, last = append.events[0].id, append.events[-1].id
        if first is not None and first in self._ids:
            return Appended(self._ids[last or first], again=True)
        if overtaken or any(map(self._is_broken, append.guards)):
            return Conflict(append.guards)
        for event in append.events:
            self._position += 1
            self.new.append((self._position, event))
            self._latest[None][event.type] = self._position
            for tag in event.tags:
                self._latest.setdefault(tag, {})[event.type] = self._position
            if event.id is not None:
                self._ids[event.id] = self._position
        return Appended(self._position)

    def _is_broken(self, guard: Guard) -> bool:
        """Whether an event that this batch stores stands in the way."""
        (types, tags), after, _ = guard
        latest = self._latest.get(tags[0] if tags else None)
        if latest is None:
            return False
        for one in types or latest:
            if latest.get(one, 0) > after:
                break
        else:
            return False
        return len(tags) < 2 or any(
            position > after and guard.selection.covers(event.type, event.tags)
            for position, event in self.new
        )
