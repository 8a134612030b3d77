"""What a running server publishes: checkpoints at a pace, and now and then a digest of its read models."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from projections.attestations import Attestor
from projections.catalogue import all_projections
from projections.tree.publishing import TreeStatus
from projections.tree.worker import TreeWorker
from services.assembly import System

TURN_PAUSE = 0.5
"""Seconds between two looks whether it is this process's turn."""

ATTEST_PAUSE = 1.0

CHECKPOINTS, ATTESTATIONS = "checkpoints", "attestations"
"""What operators read where the work fails."""

Job = Callable[[threading.Event], None]
"""One round of work that is done again and again; it comes back soon once the event is set."""


class Publication:
    """The jobs of the server that takes the commands; another one publishes nothing."""

    def __init__(self, system: System, tree: TreeWorker) -> None:
        self._system = system
        self._tree = tree
        self._attestor = Attestor(system.ledger, system.store, all_projections())
        self._due: float | None = None

    @property
    def status(self) -> TreeStatus:
        return self._tree.status

    def jobs(self) -> Mapping[str, Job]:
        """By the name that operators read."""
        jobs: dict[str, Job] = {CHECKPOINTS: self._publish}
        if self._system.settings.attest_every:
            jobs[ATTESTATIONS] = self._attest
        return jobs

    def _publish(self, stop: threading.Event) -> None:
        if self._system.log.leads:
            self._tree.round(stop, self._system.settings.checkpoint_every)
        else:
            stop.wait(TURN_PAUSE)

    def _attest(self, stop: threading.Event) -> None:
        every = self._system.settings.attest_every
        if self._due is None:
            last = self._attestor.last()
            since = 0.0 if last is None else (datetime.now(UTC) - last).total_seconds()
            self._due = time.monotonic() + every - since
        if time.monotonic() >= self._due and self._system.log.leads:
            self._attestor.attest()
            self._due = time.monotonic() + every
        stop.wait(min(ATTEST_PAUSE, every))
