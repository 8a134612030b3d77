"""The one loop: read a batch, fold it, write rows and position in one transaction."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.eventlog.port import EVERYTHING, EventLog
from projections.projection import Folded, Projection, folded
from projections.stores.port import Store

BATCH = 20_000
"""Events in a batch. The result does not depend on it; larger ones write each page of the store less often."""

_logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the position reached and the head of the log."""


@dataclass(slots=True)
class Halt:
    """Why a model stands still: an event that cannot be folded. It is never skipped."""

    position: int
    type: str
    reason: str


class ModelsHalted(Exception):
    """Some models stand still at an event that they cannot fold. The message says which and why."""


class Worker:
    """Keeps models of one store up to date with one log.

    Any number of workers may run on the same store: who finds that another was faster takes its position over.
    """

    def __init__(
        self,
        log: EventLog,
        store: Store,
        projections: Sequence[Projection],
        batch: int = BATCH,
    ) -> None:
        self._log = log
        self._store = store
        self._batch = batch
        self._projections = {one.name: one for one in projections}
        self.positions = {name: store.prepare(one) for name, one in self._projections.items()}
        self.halted: dict[str, Halt] = {}
        self.last_advance = time.monotonic()

    def catch_up(self, progress: Progress | None = None) -> int:
        """Fold all there is. The position reached by the model that is behind the most.

        Raises `ModelsHalted` if a model met an event that it cannot fold; the others are caught up all the same.
        """
        while self.step():
            if progress is not None:
                progress(min(self.positions.values()), self._log.head())
        if self.halted:
            raise ModelsHalted(
                "; ".join(
                    f"the model {name!r} halted at position {halt.position} ({halt.type}): {halt.reason}"
                    for name, halt in self.halted.items()
                )
            )
        return min(self.positions.values())

    def run(self, stop: threading.Event) -> None:
        """Fold what comes, until `stop` is set."""
        while not stop.is_set():
            if not self.step():
                self._log.wait(max(self.positions.values()), timeout=0.25)

    def step(self) -> bool:
        """Fold one batch into the models that it is new to. Whether there was one."""
        running = [name for name in self._projections if name not in self.halted]
        if not running:
            return False
        start = min(self.positions[name] for name in running)
        records = self._log.select(EVERYTHING, after=start, limit=self._batch)
        if not records:
            return False
        events: list[Folded] = []
        unreadable: Halt | None = None
        for record in records:
            try:
                events.append(folded(record))
            except Exception as error:  # whatever it is, it must not be skipped
                unreadable = Halt(record.position, record.type, str(error))
                break
        for name in running:
            self._fold(self._projections[name], events, start, unreadable)
        self.last_advance = time.monotonic()
        return True

    def _fold(
        self, projection: Projection, events: list[Folded], start: int, unreadable: Halt | None
    ) -> None:
        after = self.positions[projection.name]
        new = events[max(0, after - start) :]
        if new:
            rows = self._store.batch(projection)
            try:
                projection.fold(new, rows)
            except Exception as error:
                self._narrow_down(projection, new, error)
                return
            to = new[-1].position
            if self._store.advance(projection, rows, after=after, to=to):
                self.positions[projection.name] = to
            else:  # another worker was faster
                self.positions[projection.name] = self._store.prepare(projection)
                return
        if unreadable is not None and self.positions[projection.name] == unreadable.position - 1:
            self._halt(projection, unreadable)

    def _narrow_down(self, projection: Projection, events: list[Folded], error: Exception) -> None:
        """Fold a batch that failed event by event, so that the model stands right before the one at fault."""
        if len(events) == 1:
            reason = f"{type(error).__name__}: {error}"
            self._halt(projection, Halt(events[0].position, events[0].type, reason))
            return
        for event in events:
            if projection.name not in self.halted:
                self._fold(projection, [event], event.position - 1, None)

    def _halt(self, projection: Projection, halt: Halt) -> None:
        self.halted[projection.name] = halt
        _logger.error(
            "model %s halted at position %d (%s): %s",
            projection.name,
            halt.position,
            halt.type,
            halt.reason,
        )
