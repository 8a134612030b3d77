"""Who may write: of all processes that want to, Kafka's group coordinator picks one, and another when it dies.

The candidates are a consumer group on the topic's one partition; whoever is given the partition is the sequencer. They
read nothing by it. The election decides who tries; that no two can write is the transactions' doing (`writing`).
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kafka import ConsumerRebalanceListener
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import reported
from ledger.eventlog.port import LogUnavailable

SESSION = 6.0
"""Seconds without a sign of life after which a sequencer counts as dead: the least that brokers allow unless told
otherwise (`group.min.session.timeout.ms`)."""

HEARTBEAT = 0.5

STALE = SESSION - 3 * HEARTBEAT
"""Seconds after which an election is not believed any more by a process that stood still: others may have been elected
meanwhile, and it must not take over from them."""

ELECTION = 2 * SESSION
"""Seconds after which a candidate that has heard of no result stands for election anew."""

PAUSE = 0.2
"""Seconds between two looks of the sequencer at what the group does."""

RETRY_PAUSE = 0.5

_logger = logging.getLogger(__name__)


class Candidacy(ConsumerRebalanceListener):  # type: ignore[misc]
    """Stands for election from its start to its end."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.trouble: Exception | None = None
        """Why it cannot even stand for election, at the moment."""
        self.elsewhere = False
        """Whether another process was elected."""
        self._given = False
        self._awake = time.monotonic()
        self._over = threading.Event()
        self._renew = threading.Event()
        self._consumer: Any = None
        self._thread = threading.Thread(target=self._run, name="kafka candidacy", daemon=True)
        self._thread.start()

    @property
    def elected(self) -> bool:
        """Whether this process was elected, and has not stood still since."""
        return self._given and time.monotonic() - self._awake < STALE

    def stand_back(self) -> None:
        """Let the others go first: somebody else was elected, and this process did not hear of it."""
        self._given = False
        self._renew.set()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        if assigned:
            self._consumer.pause(*assigned)
        self._given, self.elsewhere = bool(assigned), not assigned

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        self._given = False

    def on_partitions_lost(self, lost: Sequence[Any]) -> None:
        self._given = False

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._stand()
            except Exception as error:
                if not isinstance(error, LogUnavailable):
                    _logger.exception("the candidacy fails: %s", error)
                self.trouble = error
                self._over.wait(RETRY_PAUSE)
            finally:
                self._given = self.elsewhere = False
                self._leave()

    def _stand(self) -> None:
        self._renew.clear()
        self._consumer = self._clients.consumer(
            group_id=f"{self._clients.address.topic}.sequencer",
            session_timeout_ms=round(SESSION * 1000),
            heartbeat_interval_ms=round(HEARTBEAT * 1000),
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self._awake = time.monotonic()
        with reported(self._clients.address):
            self._consumer.subscribe([self._clients.address.topic], listener=self)
            # Who holds an election and does not know the topic yet elects nobody; and when it hears of the topic while
            # it votes, kafka-python 3.0.12 may never end the vote.
            self._consumer.topics()
            settled = time.monotonic()
            while not (self._over.is_set() or self._renew.is_set()):
                self._consumer.poll(10 if self._given else 100)
                self.trouble = None
                if self._has_stood_still() or time.monotonic() > settled + ELECTION:
                    break
                if self._given or self.elsewhere:
                    settled = time.monotonic()
                if self._given:  # `poll` looks again and again, which takes a tenth of a processor
                    self._over.wait(PAUSE)

    def _has_stood_still(self) -> bool:
        still = time.monotonic() - self._awake
        if still >= STALE:
            self._given = False
            _logger.warning(
                "%s: this process stood still for %.0f seconds, and stands for election again",
                self._clients.address,
                still,
            )
        self._awake = time.monotonic()
        return still >= STALE

    def _leave(self) -> None:
        if self._consumer is not None:
            with suppress(Exception):
                self._consumer.close(autocommit=False, timeout_ms=2_000)
            self._consumer = None
