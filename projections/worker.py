"""The one loop: read a batch, fold it, write rows and position in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.eventlog.port import EVERYTHING, EventLog, Record
from projections.projection import Folded, Projection, folded
from projections.stores.port import Store, StoreUnavailable

BATCH = 40_000
"""Events in a batch. The result does not depend on it; larger ones write each page of the store less often."""

CHUNK = 2_000
"""Events that are in memory at a time; many more would fall out of the processor's cache between two folds."""

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
    Raises `StoreUnavailable` for a store whose models are ahead of the log.
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
        self._check_not_ahead()

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

    def _check_not_ahead(self) -> None:
        """A model that knows more than its log would miss what comes next in silence."""
        head = self._log.head()
        for name, position in self.positions.items():
            if position > head:
                raise StoreUnavailable(
                    f"The model {name!r} stands at position {position:,}, but the log ends at {head:,}: it is "
                    "another log, or an older copy. Read models hold nothing of their own: delete the store, and "
                    "run `civic-ledger project`."
                )

    def step(self) -> bool:
        """Fold one batch into the models that it is new to. Whether there was one."""
        running = [one for name, one in self._projections.items() if name not in self.halted]
        if not running:
            return False
        batches = [_Batch(one, self._store, self.positions[one.name]) for one in running]
        start = reached = min(batch.after for batch in batches)
        unreadable: Halt | None = None
        while unreadable is None and reached < start + self._batch:
            size = min(CHUNK, start + self._batch - reached)
            events, unreadable = _read(self._log.select(EVERYTHING, after=reached, limit=size))
            if not events:
                break
            for batch in batches:
                batch.fold(events)
            reached = events[-1].position
        for batch in batches:
            self._write(batch, unreadable)
        return reached > start or unreadable is not None

    def _write(self, batch: "_Batch", unreadable: Halt | None) -> None:
        name, to = batch.projection.name, batch.reached
        if batch.failed:
            fault = self._first_fault(batch)
            self._write(self._folded(batch, fault.position - 1), None)
            self._halt(batch.projection, fault)
        elif to == batch.after or self._store.advance(
            batch.projection, batch.rows, after=batch.after, to=to
        ):
            self.positions[name] = to
            if unreadable is not None and to == unreadable.position - 1:
                self._halt(batch.projection, unreadable)
        else:  # another worker was faster
            self.positions[name] = self._store.prepare(batch.projection)

    def _first_fault(self, failed: "_Batch") -> Halt:
        """The first event of a batch that its model cannot fold."""
        scratch = _Batch(failed.projection, self._store, failed.after)
        while True:
            events, _ = _read(self._log.select(EVERYTHING, after=scratch.reached, limit=CHUNK))
            if not events:
                raise AssertionError("a fold must not depend on how events come in batches")
            for event in events:
                try:
                    failed.projection.fold([event], scratch.rows)
                except Exception as error:
                    return Halt(event.position, event.type, f"{type(error).__name__}: {error}")
                scratch.reached = event.position

    def _folded(self, failed: "_Batch", to: int) -> "_Batch":
        """The batch anew, up to the position before the event at fault."""
        batch = _Batch(failed.projection, self._store, failed.after)
        while batch.reached < to:
            size = min(CHUNK, to - batch.reached)
            batch.fold(_read(self._log.select(EVERYTHING, after=batch.reached, limit=size))[0])
        return batch

    def _halt(self, projection: Projection, halt: Halt) -> None:
        self.halted[projection.name] = halt
        _logger.error(
            "model %s halted at position %d (%s): %s",
            projection.name,
            halt.position,
            halt.type,
            halt.reason,
        )


class _Batch:
    """What one model makes of the events after the position it stands at, not yet written."""

    def __init__(self, projection: Projection, store: Store, after: int) -> None:
        self.projection = projection
        self.after = self.reached = after
        self.failed = False
        self.rows = store.batch(projection)

    def fold(self, events: list[Folded]) -> None:
        """Fold those events that are new to the model. One that fails spoils the batch."""
        new = [one for one in events if one.position > self.reached]
        if not new or self.failed:
            return
        try:
            self.projection.fold(new, self.rows)
        except Exception:  # which event it was is found by folding one by one
            self.failed = True
        else:
            self.reached = new[-1].position


def _read(records: Sequence[Record]) -> tuple[list[Folded], Halt | None]:
    """The events of records up to the first that cannot be read."""
    events: list[Folded] = []
    for record in records:
        try:
            events.append(folded(record))
        except Exception as error:  # whatever it is, it must not be skipped
            return events, Halt(record.position, record.type, str(error))
    return events, None
