"""From the topic into the replica: what is copied as it comes, and what is made up for."""

import logging
import threading
import time

from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import HeldBack
from ledger.eventlog.kafka.reading import TopicReader, end_of
from ledger.eventlog.kafka.replica import OutOfStep, Replica
from ledger.eventlog.port import LogUnavailable

HELD_BACK = (
    "{address}: the topic ends at offset {end}, but what was committed can be read only up to {reached}: a transaction "
    "of another producer is open there, or the brokers are slow. Only the sequencer may write to the topic."
)
AHEAD = (
    "%s: the replica %s reaches to offset %d, but the topic ends before offset %d: it is made anew. Records may be "
    "lost: compare with a public copy"
)

MANY = 100_000
"""Records that take long enough to read to say so."""

CONFIRMED_AFTER = 1.0
"""Seconds until the end of the topic is asked for again before a replica is thrown away: it may have a new leader."""

_logger = logging.getLogger(__name__)


class Copier:
    """Copies. Not for several threads at once. Raises what `errors.reported` raises, and `DamagedLog`."""

    def __init__(self, clients: Clients, replica: Replica, over: threading.Event) -> None:
        self._clients = clients
        self._replica = replica
        self._over = over
        self._reader: TopicReader | None = None
        self._copied_to = 0
        """The offset up to which the replica holds what the reader gave."""
        self._last_intruder = -1
        self.intruders = 0
        """Records in the topic that are not of the log's making, found since the start."""

    def follow(self, timeout: float) -> bool:
        """Copy what comes within so many seconds. Whether anything did."""
        reader = self._current_reader()
        records = reader.poll(timeout)
        self._count(reader.intruders)
        if reader.offset == self._copied_to:
            return False
        try:
            self._replica.take(records, (self._copied_to, reader.offset))
        except OutOfStep:
            self.forget_reader()
        else:
            self._copied_to = reader.offset
        return True

    def read_to_end(self, patience: float) -> None:
        """Bring the replica up to the end of the topic. Raises `HeldBack` if nothing comes for so many seconds."""
        self.forget_reader()  # since it stopped, others may have taken the replica further
        end = end_of(self._clients)
        self._check_replica(end)
        if end - self._current_reader().offset > MANY:
            _logger.info("%s: reading up to offset %d", self._clients.address, end)
        until = time.monotonic() + patience
        while not self._has_reached(end):
            if self._over.is_set():
                raise LogUnavailable("the log is closed")
            if self.follow(0.1):
                until = time.monotonic() + patience
            elif time.monotonic() > until:
                address, reached = self._clients.address, self._current_reader().offset
                raise HeldBack(HELD_BACK.format(address=address, end=end, reached=reached))

    def is_in_step(self) -> bool:
        """Whether all that was committed is in the replica, and all that is there was committed.

        It may not look so for a moment while something is being written.
        """
        copied, end = self._replica.next_offset(), self._current_reader().committed_end()
        # The mark of the last transaction may come after the last record.
        return end in (copied, copied + 1)

    def forget_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _has_reached(self, end: int) -> bool:
        """Whether all is copied, and known to be committed: who wrote it has copied it before others see it."""
        reader = self._current_reader()
        return reader.offset >= end and reader.committed_end() >= end

    def _current_reader(self) -> TopicReader:
        if self._reader is None:
            with self._replica.reading():
                self._copied_to, after = self._replica.next_offset(), self._replica.head()
            self._reader = TopicReader(self._clients, self._copied_to, after)
        return self._reader

    def _count(self, offsets: list[int]) -> None:
        """Each once, however often it is read."""
        new = [one for one in offsets if one > self._last_intruder]
        self.intruders += len(new)
        self._last_intruder = max([self._last_intruder, *new])
        offsets.clear()

    def _check_replica(self, end: int) -> None:
        """A replica that holds what the topic does not is made anew."""
        if self._replica.next_offset() <= end:
            return
        self._over.wait(CONFIRMED_AFTER)
        end, offset = end_of(self._clients), self._replica.next_offset()
        if offset > end:
            _logger.error(AHEAD, self._clients.address, self._replica.path, offset, end)
            self._replica.start_anew()
