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

from ledger.eventlog.kafka.client import MAX_REQUEST, Clients
from ledger.eventlog.kafka.errors import RecordTooLarge, Superseded
from ledger.eventlog.kafka.handing import Counter, Messenger
from ledger.eventlog.kafka.leading import Leader
from ledger.eventlog.kafka.records import size
from ledger.eventlog.kafka.replica import OutOfStep, Replica, remade
from ledger.eventlog.kafka.topic import checked
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

NOT_KNOWN = "Whether this was written is not known: ask again, with the same id."
NOT_WRITTEN = "This try has written nothing: ask again, with the same id."

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
        self.election_patience = patience
        """Seconds that an append waits to be taken here, where another process is the sequencer."""
        self._patience = patience
        clients = Clients(address, sign_in or SignIn(), patience)
        topic = checked(clients, production=production)
        self._replica = _opened(replica, topic.id)
        try:
            self._leader = Leader(clients, topic, self._replica)
        except BaseException:
            self._replica.close()
            raise
        self._appending = threading.Lock()
        self._messenger = Messenger(replica)
        self._counter: Counter | None = None
        """While this process is the sequencer."""
        self._sequencer: Sequencer[Append, Appended] = Sequencer(self.append_batch, str(address))

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
        self._check_damage()
        with self._leader.changed:
            return wait_by_polling(self.head, after, timeout, self._leader.changed.wait)

    def verify(self) -> None:
        self._check_damage()
        self._replica.verify()

    @property
    def damage(self) -> DamagedLog | None:
        """What was found in the topic that cannot be read past."""
        return self._leader.damage

    @property
    def intruders(self) -> int:
        """Records in the topic that are not of the log's making, found since the start."""
        return self._leader.intruders

    # --- writing: as the sequencer

    @property
    def leads(self) -> bool:
        """Whether this process is the sequencer, ready to write."""
        return self._leader.leads

    def claim(self, patience: float) -> bool:
        try:
            self._leader.epoch(time.monotonic() + patience, patience)
        except Misconfigured:
            raise
        except LogUnavailable:
            return False
        with self._appending:
            self._open_counter()
        return True

    def submit(self, append: Append) -> "Future[Appended]":
        self._check_size(append)
        return self._sequencer.submit(append)

    def submit_from_loop(self, append: Append) -> "asyncio.Future[Appended]":
        self._check_size(append)
        return self._sequencer.submit_from_loop(append)

    def append_batch(self, appends: Sequence[Append]) -> list[Appended | Conflict]:
        """Raises `LogUnavailable` after `patience` seconds at the most.

        Where the last batch was in vain, and the log has not come back since, it raises at once: its callers have
        waited already, behind that one.
        """
        until = time.monotonic() + (0 if self._leader.in_trouble else self._patience)
        named = [_named(append) for append in appends]
        for append in named:
            self._check_size(append)
        if not self._appending.acquire(timeout=self._patience):
            raise LogUnavailable(f"{self.address}: others are still writing. {NOT_WRITTEN}")
        try:
            outcomes = self._appended(named, until)
        finally:
            self._appending.release()
        with self._leader.changed:
            self._leader.changed.notify_all()
        return outcomes

    def close(self) -> None:
        self._sequencer.close()
        with self._appending:
            self._close_counter()
            self._messenger.close()
            self._leader.close()
            self._replica.close()

    def _appended(self, appends: Sequence[Append], until: float) -> list[Appended | Conflict]:
        """Write, and try again until it is known what came of it, or until then."""
        doubtful: set[str] = set()
        while True:
            try:
                outcomes = self._handed_on(appends, doubtful, until)
                if outcomes is None:
                    outcomes = self._sequenced(appends, doubtful, until)
                return [
                    outcome._replace(again=False)
                    if isinstance(outcome, Appended) and append.events[0].id in doubtful
                    else outcome
                    for append, outcome in zip(appends, outcomes, strict=True)
                ]
            except LogUnavailable as error:
                self._close_counter()
                final = isinstance(error, Misconfigured | StandsBy | _Superseded)
                if final or time.monotonic() >= until:
                    self._leader.waited_in_vain(error)
                    if not doubtful:
                        raise type(error)(f"{error} {NOT_WRITTEN}") from error
                    raise LogUnavailable(f"{error} {NOT_KNOWN}") from error

    def _handed_on(
        self, appends: Sequence[Append], doubtful: set[str], until: float
    ) -> list[Appended | Conflict] | None:
        """The outcomes from the sequencer on this machine, if that is another process."""
        if self._leader.leads or self._counter is not None:
            return None
        try:
            return self._messenger.hand_on(appends, max(1.0, until - time.monotonic()))
        except LogUnavailable:
            firsts = {append.events[0].id for append in appends}
            doubtful |= {one for one in firsts if one and self.position_of(one) is None}
            raise

    def _sequenced(
        self, appends: Sequence[Append], doubtful: set[str], until: float
    ) -> list[Appended | Conflict]:
        """Write what may be written. `doubtful` are the ids that were sent, by this try or one before it."""
        epoch = self._leader.epoch(until, self.election_patience)
        self._open_counter()
        sent: set[str] = set()
        try:
            with self._replica.deciding(appends, self._replica.next_offset()) as decided:
                if decided.new:
                    sent = {event.id for _, event in decided.new if event.id is not None}
                    decided.next_offset = epoch.write(decided.new, decided.next_offset, until)
        except Superseded as error:
            doubtful |= sent
            self._leader.step_down(epoch)
            raise _Superseded(f"{self.address}: another sequencer has taken over.") from error
        except OutOfStep as error:
            told = LogUnavailable(f"{self.address}: another process uses the same replica.")
            self._leader.end(epoch, told)
            raise told from error
        except LogUnavailable as error:
            if not isinstance(error, Misconfigured):  # what the brokers refuse they do not commit
                doubtful |= sent
            self._leader.end(epoch, error)
            raise
        except BaseException:
            self._leader.end(epoch, LogUnavailable(f"{self.address}: an unknown error"))
            raise
        return decided.outcomes

    def _open_counter(self) -> None:
        if self._counter is None:
            self._counter = Counter(self._replica.path, self._sequencer.submit)

    def _close_counter(self) -> None:
        if self._counter is not None:
            self._counter.close()
            self._counter = None

    def _check_damage(self) -> None:
        if self._leader.damage is not None:
            raise self._leader.damage

    def _check_size(self, append: Append) -> None:
        largest = min(self._leader.topic.max_message_bytes, MAX_REQUEST)
        for event in append.events:
            if (bytes_ := size(event)) > largest:
                raise RecordTooLarge(
                    f"{self.address}: a record of type {event.type!r} would take {bytes_:,} bytes, but the topic "
                    f"takes {largest:,}. Raise the topic's max.message.bytes (up to {MAX_REQUEST:,})."
                )


class _Superseded(LogUnavailable):
    """Another process has become the sequencer."""


def _opened(path: Path, topic: str) -> Replica:
    try:
        return Replica.opened(path, topic)
    except DamagedLog as damage:
        _logger.warning("%s", damage)
        return remade(path, topic)


def _named(append: Append) -> Append:
    """With an id for each event, by which it is found again after an answer that never came."""
    if all(event.id is not None for event in append.events):
        return append
    events = tuple(
        event if event.id is not None else NewEvent(*event[:3], id=uuid.uuid4().hex)
        for event in append.events
    )
    return append._replace(events=events)
