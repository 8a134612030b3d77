"""How events change counts: which answers come to count and which cease to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import orjson

from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceEvent,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.sealing import unsealed
from projections.projection import Rows, Table


def recounted(event: ChoiceEvent) -> tuple[tuple[Answer, int], ...]:
    """The answers that an event adds to the count (+1) and takes from it (−1)."""
    match event:
        case ChoiceMade():
            return ((event.answer, 1),)
        case ChoiceChanged():
            return ((event.previous, -1), (event.answer, 1))
        case ChoiceWithdrawn() | ChoiceLapsed():
            return ((event.previous, -1),)


class MarkCounts(Counter[tuple[str, int]]):
    """How many answers, more or fewer, give an option a mark."""

    def count(self, answer: Answer, change: int) -> None:
        """Count an answer whose marks are readable (+1), or take it from the count (−1)."""
        assert answer.marks is not None
        if change == 1:
            self.update(answer.marks.items())  # counts each pair once, without a loop in Python
        else:
            self.subtract(answer.marks.items())


KINDS: Mapping[type[ChoiceEvent], int] = {
    ChoiceMade: 0,
    ChoiceChanged: 1,
    ChoiceWithdrawn: 2,
    ChoiceLapsed: 3,
}
"""The kinds of choice events, by their place in `Changes.kinds`."""


class Changes:
    """What the events of a batch change in one question's count in one area, added up before it meets the rows."""

    __slots__ = ("kinds", "marks", "voters")

    def __init__(self) -> None:
        self.voters = 0
        self.kinds = [0] * len(KINDS)
        self.marks = MarkCounts()

    @property
    def by_choices(self) -> bool:
        """Whether there were choices, and not only marks that were unsealed."""
        return self.voters != 0 or any(self.kinds)


When = TypeVar("When")


class ChangesByPlace(dict[tuple[str, str, When], Changes]):
    """Changes by question, area and a time of some kind."""

    def __missing__(self, key: tuple[str, str, When]) -> Changes:
        found = self[key] = Changes()
        return found

    def choice(self, choice: ChoiceEvent, when: When) -> bool:
        """Count a choice. Whether its marks are sealed."""
        sealed = False
        for answer, change in recounted(choice):
            changes = self[choice.question, answer.area, when]
            changes.voters += change
            if answer.marks is None:
                sealed = True
            else:
                changes.marks.count(answer, change)
        changes.kinds[KINDS[type(choice)]] += 1
        return sealed

    def unsealed(self, question: str, answers: Iterator[Answer], when: When) -> None:
        """Count the answers of a question whose key has become public. Its voters are counted already."""
        for answer in answers:
            self[question, answer.area, when].marks.count(answer, 1)


class SealedAnswers:
    """The sealed answers that a model holds until their question's key is public; one row a question."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, rows: Rows, event: ChoiceEvent) -> None:
        """Remember what a sealed choice stands at."""
        match event:
            case ChoiceMade() | ChoiceChanged():
                answer = event.answer
                rows.put(self._table, (event.question, event.voter), answer.area, answer.sealed)
            case ChoiceWithdrawn() | ChoiceLapsed():
                rows.delete(self._table, (event.question, event.voter))

    def open(self, rows: Rows, question: str, key: str) -> Iterator[Answer]:
        """The answers, readable, now that the key is public."""
        for area, sealed in rows.all_of(self._table, question):
            yield Answer(area=str(area), marks=unsealed(key, str(sealed)))


def sealed_table(name: str) -> Table:
    return Table(name, ("question", "voter"), ("area", "sealed"))


def canonical(value: Mapping[str, object] | Sequence[object]) -> str:
    """Canonical JSON text (sorted keys), for columns that hold a document."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
