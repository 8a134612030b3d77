"""Reading a log from its topic: what was committed, in order, from any position."""

import time
from collections.abc import Callable

from ledger.eventlog.kafka.client import Clients, message
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.records import InOrder, Kept
from ledger.eventlog.port import DamagedLog, LogUnavailable

HELD_BACK = (
    "{address}: the topic ends at offset {end}, but what was committed can be read only up to {reached}: a transaction "
    "of another producer is open there, or the brokers are slow. Only the sequencer may write to the topic."
)


class TopicReader:
    """Follows the topic from an offset, where the next record is that after the position `after`.

    Not for several threads at once. Raises what `errors.reported` raises, and `DamagedLog`.
    """

    def __init__(self, clients: Clients, offset: int, after: int) -> None:
        self._clients = clients
        self._consumer = clients.consumer()
        self._in_order = InOrder(clients.address, after)
        self._damage: DamagedLog | None = None
        self.offset = offset
        """From where it reads on."""
        with reported(clients.address):
            self._consumer.assign([clients.partition])
            self._consumer.seek(clients.partition, offset)

    @property
    def intruders(self) -> int:
        return self._in_order.intruders

    def poll(self, timeout: float) -> list[Kept]:
        """The next records; none if none come within `timeout` seconds."""
        if self._damage is not None:
            raise self._damage
        with reported(self._clients.address):
            found = self._consumer.poll(round(timeout * 1000)).get(self._clients.partition, ())
            reached: int = self._consumer.position(self._clients.partition)
        records: list[Kept] = []
        for one in found:
            try:
                record = self._in_order.next(message(one))
            except DamagedLog as damage:
                self._damage = damage  # what stands before it is good
                self.offset = one.offset
                if not records:
                    raise
                return records
            if record is not None:
                records.append(record)
        self.offset = reached
        return records

    def read_to(self, end: int, patience: float, take: Callable[[list[Kept]], object]) -> None:
        """Read up to the offset `end`. Raises `LogUnavailable` when nothing comes for `patience` seconds."""
        until = time.monotonic() + patience
        while self.offset < end:
            before = self.offset
            take(self.poll(0.1))
            if self.offset > before:
                until = time.monotonic() + patience
            elif time.monotonic() > until:
                raise LogUnavailable(
                    HELD_BACK.format(address=self._clients.address, end=end, reached=before)
                )

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1_000)


def end_of(clients: Clients) -> int:
    """The offset after all that brokers hold, committed or not."""
    with clients.admin() as admin:
        found = admin.list_partition_offsets({clients.partition: -1})
        offset: int = found[clients.partition].offset
    return offset
