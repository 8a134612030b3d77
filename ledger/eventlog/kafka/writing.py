"""Writing to the topic: batch after batch, each in one transaction, by one producer that fences those before it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import Superseded, reported
from ledger.eventlog.kafka.producer import Written
from ledger.eventlog.kafka.records import OPENING, headers
from ledger.eventlog.port import LogUnavailable, NewEvent

INTERRUPTED = (
    "{address}: the next record should have come to offset {expected}, but came to {found}: somebody else has written "
    "to the topic (only the sequencer may: see its access rules), or a broker was killed and has marked a commit twice."
)
LOST = (
    "{address}: the next record should have come to offset {expected}, but came to {found}: the topic has lost "
    "records. Compare with a replica or a public copy."
)


class Epoch:
    """One producer, from its taking over until something goes wrong: then there is a new one.

    `transactional_id` fences: from its start on, no earlier producer with the same one gets anything in.

    It never aborts a transaction that it could commit. A broker that dies right after it has answered a commit may
    forget to write the mark of it (KAFKA-20734; seen with 4.3.1): what was answered then stays unseen until the same
    producer ends another transaction, and *that* one's mark decides on both. A commit brings the records back, an abort
    would lose them.
    """

    def __init__(self, clients: Clients, transactional_id: str, largest: int) -> None:
        self._clients = clients
        self._producer = clients.producer(transactional_id, largest)
        self._unmarked: int | None = None
        """The offset after the last record written here, where the mark of its transaction should stand."""

    def open(self) -> None:
        """Commit a record that is none of the log's, and with it what a broker has forgotten to mark.

        Raises what `write` raises.
        """
        limit = self._limit()
        with self._reported():
            self._send([(b"", [(OPENING, b"")])], limit)
            self._producer.commit_within(_left(limit))

    def write(self, new: Sequence[tuple[int, NewEvent]], at: int, until: float) -> int:
        """Write records with their positions, the first of them at the offset `at` or, after a mark, the next one.

        Gives the offset after the last record. Raises `Superseded`: none is in the log. `LogUnavailable`: nothing is
        known, and the epoch is over. Both come by the moment `until`, on `time.monotonic`'s clock.
        """
        limit = min(until, self._limit())
        with self._reported():
            first, last = self._send([(one.entry, headers(n, one)) for n, one in new], limit)
            if first < at:
                raise self._unexpected(LOST, at, first)
            self._producer.commit_within(_left(limit))
        marked = at + 1 if at == self._unmarked else at
        self._unmarked = last + 1
        if first not in (at, marked) or last - first != len(new) - 1:
            raise self._unexpected(INTERRUPTED, marked, first)
        return last + 1

    def close(self) -> None:
        """End without waiting for anything. May be called from any thread, and ends a `write` there."""
        self._producer.abandon()

    def _send(self, records: Sequence[Written], limit: float) -> tuple[int, int]:
        """Send records in a new transaction. The offsets of the first and the last one."""
        self._producer.begin_transaction()
        return self._producer.send_within(self._clients.partition, records, _left(limit))

    def _limit(self) -> float:
        return time.monotonic() + self._clients.step

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            with reported(self._clients.address):
                yield
        except LogUnavailable as error:
            if self._producer.fenced:  # whatever it was that failed for it
                raise Superseded(str(self._producer.fenced)) from error
            raise

    def _unexpected(self, what: str, expected: int, found: int) -> LogUnavailable:
        address = self._clients.address
        return LogUnavailable(what.format(address=address, expected=expected, found=found))


def _left(limit: float) -> float:
    return max(0.001, limit - time.monotonic())
