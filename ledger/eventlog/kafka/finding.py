"""Where a position stands in the topic: markers of transactions, and records of others, take offsets too."""

from collections.abc import Iterator
from typing import Self

from ledger.eventlog.kafka.client import Clients, message
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.reading import end_of
from ledger.eventlog.kafka.records import position_in

_TAIL = 1_000
"""Offsets looked through at a time, from the end on, for the last record."""

_ANSWER_WITHIN = 2_000
"""Milliseconds; after these, there is nothing to read (an open transaction may hold the end back)."""


class Finder:
    """Looks for positions. Raises what `errors.reported` raises."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._consumer = clients.consumer()
        self._end = end_of(clients)
        with reported(clients.address):
            self._consumer.assign([clients.partition])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1_000)

    def offset_after(self, position: int) -> int:
        """An offset from which on the record after `position` is the log's next one (a search by halves)."""
        low, high = position, self._end  # a record never stands before its position's own offset
        while low < high:
            middle = (low + high) // 2
            found = next(self._positions(middle, high, at_most=10), None)
            if found is None or found > position:
                high = middle
            else:
                low = middle + 1
        return low

    def last_position(self) -> int:
        """The position of the last record; 0 for an empty log."""
        high = self._end
        while high > 0:
            low = max(0, high - _TAIL)
            last = max(self._positions(low, high), default=0)
            if last:
                return last
            high = low
        return 0

    def _positions(self, start: int, end: int, at_most: int = _TAIL) -> Iterator[int]:
        """The positions of the records from one offset to before another."""
        partition = self._clients.partition
        with reported(self._clients.address):
            self._consumer.seek(partition, start)
            while self._consumer.position(partition) < end:
                before = self._consumer.position(partition)
                found = self._consumer.poll(_ANSWER_WITHIN, max_records=at_most).get(partition, ())
                for one in map(message, found):
                    position = position_in(one.headers)
                    if position is not None and one.offset < end:
                        yield position
                if not found and self._consumer.position(partition) == before:
                    return
