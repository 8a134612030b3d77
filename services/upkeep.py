"""The threads of a running server: one folds what comes into the read models, one gives the steward's commands."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.assembly import System

PAUSE = 0.05
"""Seconds after a small batch in which the next one gathers: many small transactions cost the most."""

FEW, MANY = 4, 500
"""Events in a batch. After fewer, nothing gathers, and a single choice is visible at once; after more, there is a
backlog. In both cases there is no pause."""

STEWARD_PAUSE = 1.0
RETRY_PAUSE = 1.0
CLAIM_PATIENCE = 0.2
TURN_PAUSE = 0.5
"""Seconds between two looks whether it is this process's turn to write."""

_logger = logging.getLogger(__name__)


class Upkeep:
    """Follows the log until it is stopped. What fails is tried again, and shown until it works."""

    def __init__(self, system: System, *, takes_commands: bool = True) -> None:
        self._system = system
        self._stop = threading.Event()
        self._failing: set[str] = set()
        work = [("read models", self._fold)]
        if takes_commands:
            work += [("steward", self._attend), ("turn to write", self._take_turn)]
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

    def head(self) -> int:
        return self._system.log.head()

    def positions(self) -> dict[str, int]:
        return dict(self._system.worker.positions)

    def halted(self) -> dict[str, str]:
        """The models that stand still, each with the event that it cannot fold."""
        return {
            model: f"position {halt.position} ({halt.type})"
            for model, halt in self._system.worker.halted.items()
        }

    def failing(self) -> set[str]:
        return set(self._failing)

    def reached(self) -> int:
        """The position that every model has reached."""
        return min(self._system.worker.positions.values())

    def _keep_doing(self, name: str, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except Exception as error:  # shown in /healthz until the same work succeeds
                if name not in self._failing:
                    _logger.exception("the thread of the %s fails: %s", name, error)
                self._failing.add(name)
                self._stop.wait(RETRY_PAUSE)
            else:
                self._failing.discard(name)

    def _fold(self) -> None:
        worker = self._system.worker
        before = self.reached()
        if worker.step():
            if FEW < self.reached() - before < MANY:
                self._stop.wait(PAUSE)
        elif len(worker.halted) == len(worker.positions):  # nothing can change until a restart
            self._stop.wait(RETRY_PAUSE)
        else:
            self._system.log.wait(max(worker.positions.values()), timeout=0.25)

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
