"""The threads of a running server: one folds what comes into the read models, one gives the steward's commands."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial

from projections.stores.port import StoreUnavailable, Work
from projections.watch import Watch
from projections.worker import Worker
from services.assembly import System
from services.status import lag_seconds

PAUSE = 0.1
"""Seconds after a small batch in which the next one gathers: many small transactions cost the most."""

FEW, MANY = 4, 2_000
"""Events in a batch. After fewer, nothing gathers, and a single choice is visible at once; after more, there is a
backlog. In both cases there is no pause."""

LOOK = 0.02
"""Seconds between two looks at models that are folded elsewhere, while they are behind."""

STEWARD_PAUSE = 1.0
RETRY_PAUSE = 1.0
TELL_PAUSE = 5.0
"""Seconds between two reports of this process in the store, for `civic-ledger status`."""

CLAIM_PATIENCE = 0.2
TURN_PAUSE = 0.5
"""Seconds between two looks whether it is this process's turn to write."""

FOLDING = "read models"

_logger = logging.getLogger(__name__)


def _name() -> str:
    """This process, among all that may work on one store."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Upkeep:
    """Follows the log until it is stopped. What fails is tried again, and shown until it works.

    `worker` folds other models than the system's own, or watches those that others fold, if it is given. Each of
    `also` is done again and again, on a thread of its own; it is given the event that tells it to stop.
    """

    def __init__(
        self,
        system: System,
        *,
        takes_commands: bool = True,
        worker: Worker | Watch | None = None,
        also: Mapping[str, Callable[[threading.Event], None]] | None = None,
    ) -> None:
        self._system = system
        self._worker: Worker | Watch = worker or system.worker
        self._stop = threading.Event()
        self._failing: set[str] = set()
        self._errors: dict[str, tuple[float, Exception]] = {}
        work: list[tuple[str, Callable[[], None]]] = [(FOLDING, self._fold), ("report", self._tell)]
        if takes_commands:
            work += [("steward", self._attend), ("turn to write", self._take_turn)]
        work += [(name, partial(job, self._stop)) for name, job in (also or {}).items()]
        self._threads = [
            threading.Thread(target=self._keep_doing, args=one, name=one[0], daemon=True)
            for one in work
        ]
        self._attended_at = -1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs until the end of the block."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            with suppress(StoreUnavailable):
                self._system.store.forget(_name())

    def head(self) -> int:
        return self._system.log.head()

    def leads(self) -> bool:
        return self._system.log.leads

    def intruders(self) -> int:
        return self._system.log.intruders

    def positions(self) -> dict[str, int]:
        return dict(self._worker.positions)

    def halted(self) -> dict[str, str]:
        """The models that stand still, each with the event that it cannot fold."""
        return {
            model: f"position {halt.position} ({halt.type})"
            for model, halt in self._worker.halted.items()
        }

    def failing(self) -> set[str]:
        return set(self._failing)

    def lag_seconds(self) -> dict[str, float]:
        """For each model, how long the first event that it has yet to fold has been waiting."""
        now = time.time()
        return {
            model: lag_seconds(self._system.log, position, now)
            for model, position in self.positions().items()
        }

    def rates(self) -> dict[str, float]:
        """Events a second that each model folds here."""
        return {model: pace.rate() for model, pace in self._worker.paces.items()}

    def errors(self) -> dict[str, tuple[float, str]]:
        """What went wrong last in each thread, by its kind, and when (seconds since 1970)."""
        return {name: (at, type(error).__name__) for name, (at, error) in self._errors.items()}

    def reached(self) -> int:
        """The position that every model has reached."""
        return min(self._worker.positions.values())

    def _keep_doing(self, name: str, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except Exception as error:  # shown in /healthz until the same work succeeds
                self._errors[name] = (time.time(), error)
                if name not in self._failing:
                    _logger.exception("the thread of the %s fails: %s", name, error)
                self._failing.add(name)
                self._stop.wait(RETRY_PAUSE)
            else:
                self._failing.discard(name)

    def _fold(self) -> None:
        worker = self._worker
        if isinstance(worker, Watch):
            worker.step()
            if self._system.log.wait(self.reached(), timeout=0.25):
                self._stop.wait(LOOK)
            return
        before = self.reached()
        if worker.step():
            if FEW < self.reached() - before < MANY:
                self._stop.wait(PAUSE)
        elif len(worker.halted) == len(worker.positions):  # nothing can change until a restart
            self._stop.wait(RETRY_PAUSE)
        else:
            self._system.log.wait(max(worker.positions.values()), timeout=0.25)

    def _tell(self) -> None:
        """Let `civic-ledger status` know how this process fares."""
        now = int(time.time())
        self._system.store.report(
            [
                Work(_name(), model, round(rate), now, self._last_error(model))
                for model, rate in self.rates().items()
            ]
        )
        self._stop.wait(TELL_PAUSE)

    def _last_error(self, model: str) -> str | None:
        halt = self._worker.halted.get(model)
        if halt is not None:
            return f"halted at position {halt.position} ({halt.type}): {halt.reason}"
        if FOLDING not in self._errors:
            return None
        at, error = self._errors[FOLDING]
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
        return f"{when} {type(error).__name__}: {error}"

    def _take_turn(self) -> None:
        """Where only one process may write, be the next one."""
        if not self._system.log.leads:
            self._system.log.claim(CLAIM_PATIENCE)
        self._stop.wait(TURN_PAUSE)

    def _attend(self) -> None:
        reached = self.reached()
        if reached != self._attended_at and self._system.log.leads:
            self._system.steward.attend()
            self._attended_at = reached
        self._stop.wait(STEWARD_PAUSE)
