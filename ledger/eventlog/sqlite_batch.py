"""How appends are stored in the SQLite log: many in one transaction, each on its own conditions."""

import sqlite3
from collections.abc import Iterable, Sequence

import orjson

from ledger.eventlog import sqlite_statements as statements
from ledger.eventlog.port import Append, Appended, Conflict, Guard, NewEvent
from ledger.sqlite_rows import insert_rows


def insert_events(writer: sqlite3.Connection, events: Sequence[tuple[int, NewEvent]]) -> None:
    """Store events with their positions."""
    records = [
        (position, event.id, event.type, event.entry, orjson.dumps(event.tags))
        for position, event in events
    ]
    tags = [(tag, event.type, position) for position, event in events for tag in set(event.tags)]
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
        self._checked: dict[Guard, bool] = {}
        self._latest: dict[tuple[str | None, str | None], int] = {}

    def store(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        ids = [event.id for append in appends for event in append.events if event.id is not None]
        if ids:
            self._ids.update(
                self._writer.execute(statements.POSITIONS_OF, (orjson.dumps(ids).decode(),))
            )
        self._look_up(guard for append in appends for guard in append.guards)
        outcomes = [self._append(append) for append in appends]
        insert_events(self._writer, self.new)
        return outcomes

    def _look_up(self, guards: Iterable[Guard]) -> None:
        """Check guards of one tag against the file in one go; what is left is checked as it is met."""
        of_types: dict[tuple[str, ...], dict[Guard, None]] = {}
        for guard in guards:
            types, tags = guard.selection
            if types and len(tags) == 1 and guard.known_to < self._head:
                of_types.setdefault(types, {})[guard] = None
        for types, asked in of_types.items():
            wanted = [(guard.selection.tags[0], guard.after) for guard in asked]
            found = self._writer.execute(
                statements.exists_each(len(types)), (orjson.dumps(wanted).decode(), *types)
            )
            conflicting = {key for (key,) in found}
            self._checked.update((guard, n in conflicting) for n, guard in enumerate(asked))

    def _append(self, append: Append) -> Appended | Conflict:
        first, last = append.events[0].id, append.events[-1].id
        if first is not None and first in self._ids:
            return Appended(self._ids[last or first], again=True)
        if self._conflicts(append.guards):
            return Conflict(append.guards)
        for event in append.events:
            self._position += 1
            self.new.append((self._position, event))
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
            sql = statements.exists((len(selection.types), len(selection.tags)))
            (found,) = self._writer.execute(sql, statements.values_of(selection, after)).fetchone()
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
            for position, event in self.new
        )
