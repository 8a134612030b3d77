"""The facts of a decision, read from the log, and the guards that make up its consistency boundary."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from ledger.codec import decode
from ledger.domain.deciding import Perspective, State
from ledger.domain.event import Happened
from ledger.eventlog.port import EventLog, Guard, NewEvent, Record, Selection

S = TypeVar("S", bound=State)

KEPT_STATES = 50_000
"""Pieces of shared knowledge (questions, areas, where citizens belong) that are kept in memory."""

_Key = tuple[object, Selection]
"""What a state is folded from, and what it starts as."""


class Known(NamedTuple):
    """A state, and the position of the last event folded into it."""

    state: Any
    after: int


class KeptStates:
    """The most recently used shared states. They may be behind the log: guards find that out."""

    def __init__(self) -> None:
        self._states: OrderedDict[_Key, Known] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key) -> Known | None:
        with self._lock:
            known = self._states.get(key)
            if known is not None:
                self._states.move_to_end(key)
            return known

    def has(self, key: _Key) -> bool:
        return key in self._states

    def put(self, key: _Key, known: Known) -> None:
        with self._lock:
            self._states[key] = known
            if len(self._states) > KEPT_STATES:
                self._states.popitem(last=False)


class Foreseen:
    """Records that were read in one go for many decisions, and the head of the log before that."""

    def __init__(
        self, log: EventLog, kept: KeptStates, perspectives: Iterable[Perspective[Any]]
    ) -> None:
        self.head = log.head()
        wanted = {
            key: one.latest
            for one in perspectives
            if (key := _key(one)) and not (one.shared and kept.has(key))
        }
        self._records: dict[_Key, list[Record]] = {}
        for latest in (False, True):
            keys = [key for key, only_last in wanted.items() if only_last == latest]
            read = log.latest_each if latest else log.select_each
            self._records.update(zip(keys, read([key[1] for key in keys]), strict=True))

    def get(self, key: _Key) -> Sequence[Record] | None:
        return self._records.get(key)


class LogFacts:
    """What a decision may know (`ledger.domain.deciding.Facts`).

    Unless `fresh`, shared states are taken as they were last seen, without a look at the log: the guard then
    refuses an append that rests on an old one.
    """

    def __init__(
        self,
        log: EventLog,
        kept: KeptStates,
        *,
        fresh: bool,
        foreseen: Foreseen | None = None,
    ) -> None:
        self._log = log
        self._kept = kept
        self._fresh = fresh
        self._foreseen = foreseen
        self._head = 0 if foreseen is None else foreseen.head
        self._known: dict[_Key, Known] = {}
        self._shared: dict[_Key, bool] = {}
        self._guards: list[Guard] = []
        self.relied_on_kept = False

    def about(self, perspective: Perspective[S]) -> S:
        key = _key(perspective)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look_up(perspective, key)
            if perspective.shared:
                self._shared[key] = perspective.tagged
        state: S = known.state
        return state

    def learn(self, events: Sequence[NewEvent], last: int) -> None:
        """Keep what has become of the shared states, now that these events stand at positions up to `last`.

        Since the guards held, nothing else has happened to them.
        """
        for key, tagged in self._shared.items():
            state, after = self._known[key]
            for position, event in enumerate(events, last - len(events) + 1):
                if key[1].covers(event.type, event.tags):
                    happened = decode(event.entry).event
                    state = state.evolve(Happened(happened, event.tags) if tagged else happened)
                    after = position
            if after != self._known[key].after:
                self._kept.put(key, Known(state, after))

    def guards(self) -> tuple[Guard, ...]:
        return tuple(self._guards)

    def _look_up(self, perspective: Perspective[Any], key: _Key) -> Known:
        selection = key[1]
        kept = self._kept.get(key) if perspective.shared else None
        if kept is not None and not self._fresh:
            self.relied_on_kept = True
            self._guards.append(Guard(selection, kept.after))
            return kept
        known = Known(perspective.start(), 0)
        records = None if self._foreseen is None else self._foreseen.get(key)
        if records is None:
            known = kept or known
            if perspective.latest:
                (records,) = self._log.latest_each((selection,))
            else:
                records = self._log.select((selection,), after=known.after)
        known = _folded(perspective, known, records)
        self._guards.append(Guard(selection, known.after, known_to=self._head))
        if perspective.shared:
            self._kept.put(key, known)
        return known


def _folded(perspective: Perspective[Any], known: Known, records: Sequence[Record]) -> Known:
    state, after = known
    for record in records:
        event = decode(record.entry).event
        state = state.evolve(Happened(event, record.tags) if perspective.tagged else event)
        after = record.position
    return Known(state, after)


def _key(perspective: Perspective[Any]) -> _Key:
    return (perspective.start, Selection(perspective.types, perspective.tags))
