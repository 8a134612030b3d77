"""The one loop: read a batch, fold it, write rows and position in one transaction."""

import logging
from collections.abc import Callable, Sequence

from ledger.eventlog.port import EVERYTHING, EventLog, Record
from projections.pace import Pace
from projections.projection import Folded, Projection, folded
from projections.stores.port import Generation, Halt, State, Store, StoreUnavailable

__all__ = ["BATCH", "CHUNK", "Halt", "ModelsHalted", "Progress", "Worker"]

BATCH = 40_000
"""Events in a batch. The result does not depend on it; larger ones write each page of the store less often."""

CHUNK = 2_000
"""Events that are in memory at a time; many more would fall out of the processor's cache between two folds."""

_logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the position reached and the one to reach; first where it begins."""


class ModelsHalted(Exception):
    """Some models stand still at an event that they cannot fold. The message says which and why."""


class Worker:
    """Keeps models of one store up to date with one log.

    Any number of workers may run on the same store: who finds that another was faster takes its position over.
    Which generation of a model it advances, `claim` says (`Store.prepare`); one that is not read yet goes live
    when it has caught up.

    `positions` are those that readers see. Raises `StoreUnavailable` for a store whose models are ahead of the log.
    """

    def __init__(
        self,
        log: EventLog,
        store: Store,
        projections: Sequence[Projection],
        batch: int = BATCH,
        claim: Callable[[Projection], Generation] | None = None,
    ) -> None:
        self._log = log
        self._store = store
        self._batch = batch
        self._claim = claim or store.prepare
        self._projections = {one.name: one for one in projections}
        self._folding: dict[str, Generation] = {}
        self._doubtful = False
        self.positions: dict[str, int] = {}
        self.halted: dict[str, Halt] = {}
        self.paces = {name: Pace() for name in self._projections}
        self._take_over()

    def catch_up(self, progress: Progress | None = None, *, until: int | None = None) -> int:
        """Fold all there is, or up to a position. The position reached by the model that is behind the most.

        Raises `ModelsHalted` if a model met an event that it cannot fold; the others are caught up all the same.
        """
        more = True
        while more:
            if progress is not None:
                progress(self.reached(), self._log.head() if until is None else until)
            more = self.step(until)
        if self.halted:
            raise ModelsHalted(
                "; ".join(
                    f"the model {name!r} halted at position {halt.position} ({halt.type}): {halt.reason}"
                    for name, halt in self.halted.items()
                )
            )
        return self.reached()

    def reached(self) -> int:
        """The position of the model that is behind the most, be it read yet or not."""
        return min(one.position for one in self._folding.values())

    def step(self, until: int | None = None) -> bool:
        """Fold one batch into the models that it is new to. Whether there was anything to do.

        Raises `StoreUnavailable`, `LogUnavailable`: nothing of the batch may have been written, or all of it;
        the next step finds out.
        """
        if self._doubtful:
            self._take_over()
        running = [one for name, one in self._projections.items() if name not in self.halted]
        if not running:
            return False
        try:
            return self._step(running, until)
        except StoreUnavailable:
            self._doubtful = True
            raise

    def _step(self, running: Sequence[Projection], until: int | None) -> bool:
        batches = [_Batch(one, self._store, self._folding[one.name]) for one in running]
        start = reached = min(batch.reached for batch in batches)
        end = start + self._batch if until is None else min(until, start + self._batch)
        unreadable: Halt | None = None
        caught_up = False
        while unreadable is None and reached < end:
            size = min(CHUNK, end - reached)
            events, unreadable = _read(self._log.select(EVERYTHING, after=reached, limit=size))
            for batch in batches:
                batch.fold(events)
            reached = events[-1].position if events else reached
            # A log may give less than it has: a feed whose partition another worker was given, for one.
            caught_up = unreadable is None and len(events) < size and reached >= self._log.head()
            if not events:
                break
        for batch in batches:
            self._write(batch, unreadable)
        switched = caught_up and self._let_live()
        return reached > start or unreadable is not None or switched

    def _write(self, batch: "_Batch", unreadable: Halt | None) -> None:
        name, to = batch.projection.name, batch.reached
        if batch.failed:
            fault = self._first_fault(batch)
            self._write(self._folded(batch, fault.position - 1), None)
            self._halt(name, fault)
        elif to == batch.after or self._store.advance(
            batch.generation, batch.rows, after=batch.after, to=to
        ):
            self._moved(batch.generation._replace(position=to))
            self.paces[name].add(to - batch.after)
            if unreadable is not None and to == unreadable.position - 1:
                self._halt(name, unreadable)
        else:  # another worker was faster, or another generation is live
            self._moved(self._claim(batch.projection))

    def _first_fault(self, failed: "_Batch") -> Halt:
        """The first event of a batch that its model cannot fold."""
        scratch = failed.anew()
        while True:
            events, _ = _read(self._log.select(EVERYTHING, after=scratch.reached, limit=CHUNK))
            if not events:
                raise AssertionError("a fold must not depend on how events come in batches")
            for event in events:
                try:
                    scratch.projection.fold([event], scratch.rows)
                except StoreUnavailable:
                    raise
                except Exception as error:
                    return Halt(event.position, event.type, f"{type(error).__name__}: {error}")
                scratch.reached = event.position

    def _folded(self, failed: "_Batch", to: int) -> "_Batch":
        """The batch anew, up to the position before the event at fault."""
        batch = failed.anew()
        while batch.reached < to:
            size = min(CHUNK, to - batch.reached)
            batch.fold(_read(self._log.select(EVERYTHING, after=batch.reached, limit=size))[0])
        return batch

    def _halt(self, name: str, halt: Halt) -> None:
        _logger.error(
            "model %s halted at position %d (%s): %s", name, halt.position, halt.type, halt.reason
        )
        self._store.halt(self._folding[name], halt)
        self.halted[name] = halt

    def _let_live(self) -> bool:
        """Let those generations be read that were built beside others and have caught up. Whether there were any."""
        beside = [one for one in self._folding.values() if one.state is not State.LIVE]
        for one in beside:
            if one.model not in self.halted and self._store.go_live(one):
                _logger.info("model %s is read from generation %d now", one.model, one.number)
                self._moved(one._replace(state=State.LIVE))
        return bool(beside)

    def _take_over(self) -> None:
        """Find out where the models stand."""
        for projection in self._projections.values():
            self._moved(self._claim(projection))
        self._doubtful = False
        self._check_not_ahead()

    def _moved(self, generation: Generation) -> None:
        """A model stands somewhere else now. While another generation is read, readers see that one's position."""
        name = generation.model
        self._folding[name] = generation
        if generation.state is State.LIVE:
            self.positions[name] = generation.position
        elif name not in self.positions:
            with self._store.snapshot() as at:
                self.positions[name] = at.position(name)

    def _check_not_ahead(self) -> None:
        """A model that knows more than its log would miss what comes next in silence."""
        head = self._log.head()
        for name, generation in self._folding.items():
            position = max(generation.position, self.positions[name])
            if position > head:
                raise StoreUnavailable(
                    f"The model {name!r} stands at position {position:,}, but the log ends at {head:,}: it is "
                    "another log, or an older copy. Read models hold nothing of their own: delete the store, and "
                    "run `civic-ledger project`."
                )


class _Batch:
    """What one model makes of the events after the position it stands at, not yet written."""

    def __init__(self, projection: Projection, store: Store, generation: Generation) -> None:
        self.projection = projection
        self.generation = generation
        self.after = self.reached = generation.position
        self.failed = False
        self.rows = store.batch(generation)
        self._store = store

    def anew(self) -> "_Batch":
        """The same, with nothing folded."""
        return _Batch(self.projection, self._store, self.generation)

    def fold(self, events: list[Folded]) -> None:
        """Fold those events that are new to the model. One that fails spoils the batch.

        Raises `StoreUnavailable`: that is no fault of an event.
        """
        new = [one for one in events if one.position > self.reached]
        if not new or self.failed:
            return
        try:
            self.projection.fold(new, self.rows)
        except StoreUnavailable:
            raise
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
