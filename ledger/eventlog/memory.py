"""The log in memory: the model that says what the others must do. Nothing of it outlives the process."""

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future

from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    EventLog,
    Record,
    Selection,
)


class MemoryLog(EventLog):
    """Lists and one lock."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._positions: dict[str, int] = {}
        self._by_tag: defaultdict[str, list[int]] = defaultdict(list)
        self._by_type: defaultdict[str, list[int]] = defaultdict(list)
        self._changed = threading.Condition(threading.RLock())

    def head(self) -> int:
        return len(self._records)

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        found: list[Record] = []
        with self._changed:
            for record in self._candidates(selections, after):
                if limit is not None and len(found) >= limit:
                    break
                if any(one.covers(record.type, record.tags) for one in selections):
                    found.append(record)
        return found

    def _candidates(self, selections: Sequence[Selection], after: int) -> Sequence[Record]:
        indexes: list[list[int]] = []
        for types, tags in selections:
            if not types and not tags:
                return self._records[after:]
            indexes += [self._by_tag[tags[0]]] if tags else [self._by_type[one] for one in types]
        positions = {p for index in indexes for p in index[bisect_right(index, after) :]}
        return [self._records[position - 1] for position in sorted(positions)]

    def position_of(self, event_id: str) -> int | None:
        return self._positions.get(event_id)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        with self._changed:
            outcomes = [self._append(append) for append in appends]
            self._changed.notify_all()
        return outcomes

    def _append(self, append: Append) -> Appended | Conflict:
        first, last = append.events[0].id, append.events[-1].id
        if first is not None and first in self._positions:
            return Appended(self._positions[last or first], again=True)
        for guard in append.guards:
            if self.select((guard.selection,), after=guard.after, limit=1):
                return Conflict(guard)
        for event in append.events:
            position = len(self._records) + 1
            self._records.append(Record(position, event.type, event.entry, event.tags))
            self._by_type[event.type].append(position)
            for tag in set(event.tags):
                self._by_tag[tag].append(position)
            if event.id is not None:
                self._positions[event.id] = position
        return Appended(len(self._records))

    def submit(self, append: Append) -> "Future[Appended]":
        future: Future[Appended] = Future()
        (outcome,) = self.append_batch((append,))
        if isinstance(outcome, Conflict):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
        return future

    def wait(self, after: int, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.head() > after, timeout)
