"""The log on Kafka (design, section 6).

One process is the **sequencer**: it checks each append against the replica and the batch it is building, gives
positions, writes the batch in one Kafka transaction, and only then answers. All others follow the topic.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from ledger.eventlog.kafka.candidacy import Candidacy
from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.errors import Superseded
from ledger.eventlog.kafka.reading import TopicReader, end_of
from ledger.eventlog.kafka.records import Kept, size
from ledger.eventlog.kafka.replica import OutOfStep, Replica, without
from ledger.eventlog.kafka.topic import checked
from ledger.eventlog.kafka.writing import Epoch
from ledger.eventlog.kafka_address import Address, SignIn
from ledger.eventlog.port import (
    Append,
    Appended,
    Conflict,
    DamagedLog,
    EventLog,
    LogUnavailable,
    Misconfigured,
    NewEvent,
    Record,
    Selection,
    StandsBy,
    wait_by_polling,
)
from ledger.eventlog.sequencer import Sequencer

PATIENCE = 15.0
"""Seconds after which a caller is told that an append could not be written, unless set (CIVIC_PATIENCE)."""

RETRY_PAUSE = 0.2

_logger = logging.getLogger(__name__)


class KafkaLog(EventLog):
    """A log in a topic, with a replica in the file at `replica`.

    Opening it brings the replica up to the end of the topic. Raises `LogUnavailable`, `WrongTopic`, `NotAllowed`,
    `DamagedLog`. `production` refuses topics that are too weak to last.
    """

    def __init__(
        self,
        address: Address,
        replica: Path,
        sign_in: SignIn | None = None,
        *,
        production: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self.address = address
        self.intruders = 0
        """Records in the topic that are not of the log's making, found since the start."""
        self.election_patience = patience
        """Seconds that an append waits to be taken here, where another process is the sequencer."""
        self._clients = Clients(address, sign_in or SignIn(), patience)
        self._patience = patience
        self._topic = checked(self._clients, production=production)
        self._replica = _opened(replica, self._topic.id)
        self._appending = threading.Lock()
        self._reading = threading.Lock()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._damage: DamagedLog | None = None
        self._healthy = True
        self._epoch: Epoch | None = None
        self._reader: TopicReader | None = None
        self._taken_to = 0
        """The offset up to which the replica holds what the reader gave."""
        self._candidacy: Candidacy | None = None
        try:
            self._check_replica()
            self._read_to_end()
        except BaseException:
            self._replica.close()
            raise
        self._sequencer: Sequencer[Append, Appended] = Sequencer(self.append_batch, str(address))
        self._follower = threading.Thread(target=self._follow, name="kafka follower", daemon=True)
        self._follower.start()

    # --- reading: from the replica

    def head(self) -> int:
        return self._replica.head()

    def select(
        self, selections: Sequence[Selection], *, after: int = 0, limit: int | None = None
    ) -> list[Record]:
        return self._replica.select(selections, after=after, limit=limit)

    def select_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        return self._replica.select_each(selections)

    def latest_each(self, selections: Sequence[Selection]) -> list[list[Record]]:
        return self._replica.latest_each(selections)

    def position_of(self, event_id: str) -> int | None:
        return self._replica.position_of(event_id)

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._replica.reading():
            yield

    def wait(self, after: int, timeout: float) -> bool:
        if self._damage is not None:
            raise self._damage
        with self._changed:
            return wait_by_polling(self.head, after, timeout, self._changed.wait)

    def verify(self) -> None:
        if self._damage is not None:
            raise self._damage
        self._replica.verify()

    # --- writing: as the sequencer

    @property
    def leads(self) -> bool:
        """Whether this process is the sequencer, ready to write."""
        return self._epoch is not None and self._elected(0)

    def claim(self, patience: float) -> bool:
        with self._appending:
            try:
                self._lead(time.monotonic() + patience)
            except Superseded:
                self._step_down()
            except LogUnavailable as error:
                if isinstance(error, Misconfigured):
                    raise
        return self.leads

    def submit(self, append: Append) -> "Future[Appended]":
        self._check_size(append)
        return self._sequencer.submit(append)

    def submit_from_loop(self, append: Append) -> "asyncio.Future[Appended]":
        self._check_size(append)
        return self._sequencer.submit_from_loop(append)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        """Raises `LogUnavailable` after `patience` seconds at the most: ask again with the same ids."""
        started = time.monotonic()
        named = [_named(append) for append in appends]
        for append in named:
            self._check_size(append)
        with self._appending:
            # Where the last batch was in vain, the next is tried once: its callers have waited already.
            until = started + self._patience if self._healthy else started
            doubtful: set[str] = set()
            while True:
                try:
                    self._lead(until)
                    outcomes = self._sequenced(named, doubtful)
                except Superseded as error:
                    self._step_down()
                    raise LogUnavailable(
                        f"{self.address}: another sequencer has taken over ({error}). Whether this was written is "
                        "not known: ask again, with the same id."
                    ) from error
                except (LogUnavailable, OutOfStep) as error:
                    self._abandon()
                    if isinstance(error, Misconfigured | StandsBy) or time.monotonic() > until:
                        self._healthy = False
                        raise _told(error, self.address) from error
                    self._over.wait(RETRY_PAUSE)
                else:
                    self._healthy = True
                    break
        with self._changed:
            self._changed.notify_all()
        return outcomes

    def close(self) -> None:
        self._sequencer.close()
        self._over.set()
        self._follower.join()
        with self._appending:
            self._abandon()
            if self._candidacy is not None:
                self._candidacy.close()
            self._forget_reader()
            self._replica.close()

    def _sequenced(
        self, appends: Sequence[Append], doubtful: set[str]
    ) -> list[Appended | Conflict]:
        """Write what may be written. `doubtful` are the ids that were sent by a try that ended without an answer."""
        assert self._epoch is not None
        with self._replica.deciding(appends, self._replica.next_offset()) as decided:
            if decided.new:
                ids = {event.id for _, event in decided.new if event.id is not None}
                try:
                    decided.next_offset = self._epoch.write(decided.new, decided.next_offset)
                except LogUnavailable:
                    doubtful |= ids
                    raise
        return [
            outcome._replace(again=False)
            if isinstance(outcome, Appended) and append.events[0].id in doubtful
            else outcome
            for append, outcome in zip(appends, decided.outcomes, strict=True)
        ]

    def _lead(self, until: float) -> None:
        """Be the sequencer, with a replica that holds all there is. Raises `LogUnavailable`, `Superseded`."""
        if self._damage is not None:
            raise self._damage
        if self._candidacy is None:
            self._candidacy = Candidacy(self._clients)
        if not self._elected(min(until - time.monotonic(), self.election_patience)):
            trouble = self._candidacy.trouble
            raise trouble or StandsBy(
                f"{self.address}: another process is this log's sequencer, and only one can be. Send this to that "
                "one, or end it: then this one takes over."
            )
        if self._epoch is None:
            with self._reading:
                epoch = Epoch(self._clients, self.address.topic)
                try:
                    self._read_to_end()
                except BaseException:
                    epoch.close()
                    raise
                self._forget_reader()
                self._epoch = epoch
                _logger.info(
                    "%s: this process is the sequencer from %d on", self.address, self.head() + 1
                )

    def _elected(self, timeout: float) -> bool:
        return self._candidacy is not None and self._candidacy.elected.wait(max(0.0, timeout))

    def _abandon(self) -> None:
        """End the epoch: what became of its last transaction is in the topic, and nowhere else."""
        if self._epoch is not None:
            self._epoch.close()
            self._epoch = None

    def _step_down(self) -> None:
        _logger.error("%s: another sequencer has taken over; this process stands by", self.address)
        self._abandon()
        if self._candidacy is not None:
            self._candidacy.stand_back()

    # --- following: when others write

    def _follow(self) -> None:
        failing = False
        while not self._over.is_set():
            if self._epoch is not None:  # what this process writes, it copies itself
                self._over.wait(0.1)
                continue
            try:
                with self._reading:
                    if self._epoch is None and self._take(self._current_reader().poll(0.1)):
                        with self._changed:
                            self._changed.notify_all()
                failing = False
            except DamagedLog as damage:
                _logger.critical("%s", damage)
                self._damage = damage
                return
            except Exception as error:
                if not failing:
                    _logger.error("following %s fails, and is tried again: %s", self.address, error)
                failing = True
                with self._reading:
                    self._forget_reader()
                self._over.wait(RETRY_PAUSE)

    def _read_to_end(self) -> None:
        """Bring the replica up to the end of the topic."""
        self._forget_reader()  # since it stopped, others may have taken the replica further
        end = end_of(self._clients)
        reader = self._current_reader()
        if end - reader.offset > 100_000:
            _logger.info("%s: reading %d records", self.address, end - reader.offset)
        reader.read_to(end, self._patience, self._take)

    def _take(self, records: list[Kept]) -> bool:
        """Copy what the reader gave. Whether there was anything."""
        reader = self._current_reader()
        if reader.offset == self._taken_to:
            return False
        try:
            self._replica.take(records, (self._taken_to, reader.offset))
        except OutOfStep:
            self._forget_reader()
            return True
        self._taken_to = reader.offset
        return True

    def _current_reader(self) -> TopicReader:
        if self._reader is None:
            with self._replica.reading():
                self._taken_to, after = self._replica.next_offset(), self._replica.head()
            self._reader = TopicReader(self._clients, self._taken_to, after)
        return self._reader

    def _forget_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _check_replica(self) -> None:
        """A replica that holds what the topic does not is made anew."""
        last, offset = self._replica.last(), self._replica.next_offset()
        if last is None:
            return
        if offset <= end_of(self._clients):
            return
        _logger.error(
            "%s: the replica %s holds more than the topic, which ends before offset %d: it is made anew. Records may "
            "be lost: compare with a public copy",
            self.address,
            self._replica.path,
            offset,
        )
        self._replica.start_anew()

    def _check_size(self, append: Append) -> None:
        for event in append.events:
            if (bytes_ := size(event)) > self._topic.max_message_bytes:
                raise LogUnavailable(
                    f"{self.address}: a record of type {event.type!r} would take {bytes_:,} bytes, but the topic "
                    f"takes {self._topic.max_message_bytes:,}. Raise the topic's max.message.bytes."
                )


def _opened(path: Path, topic: str) -> Replica:
    try:
        return Replica.opened(path, topic)
    except DamagedLog as damage:
        _logger.warning("%s", damage)
        without(path)
        return Replica.opened(path, topic)


def _named(append: Append) -> Append:
    """With an id for each event, by which it is found again after an answer that never came."""
    if all(event.id is not None for event in append.events):
        return append
    events = tuple(
        event if event.id is not None else NewEvent(*event[:3], id=uuid.uuid4().hex)
        for event in append.events
    )
    return append._replace(events=events)


def _told(error: Exception, address: Address) -> LogUnavailable:
    if isinstance(error, LogUnavailable):
        return error
    return LogUnavailable(f"{address}: another process uses the same replica; ask again")
