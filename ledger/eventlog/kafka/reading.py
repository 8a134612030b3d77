"""Reading a log from its topic: what was committed, in order, from any position."""

from ledger.eventlog.kafka.client import Clients, message
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.records import InOrder, Kept
from ledger.eventlog.port import DamagedLog


class TopicReader:
    """Follows the topic from an offset, where the next record is that after the position `after`.

    Not for several threads at once. Raises what `errors.reported` raises, and `DamagedLog`.
    """

    def __init__(self, clients: Clients, offset: int, after: int) -> None:
        self._clients = clients
        self._consumer = clients.consumer(auto_offset_reset="none")  # never back to the beginning
        self._in_order = InOrder(clients.address, after)
        self._damage: DamagedLog | None = None
        self.offset = offset
        """From where it reads on."""
        with reported(clients.address):
            self._consumer.assign([clients.partition])
            self._consumer.seek(clients.partition, offset)

    @property
    def intruders(self) -> list[int]:
        """The offsets of records that were skipped, for they are not of the log's making."""
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

    def committed_end(self) -> int:
        """The offset up to which it is known what was committed."""
        with reported(self._clients.address):
            ends = self._consumer.end_offsets([self._clients.partition])
        end: int = ends[self._clients.partition]
        return end

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1_000)


def end_of(clients: Clients) -> int:
    """The offset after all that brokers hold, committed or not."""
    with clients.admin() as admin:
        found = admin.list_partition_offsets({clients.partition: -1})
        offset: int = found[clients.partition].offset
    return offset
