"""The facts of a decision, read from the log, and the guards that make up its consistency boundary."""

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


class Known(NamedTuple):
    """A state, and the guard that keeps anybody from resting on it once there is more to know."""

    state: Any
    guard: Guard


class KeptStates:
    """The most recently used shared states. They may be behind the log: guards find that out.

    May be used from any thread: each step on the dictionary is done as a whole, whatever comes between two of them.
    """

    def __init__(self) -> None:
        self._states: OrderedDict[Perspective[Any], Known] = OrderedDict()

    def get(self, perspective: Perspective[Any]) -> Known | None:
        known = self._states.get(perspective)
        if known is not None:
            try:
                self._states.move_to_end(perspective)
            except KeyError:  # another thread has let go of it
                return known
        return known

    def has(self, perspective: Perspective[Any]) -> bool:
        return perspective in self._states

    def put(self, perspective: Perspective[Any], known: Known) -> None:
        self._states[perspective] = known
        if len(self._states) > KEPT_STATES:
            self._states.popitem(last=False)


class Foreseen:
    """Records that were read in one go for many decisions, and the head of the log before that."""

    def __init__(
        self, log: EventLog, kept: KeptStates, perspectives: Iterable[Perspective[Any]]
    ) -> None:
        self.head = log.head()
        wanted = dict.fromkeys(
            one for one in perspectives if not (one.shared and kept.has(one))
        )  # each of them once
        self._records: dict[Perspective[Any], list[Record]] = {}
        for latest in (False, True):
            some = [one for one in wanted if one.latest == latest]
            read = log.latest_each if latest else log.select_each
            self._records.update(zip(some, read(list(map(_selection, some))), strict=True))

    def get(self, perspective: Perspective[Any]) -> Sequence[Record] | None:
        return self._records.get(perspective)


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
        self._known: dict[Perspective[Any], Known] = {}
        self.relied_on_kept = False

    def about(self, perspective: Perspective[S]) -> S:
        known = self._known.get(perspective)
        if known is None:
            known = self._known[perspective] = self._look_up(perspective)
        state: S = known.state
        return state

    def learn(self, events: Sequence[NewEvent], last: int) -> None:
        """Keep what has become of the shared states, now that these events stand at positions up to `last`.

        Since the guards held, nothing else has happened to them.
        """
        for position, event in enumerate(events, last - len(events) + 1):
            for one, (state, guard) in self._known.items():
                if one.shared and guard.selection.covers(event.type, event.tags):
                    record = Record(position, event.type, event.entry, event.tags)
                    known = Known(_folded(one, state, (record,)), guard._replace(after=position))
                    self._known[one] = known
                    self._kept.put(one, known)

    def guards(self) -> tuple[Guard, ...]:
        return tuple([known.guard for known in self._known.values()])

    def _look_up(self, perspective: Perspective[Any]) -> Known:
        kept = self._kept.get(perspective) if perspective.shared else None
        if kept is not None and not self._fresh:
            self.relied_on_kept = True
            return kept
        selection = _selection(perspective)
        state, after = perspective.start(), 0
        records = None if self._foreseen is None else self._foreseen.get(perspective)
        if records is None and perspective.latest:
            (records,) = self._log.latest_each((selection,))
        elif records is None:
            if kept is not None:
                state, after = kept.state, kept.guard.after
            records = self._log.select((selection,), after=after)
        state = _folded(perspective, state, records)
        if records:
            after = records[-1].position
        known = Known(state, Guard(selection, after, known_to=self._head))
        if perspective.shared:
            self._kept.put(perspective, known)
        return known


def _folded(perspective: Perspective[Any], state: State, records: Sequence[Record]) -> State:
    for record in records:
        event = decode(record.entry).event
        state = state.evolve(Happened(event, record.tags) if perspective.tagged else event)
    return state


def _selection(perspective: Perspective[Any]) -> Selection:
    return Selection(perspective.types, perspective.tags)
