"""The questions that readers put to the read models. SQL that every store understands; no writing."""

from collections.abc import Iterator

from projections.answers import (
    AreaList,
    AreaView,
    CitizenView,
    DecisionAnswer,
    QuestionList,
    QuestionTally,
    QuestionView,
)
from projections.queries import areas, citizens, questions
from projections.queries.lookups import NotFound, StillSealed
from projections.stores.port import Store

__all__ = ["NotFound", "Queries", "StillSealed"]


class Queries:
    """Reads the models of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def position(self) -> int:
        """The position that all models have reached."""
        with self._store.snapshot() as at:
            return min(at.position(model) for model in ("citizen", "question", "area"))

    def tally(self, question: str, area: str | None = None) -> QuestionTally:
        """The count of a question among the people of an area (the whole electorate, unless given).

        Raises `NotFound`, and `StillSealed` for a question whose results come after its close.
        """
        with self._store.snapshot() as at:
            return questions.tally(at, question, area)

    def tallies(self) -> Iterator[QuestionTally]:
        """The counts of all questions, in the order in which they were opened; none of a sealed one."""
        with self._store.snapshot() as at:
            yield from questions.tallies(at)

    def decision(self, question: str) -> DecisionAnswer:
        """What was decided; where nothing was, an answer without a rule that says so. Raises `NotFound`."""
        with self._store.snapshot() as at:
            return questions.decision(at, question)

    def question(self, question: str) -> QuestionView:
        """Everything about a question. Raises `NotFound`."""
        with self._store.snapshot() as at:
            return questions.question_view(at, question)

    def questions(self, area: str | None = None) -> QuestionList:
        """All questions, or those that one area asks. Raises `NotFound` for an unknown area."""
        with self._store.snapshot() as at:
            return questions.question_list(at, area)

    def areas(self) -> AreaList:
        """All areas, in the order of their ids."""
        with self._store.snapshot() as at:
            return areas.area_list(at)

    def area(self, area: str) -> AreaView:
        """One area, with all below it rolled up into it. Raises `NotFound`."""
        with self._store.snapshot() as at:
            return areas.area_view(at, area)

    def areas_to_publish(self, at_least: int) -> list[str]:
        """Areas whose roll has reached this size and that choices may not name yet."""
        with self._store.snapshot() as at:
            return areas.areas_to_publish(at, at_least)

    def citizen(self, citizen: str) -> CitizenView:
        """One person's own view, by citizen id. Raises `NotFound`."""
        with self._store.snapshot() as at:
            return citizens.citizen_view(at, citizen)
