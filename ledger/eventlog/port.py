"""The port of an event log: what every recorder owes its callers.

It is `eventsourcing.dcb.api.DCBRecorder` (read, append, subscribe) and what a fast, idempotent decision needs
besides. The obligations, checked by `tests/contracts/event_log.py` on every recorder:

- **Order**: positions are 1, 2, 3… without gaps, in the order in which appends were decided.
- **Atomicity**: the events of one append are stored together or not at all; nobody reads a part of them.
- **Conditions**: an append is refused (`Conflict`) if an event that matches one of its guards has a position
  above the guard's. Of appends that are in each other's way, exactly one is stored.
- **Idempotence**: an append whose first event id is in the log already stores nothing and is answered with
  the position at which its last event stands.
- **Durability**: once answered, an append survives the death of the process.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import NamedTuple

from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
    DCBSubscription,
)
from eventsourcing.persistence import IntegrityError, PersistenceError, ProgrammingError

PAGE = 1_000
"""Records read at a time where a whole log is streamed."""

POLL = 0.02
"""Seconds between two looks for events that another process appended."""


class LogUnavailable(PersistenceError):
    """The log could not be read or written. For an append nothing is known: ask again with the same id."""


class StandsBy(LogUnavailable):
    """Another process is the one who may append. Nothing was written: ask that one, or again when it has ended."""


class Misconfigured(LogUnavailable):
    """Somebody has to change a setting first: it is of no use to try again. The message says which."""


class DamagedLog(PersistenceError):
    """What is stored is not what was written. The message says what was found and how to restore."""


class Conflict(IntegrityError):
    """An event was recorded meanwhile that the decision rests on: read again, decide again."""


class NewEvent(NamedTuple):
    """An event on its way into the log. `id` None: it is not guarded against being stored twice."""

    type: str
    entry: bytes
    tags: tuple[str, ...]
    id: str | None = None


class Record(NamedTuple):
    """An entry with its position and tags, as stored."""

    position: int
    type: str
    entry: bytes
    tags: tuple[str, ...]


class Selection(NamedTuple):
    """Events whose type is one of `types` (any, where there are none) and that have all `tags`."""

    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def covers(self, type_: str, tags: Sequence[str]) -> bool:
        return (not self.types or type_ in self.types) and all(tag in tags for tag in self.tags)


class Guard(NamedTuple):
    """No event of the selection may stand after the position `after`.

    `known_to` may say up to which head of the log the caller has looked already, and found none.
    """

    selection: Selection
    after: int
    known_to: int = 0


class Append(NamedTuple):
    """Events that are stored together, if nothing new matches the guards."""

    events: tuple[NewEvent, ...]
    guards: tuple[Guard, ...] = ()


class Appended(NamedTuple):
    """The position of the last event; `again` says that the same append was stored before."""

    position: int
    again: bool = False


EVERYTHING = (Selection(),)


class EventLog(DCBRecorder, ABC):
    """See the module's docstring. All methods may be called from any thread."""

    @abstractmethod
    def head(self) -> int:
        """The position of the last event; 0 for an empty log."""

    @abstractmethod
    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        """The records above `after` that one of the selections covers, in order, at most `limit`."""

    def select_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        """The records of each selection, for many selections that cover few records each."""
        return [self.select((one,)) for one in selections]

    def latest_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        """The last record of each selection, where it has one."""
        return [records[-1:] for records in self.select_each(selections)]

    @abstractmethod
    def position_of(self, event_id: str) -> int | None:
        """The position at which the event with this id stands."""

    @abstractmethod
    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        """Store appends in one go, each seeing those before it. Raises `LogUnavailable`: none was answered."""

    def claim(self, patience: float) -> bool:
        """Become the one who may append, where there can only be one, within so many seconds. Whether it worked."""
        return True

    election_patience = 0.0
    """Seconds that an append waits to be taken here, where another process is the one who may append."""

    @property
    def intruders(self) -> int:
        """Records found where the log is stored that are not of its making: somebody else can write there."""
        return 0

    @property
    def leads(self) -> bool:
        """Whether appends are taken here."""
        return True

    @abstractmethod
    def submit(self, append: Append) -> "Future[Appended]":
        """Store an append together with those of other callers; the future may raise `Conflict`."""

    def submit_from_loop(self, append: Append) -> "asyncio.Future[Appended]":
        """`submit` for the running event loop, which is not held up."""
        return asyncio.wrap_future(self.submit(append))

    @abstractmethod
    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is an event above `after`, at most `timeout` seconds. Whether there is one."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within the block, this thread's `select`s may all be of one moment (and so cost less)."""
        yield

    def verify(self) -> None:
        """Check that what is stored is sound. Raises `DamagedLog`."""

    def close(self) -> None:
        """Answer what was submitted, then let go of files and threads."""

    def read(
        self,
        query: DCBQuery | None = None,
        *,
        after: int | None = None,
        limit: int | None = None,
    ) -> "StreamedResponse":
        head = self.head() if limit is None else None
        return StreamedResponse(self, selections_of(query), after or 0, limit, head)

    def append(
        self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None
    ) -> int:
        if not events:
            raise ProgrammingError("there is no event to append")
        new = tuple(NewEvent(one.type, one.data, tuple(one.tags)) for one in events)
        return self.submit(Append(new, guards_of(condition))).result().position

    def subscribe(
        self, query: DCBQuery | None = None, *, after: int | None = None
    ) -> "WaitingSubscription":
        return WaitingSubscription(self, query=query, after=after)


