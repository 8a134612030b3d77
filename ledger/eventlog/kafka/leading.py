"""Whose turn it is to write: a process follows the log until it is elected, takes over, and follows again when it must.

All of this happens in one thread. Those who want to write ask for the epoch to write in, and wait for it if need be.
"""

import logging
import threading
import time
from contextlib import suppress

from ledger.eventlog.kafka.candidacy import Candidacy
from ledger.eventlog.kafka.client import Clients
from ledger.eventlog.kafka.copying import Copier
from ledger.eventlog.kafka.errors import HeldBack, RecordTooLarge, Superseded, WrongTopic
from ledger.eventlog.kafka.replica import Replica
from ledger.eventlog.kafka.topic import Topic, checked
from ledger.eventlog.kafka.writing import Epoch
from ledger.eventlog.port import DamagedLog, LogUnavailable, Misconfigured, StandsBy

ELSEWHERE = (
    "{address}: another process is this log's sequencer, and only one can be. Send this to that one, or end it: then "
    "this one takes over."
)
NOBODY = (
    "{address}: the brokers have not said in time which process may write. Check that they run, and CIVIC_LOG; it is "
    "tried again until it works."
)
NOT_AGAIN = "{address}: this process was not elected again, and stands by."
OUT_OF_STEP = (
    "{address}: the topic does not end at offset {offset}, where it was written last: somebody else has written to it, "
    "or a broker has forgotten to mark a commit. It is read again."
)
OTHER_TOPIC = "{address}: the topic was deleted, and another one made with its name. Start again."

SETTLED_WITHIN = 1.0
"""Seconds in which what earlier producers left behind is settled, unless a broker has forgotten it."""

FOLLOW = 0.1
RETRY_PAUSE = 0.2
LOOK = 0.05
"""Seconds between two looks of a waiting writer at why it has to wait."""

ELECTION = 2.0
"""Seconds for which a sequencer goes on while the candidates elect: mostly it is the one again."""

CHECK = 1.0
"""Seconds between two looks of the sequencer whether the topic ends where it has written last."""

_logger = logging.getLogger(__name__)


