"""Models that other processes keep up to date, seen from one that only reads them."""

from collections.abc import Sequence

from projections.pace import Pace
from projections.projection import Projection
from projections.stores.port import Generation, Halt, State, Store


class Watch:
    """Tells of models what a `Worker` tells of those that it folds. Makes their tables where nobody has yet.

    Raises `StoreUnavailable`, and `StoreTooNew` for models of a newer version.
    """

    def __init__(self, store: Store, projections: Sequence[Projection]) -> None:
        self._store = store
        self._names = {one.name for one in projections}
        self.paces: dict[str, Pace] = {}
        for one in projections:
            store.prepare(one)
        self._see(store.generations())

    def step(self) -> bool:
        """Look how far the models are. Whether one of them has moved."""
        before = self.positions
        self._see(self._store.generations())
        return self.positions != before

    def _see(self, generations: Sequence[Generation]) -> None:
        live = [one for one in generations if one.model in self._names and one.state is State.LIVE]
        self.positions = {one.model: one.position for one in live}
        self.halted: dict[str, Halt] = {one.model: one.halt for one in live if one.halt is not None}