def selections_of(query: DCBQuery | None) -> tuple[Selection, ...]:
    if query is None or not query.items:
        return EVERYTHING
    return tuple(Selection(tuple(item.types), tuple(item.tags)) for item in query.items)


def guards_of(condition: DCBAppendCondition | None) -> tuple[Guard, ...]:
    if condition is None:
        return ()
    selections = selections_of(condition.fail_if_events_match)
    return tuple(Guard(selection, condition.after or 0) for selection in selections)


def _sequenced(record: Record) -> DCBSequencedEvent:
    event = DCBEvent(type=record.type, data=record.entry, tags=list(record.tags))
    return DCBSequencedEvent(event=event, position=record.position)


class StreamedResponse(DCBReadResponse):
    """Reads page by page, so that a log of any length passes through little memory."""

    def __init__(
        self,
        log: EventLog,
        selections: Sequence[Selection],
        after: int,
        limit: int | None,
        head: int | None,
    ) -> None:
        self._log = log
        self._selections = selections
        self._after = after
        self._left = limit
        self._until = head
        self._page: Iterator[Record] = iter(())
        self._exhausted = False
        self._head = head or None
        if limit is not None:
            records = log.select(selections, after=after, limit=limit)
            self._head = records[-1].position if records else None
            self._page, self._exhausted = iter(records), True

    @property
    def head(self) -> int | None:
        """The last position of the log; with a limit, that of the last event given."""
        return self._head

    def __next__(self) -> DCBSequencedEvent:
        record = next(self._page, None)
        if record is None and not self._exhausted:
            records = self._log.select(self._selections, after=self._after, limit=PAGE)
            self._exhausted = len(records) < PAGE
            self._page = iter(records)
            record = next(self._page, None)
        if record is None or (self._until is not None and record.position > self._until):
            raise StopIteration
        self._after = record.position
        return _sequenced(record)


class WaitingSubscription(DCBSubscription[EventLog]):
    """All events, then each new one as it comes."""

    def __init__(
        self, recorder: EventLog, query: DCBQuery | None = None, after: int | None = None
    ) -> None:
        super().__init__(recorder=recorder, query=query, after=after)
        self._selections = selections_of(query)
        self._page: Iterator[Record] = iter(())

    def __next__(self) -> DCBSequencedEvent:
        while not self._has_been_stopped:
            record = next(self._page, None)
            if record is not None:
                return _sequenced(record)
            head = self._recorder.head()
            records = self._recorder.select(self._selections, after=self._last_position, limit=PAGE)
            if records:
                self._last_position = records[-1].position
                self._page = iter(records)
            else:
                self._last_position = max(self._last_position, head)
                self._recorder.wait(self._last_position, timeout=0.1)
        raise StopIteration


def wait_by_polling(
    head: Callable[[], int], after: int, timeout: float, pause: Callable[[float], object]
) -> bool:
    """Look for a head above `after` every `POLL` seconds; `pause` waits, and may return early."""
    until = time.monotonic() + timeout
    while head() <= after:
        left = until - time.monotonic()
        if left <= 0:
            return False
        pause(min(POLL, left))
    return True
