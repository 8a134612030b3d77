"""The log straight from its topic, without a replica: what a worker follows that only reads on and on.

The workers of one group share the work by Kafka's group coordinator: one of them is given the topic's partition, the
others stand by. Where each stands is kept with what it makes of the log, never in Kafka.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from kafka import ConsumerRebalanceListener
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from ledger.eventlog.kafka.candidacy import HEARTBEAT, SESSION
from ledger.eventlog.kafka.client import Clients, message
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.kafka.finding import Finder
from ledger.eventlog.kafka.records import InOrder
from ledger.eventlog.kafka.topic import checked
from ledger.eventlog.kafka_address import Address, SignIn
from ledger.eventlog.port import (
    EVERYTHING,
    Append,
    Appended,
    Conflict,
    EventLog,
    LogUnavailable,
    Record,
    Selection,
)

READ_ONLY = "{address}: a worker only reads this log; hand commands to a server."
_WAIT = 0.05
"""Seconds to wait for records that may be on their way."""

_HEAD_KNOWN_FOR = 1.0
"""Seconds between two questions to the brokers for the end of the log."""


class TopicFeed(EventLog):
    """Read-only, and for reading on: going back costs a search in the topic. Not for several threads at once.

    Raises `LogUnavailable`, `WrongTopic`, `NotAllowed`, and `DamagedLog` for a missing or repeated position.
    """

    def __init__(
        self, address: Address, group: str, sign_in: SignIn | None = None, *, patience: float
    ) -> None:
        self.address = address
        self._clients = Clients(address, sign_in or SignIn(), patience)
        checked(self._clients, production=False)
        self._share = _Share()
        self._consumer = self._clients.consumer(
            group_id=f"{address.topic}.{group}",
            session_timeout_ms=round(SESSION * 1000),
            heartbeat_interval_ms=round(HEARTBEAT * 1000),
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        with reported(address):
            self._consumer.subscribe([address.topic], listener=self._share)
        self._in_order: InOrder | None = None
        self._ready: deque[Record] = deque()
        self._head = 0
        self._asked = float("-inf")

    @property
    def leads(self) -> bool:
        return False

    def claim(self, patience: float) -> bool:
        return False

    def head(self) -> int:
        """The last position that was committed, as of a second ago at the most."""
        now = time.monotonic()
        if now > self._asked + _HEAD_KNOWN_FOR:
            with Finder(self._clients) as finder:
                self._head = finder.last_position()
            self._asked = now
        return self._head

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        """Records after a position: none while another worker of the group has the partition."""
        if tuple(selections) != EVERYTHING:
            raise LogUnavailable(READ_ONLY.format(address=self.address))
        self._stand_at(after)
        found: list[Record] = []
        while limit is None or len(found) < limit:
            if not self._ready and (self._is_at_end(found) or not self._fetch(_WAIT)):
                break
            while self._ready and (limit is None or len(found) < limit):
                found.append(self._ready.popleft())
        return found

    def wait(self, after: int, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while True:
            self._stand_at(after)
            left = until - time.monotonic()
            if self._ready or left <= 0:
                return bool(self._ready)
            self._fetch(min(left, 0.1))

    def position_of(self, event_id: str) -> int | None:
        raise LogUnavailable(READ_ONLY.format(address=self.address))

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        raise LogUnavailable(READ_ONLY.format(address=self.address))

    def submit(self, append: Append) -> "Future[Appended]":
        raise LogUnavailable(READ_ONLY.format(address=self.address))

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=2_000)

    def _stand_at(self, after: int) -> None:
        """Read on after this position: the next record is at hand, or is fetched."""
        following = self._ready[0].position - 1 if self._ready else None
        if following is None and self._in_order is not None:
            following = self._in_order.position
        if following == after and not self._share.changed:
            return
        self._ready.clear()
        self._in_order = None
        if not self._is_given():
            return
        self._share.changed = False
        with Finder(self._clients) as finder:
            offset = finder.offset_after(after)
        with reported(self.address):
            self._consumer.seek(self._clients.partition, offset)
        self._in_order = InOrder(self.address, after)

    def _is_given(self) -> bool:
        """Whether the partition is this worker's; joins the group if need be."""
        until = time.monotonic() + 1.0
        while not self._share.given.is_set() and time.monotonic() < until:
            with reported(self.address):
                self._consumer.poll(50, max_records=1, update_offsets=False)
        return self._share.given.is_set()

    def _is_at_end(self, found: list[Record]) -> bool:
        """Whether there is nothing more to wait for, having found something."""
        partition = self._clients.partition
        return bool(found) and self._consumer.position(partition) >= (
            self._consumer.highwater(partition) or 0
        )

    def _fetch(self, timeout: float) -> bool:
        """Have the next records at hand. Whether there were any."""
        with reported(self.address):
            found = self._consumer.poll(round(timeout * 1000))
        in_order = self._in_order
        if in_order is None or self._share.changed:
            return False
        for one in found.get(self._clients.partition, ()):
            kept = in_order.next(message(one))
            if kept is not None:
                type_, entry, tags, _ = kept.event
                self._ready.append(Record(kept.position, type_, entry, tags))
        return bool(self._ready)


class _Share(ConsumerRebalanceListener):  # type: ignore[misc]
    """What the group has given to this worker."""

    def __init__(self) -> None:
        self.given = threading.Event()
        self.changed = False
        """Since it last took up reading, the partition was taken from it or given again."""

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        if assigned:
            self.changed = True
            self.given.set()

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        if revoked:
            self.changed = True
            self.given.clear()

    def on_partitions_lost(self, lost: Sequence[Any]) -> None:
        self.on_partitions_revoked(lost)
