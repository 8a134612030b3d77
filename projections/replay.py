"""Folding a model once more: beside the generation that is read, or up to a position in a store of its own."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.eventlog.port import EventLog
from projections.projection import Projection
from projections.stores.port import Generation, State, Store, StoreUnavailable
from projections.stores.sqlite import SQLiteStore
from projections.worker import Progress, Worker

BESIDE = 10_000
"""Events in a batch of a rebuild. The live worker waits while one is written, so they are smaller than its own."""


def rebuilt(
    log: EventLog,
    store: Store,
    projection: Projection,
    progress: Progress | None = None,
    *,
    back: bool = False,
    batch: int = BESIDE,
) -> Generation:
    """Build the model beside the generation that is read, and let the new one be read once it has caught up.

    `back` catches the former generation up instead. Killed, it goes on where it was when it is called again.
    Raises `ModelsHalted`, `NothingToBringBack`, `StoreTooNew`, `StoreUnavailable`.
    """
    beside = store.bring_back(projection) if back else store.rebuild(projection)

    def same(_: Projection) -> Generation:
        found = store.look_up(beside.model, beside.number)
        if found.state is State.KEPT:
            raise StoreUnavailable(
                f"Another process has let another generation of the model {beside.model!r} be read meanwhile."
            )
        return found

    Worker(log, store, [projection], batch, claim=same).catch_up(progress)
    return store.look_up(beside.model, beside.number)


@contextmanager
def as_it_stood(
    log: EventLog,
    projections: Sequence[Projection],
    position: int,
    progress: Progress | None = None,
) -> Iterator[Store]:
    """A store in a temporary file with the models as they stood at a position of the log. Raises `ModelsHalted`."""
    with tempfile.TemporaryDirectory(prefix="civic-replay-") as folder:
        store = SQLiteStore(Path(folder) / "store.sqlite")
        try:
            if position:
                Worker(log, store, projections).catch_up(progress, until=position)
            else:
                Worker(log, store, projections)
            yield store
        finally:
            store.close()
