"""Which commands may be carried out in one go: none touches what another one rests on."""

from collections import defaultdict
from collections.abc import Sequence

from ledger.eventlog.port import Guard, NewEvent

_Place = tuple[str | None, str | None]
"""A tag (None: any) and a type (None: any)."""


class Independent:
    """Decisions taken on the same facts that could be carried out in any order with the same effect.

    That is so since no event of one is covered by a guard of another. A decision that must be taken
    again, because another process was faster, is the one that it would have been in its place.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._events: defaultdict[_Place, list[NewEvent]] = defaultdict(list)
        self._guards: defaultdict[_Place, list[Guard]] = defaultdict(list)

    def add(self, command_id: str, events: Sequence[NewEvent], guards: Sequence[Guard]) -> bool:
        """Whether the decision is independent of those added before; only then it is added."""
        if (
            command_id in self._ids
            or any(map(self._covers_earlier, guards))
            or any(map(self._covered_by_earlier, events))
        ):
            return False
        self._ids.add(command_id)
        for event in events:
            for tag in (None, *event.tags):
                self._events[tag, event.type].append(event)
                self._events[tag, None].append(event)
        if events:
            for guard in guards:
                for place in _places(guard):
                    self._guards[place].append(guard)
        return True

    def _covers_earlier(self, guard: Guard) -> bool:
        return any(
            guard.selection.covers(event.type, event.tags)
            for place in _places(guard)
            if place in self._events
            for event in self._events[place]
        )

    def _covered_by_earlier(self, event: NewEvent) -> bool:
        return any(
            guard.selection.covers(event.type, event.tags)
            for tag in (None, *event.tags)
            for place in ((tag, event.type), (tag, None))
            if place in self._guards
            for guard in self._guards[place]
        )


def _places(guard: Guard) -> Sequence[_Place]:
    """Where a guard stands: its first tag with each of its types."""
    types, tags = guard.selection
    tag = tags[0] if tags else None
    return [(tag, type_) for type_ in types or (None,)]