class Leader:
    """Follows, and leads when it is this process's turn; from its start to its end."""

    def __init__(self, clients: Clients, topic: Topic, replica: Replica) -> None:
        """Brings the replica up to the end of the topic first. Raises what `Copier` raises."""
        self.changed = threading.Condition()
        """Notified when there are new records, or an epoch to write in."""
        self.damage: DamagedLog | None = None
        """What was found in the topic that cannot be read past."""
        self.topic = topic
        self._clients = clients
        self._replica = replica
        self._over = threading.Event()
        self._copier = Copier(clients, replica, self._over)
        self._candidacy: Candidacy | None = None
        self._epoch: Epoch | None = None
        self._trouble: LogUnavailable | None = None
        """Why there is no epoch, if there should be one."""
        self._in_vain = False
        """Whether somebody's patience has ended since it last worked."""
        self._following = True
        """Whether the last try to follow worked."""
        self._elected_at = 0.0
        self._checked_at = 0.0
        self._out_of_step_at = -1
        """Where the replica ended when the topic was last found to end elsewhere."""
        try:
            self._catch_up()
        except BaseException:
            self._copier.forget_reader()
            raise
        self._thread = threading.Thread(target=self._run, name="kafka log", daemon=True)
        self._thread.start()

    @property
    def leads(self) -> bool:
        return self._epoch is not None

    @property
    def in_trouble(self) -> bool:
        """Whether those who write have waited in vain, and the cause is not known to be over."""
        return self._in_vain and self._epoch is None and not isinstance(self._trouble, StandsBy)

    @property
    def intruders(self) -> int:
        return self._copier.intruders

    def epoch(self, until: float, election_patience: float) -> Epoch:
        """The epoch to write in, once it is this process's turn.

        Raises `LogUnavailable` with the reason at the moment `until`, or when another process has been the sequencer
        for the seconds of `election_patience`; `Misconfigured` and `DamagedLog` at once.
        """
        elected_by = min(until, time.monotonic() + election_patience)
        with self.changed:
            if self._candidacy is None:
                self._candidacy = Candidacy(self._clients)
            while self._epoch is None:
                if self.damage is not None:
                    raise self.damage
                why = self._why_not()
                by = elected_by if isinstance(why, StandsBy) else until
                if time.monotonic() >= by or isinstance(why, Misconfigured):
                    raise why
                self.changed.wait(LOOK)
            return self._epoch

    def waited_in_vain(self, error: LogUnavailable) -> None:
        """Somebody's patience has ended: those who come next are told so at once, until there is an epoch again."""
        with self.changed:
            if self._epoch is None and not isinstance(error, StandsBy | RecordTooLarge):
                self._trouble, self._in_vain = error, True

    def end(self, epoch: Epoch, because: LogUnavailable) -> None:
        """The epoch is over: what became of its last transaction is in the topic, and nowhere else."""
        with self.changed:
            if self._epoch is epoch:
                self._epoch = None
                self._note(because)
        epoch.close()

    def step_down(self, epoch: Epoch) -> None:
        """Another sequencer writes."""
        self.end(epoch, self._superseded())

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        if self._epoch is not None:
            self._epoch.close()
        if self._candidacy is not None:
            self._candidacy.close()
        self._copier.forget_reader()

    def _why_not(self) -> Exception:
        assert self._candidacy is not None
        address = self._clients.address
        if self._candidacy.elsewhere:
            return StandsBy(ELSEWHERE.format(address=address))
        known = self._trouble or self._candidacy.trouble
        return known or LogUnavailable(NOBODY.format(address=address))

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._go_on()
            except DamagedLog as damage:
                _logger.critical("%s", damage)
                with self.changed:
                    self.damage = damage
                    self.changed.notify_all()
                return
            except Exception as error:
                self._fail(error)

    def _go_on(self) -> None:
        if self._epoch is not None:
            self._hold(self._epoch)
        elif self._candidacy is not None and self._candidacy.elected:
            self._take_over()
        elif not self._following:
            self._catch_up()
        elif self._copier.follow(FOLLOW):
            self._tell()

    def _hold(self, epoch: Epoch) -> None:
        """What this process writes, it copies itself."""
        assert self._candidacy is not None
        self._over.wait(FOLLOW)
        if self._candidacy.elected:
            self._elected_at = time.monotonic()
        elif time.monotonic() > self._elected_at + ELECTION:
            self.end(epoch, LogUnavailable(NOT_AGAIN.format(address=self._clients.address)))
        if time.monotonic() > self._checked_at + CHECK:
            self._check_end(epoch)
            self._checked_at = time.monotonic()

    def _check_end(self, epoch: Epoch) -> None:
        """While nothing is written: has a broker forgotten to mark the last commit, or has somebody else written?"""
        with suppress(LogUnavailable):  # who writes next is told
            reached = self._replica.next_offset()
            if self._copier.is_in_step():
                self._out_of_step_at = -1
            elif self._out_of_step_at != reached:
                self._out_of_step_at = reached  # it may be in the middle of a batch
            else:
                told = OUT_OF_STEP.format(address=self._clients.address, offset=reached)
                self.end(epoch, LogUnavailable(told))

    def _take_over(self) -> None:
        topic = checked(self._clients, production=False)
        if topic.id != self.topic.id:
            raise WrongTopic(OTHER_TOPIC.format(address=self._clients.address))
        self.topic = topic
        epoch = Epoch(self._clients, self._clients.address.topic, topic.max_message_bytes)
        try:
            try:
                self._copier.read_to_end(SETTLED_WITHIN)
            except HeldBack as held:
                self._trouble = held
                epoch.open()
                self._copier.read_to_end(self._clients.patience)
            self._copier.forget_reader()
        except BaseException:
            epoch.close()
            raise
        self._elected_at = time.monotonic()
        with self.changed:
            self._epoch, self._following = epoch, False
            self._trouble, self._in_vain = None, False
            self.changed.notify_all()
        _logger.info("%s: this process is the sequencer", self._clients.address)

    def _catch_up(self) -> None:
        """Bring the replica up to what can be read."""
        try:
            self._copier.read_to_end(SETTLED_WITHIN)
        except HeldBack as held:
            _logger.warning("%s", held)
        with self.changed:
            self._trouble, self._in_vain, self._following = None, False, True
            self.changed.notify_all()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, Superseded):
            told = self._superseded()
        elif isinstance(error, LogUnavailable):
            told = error
        else:
            _logger.exception("%s: %s", self._clients.address, error)
            told = LogUnavailable(f"{self._clients.address}: {error}")
        self._copier.forget_reader()
        with self.changed:
            self._following = False
            self._note(told)
        self._over.wait(RETRY_PAUSE)

    def _note(self, trouble: LogUnavailable) -> None:
        """Say it, but not again and again."""
        if type(trouble) is not type(self._trouble):
            _logger.error("%s", trouble)
        self._trouble = None if isinstance(trouble, RecordTooLarge) else trouble  # no other is

    def _superseded(self) -> LogUnavailable:
        address = self._clients.address
        if self._candidacy is not None:
            self._candidacy.stand_back()
        return StandsBy(ELSEWHERE.format(address=address))

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()
