"""A store as eventsourcing's `TrackingRecorder`: what it tracks of an application is the position of a model."""

from collections.abc import Sequence

from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder

from projections.projection import Folded, Projection, Rows
from projections.stores.port import State, Store


class StoreTracking(TrackingRecorder):
    """Lets any projection of eventsourcing keep its place in a store of ours, under the name of its application."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def insert_tracking(self, tracking: Tracking) -> None:
        """Raises `IntegrityError` for a position that was tracked already, or passed by."""
        generation = self._store.prepare(_Tracked(tracking.application_name))
        after, to = generation.position, tracking.notification_id
        rows = self._store.batch(generation)
        if to <= after or not self._store.advance(generation, rows, after=after, to=to):
            raise IntegrityError(
                f"{tracking.application_name!r} stands at position {after:,} or above: {to:,} was tracked"
            )

    def max_tracking_id(self, application_name: str) -> int | None:
        for one in self._store.generations():
            if (one.model, one.state) == (application_name, State.LIVE):
                return one.position or None
        return None


class _Tracked(Projection):
    """A model of which nothing but its position is kept."""

    version = 1
    tables = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        """Nothing: whoever tracks folds elsewhere."""
