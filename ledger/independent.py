"""Which commands may be carried out in one go: none touches what another one rests on."""

from collections.abc import Sequence

from ledger.eventlog.port import Guard, NewEvent, Selection


class Independent:
    """Decisions taken on the same facts that could be carried out in any order with the same effect.

    That is so since no event of one is covered by a guard of another. A decision that must be taken
    again, because another process was faster, is the one that it would have been in its place.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._events: list[NewEvent] = []
        self._types: dict[str | None, set[str]] = {None: set()}
        """Of the events: by tag, and of all of them (None)."""
        self._guarded: dict[str | None, set[str]] = {}
        """The types that are guarded: by tag, or whatever the tags (None)."""
        self._others: dict[str | None, list[Selection]] = {}
        """What else is guarded, several tags or any type, by the first tag."""

    def add(self, command_id: str, events: Sequence[NewEvent], guards: Sequence[Guard]) -> bool:
        """Whether the decision is independent of those added before; only then it is added."""
        if command_id in self._ids:
            return False
        for guard in guards:
            if self._covers_an_event(guard.selection):
                return False
        for event in events:
            if self._is_guarded(event):
                return False
        self._ids.add(command_id)
        self._events += events
        for event in events:
            self._types[None].add(event.type)
            for tag in event.tags:
                self._types.setdefault(tag, set()).add(event.type)
        if events:
            for guard in guards:
                self._guard(guard.selection)
        return True

    def _covers_an_event(self, selection: Selection) -> bool:
        types, tags = selection
        present = self._types.get(tags[0] if tags else None)
        if not present or (types and present.isdisjoint(types)):
            return False
        return len(tags) < 2 or any(selection.covers(one.type, one.tags) for one in self._events)

    def _is_guarded(self, event: NewEvent) -> bool:
        for tag in (None, *event.tags):
            if event.type in self._guarded.get(tag, ()):
                return True
            for other in self._others.get(tag, ()):
                if other.covers(event.type, event.tags):
                    return True
        return False

    def _guard(self, selection: Selection) -> None:
        types, tags = selection
        tag = tags[0] if tags else None
        if types and len(tags) < 2:
            self._guarded.setdefault(tag, set()).update(types)
        else:
            self._others.setdefault(tag, []).append(selection)
