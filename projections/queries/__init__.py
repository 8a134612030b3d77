"""The questions that readers put to the read models. SQL that every store understands; no writing."""

from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec, TypeVar

from projections.answers import (
    AreaList,
    AreaView,
    CitizenView,
    DecisionAnswer,
    QuestionList,
    QuestionTally,
    QuestionView,
)
from projections.catalogue import all_projections
from projections.queries import areas, citizens, organisations, policies, questions, results
from projections.queries.history import History
from projections.queries.lookups import (
    MOST,
    InTheFuture,
    NoSuchPage,
    NotFound,
    Page,
    StillSealed,
    Where,
    position_of,
)
from projections.stores.port import Snapshot, Store

__all__ = [
    "History",
    "InTheFuture",
    "NoSuchPage",
    "NotFound",
    "Page",
    "Queries",
    "StillSealed",
    "Where",
    "areas",
    "citizens",
    "organisations",
    "policies",
    "questions",
    "results",
]

P = ParamSpec("P")
T = TypeVar("T")


class Queries:
    """Reads the models of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(
        self, query: Callable[Concatenate[Snapshot, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The answer of one of the functions of this package, from one moment of the read models."""
        with self._store.snapshot() as at:
            return query(at, *args, **kwargs)

    def position(self) -> int:
        """The position that all models have reached."""
        return self.ask(position_of, *(model.name for model in all_projections()))

    def tally(self, question: str, area: str | None = None) -> QuestionTally:
        """The count of a question among the people of an area (the whole electorate, unless given).

        Raises `NotFound`, and `StillSealed` for a question whose results come after its close.
        """
        return self.ask(questions.tally, question, area)

    def tallies(self) -> Iterator[QuestionTally]:
        """The counts of all questions, in the order in which they were opened; none of a sealed one."""
        with self._store.snapshot() as at:
            yield from questions.tallies(at)

    def decision(self, question: str) -> DecisionAnswer:
        """What was decided; where nothing was, an answer without a rule that says so. Raises `NotFound`."""
        return self.ask(questions.decision, question)

    def question(self, question: str) -> QuestionView:
        """Everything about a question. Raises `NotFound`."""
        return self.ask(questions.question_view, question)

    def questions(self, area: str | None = None) -> QuestionList:
        """The first questions, or those that one area asks. Raises `NotFound` for an unknown area."""
        return self.ask(questions.question_list, Page(MOST), "position", area=area)

    def areas(self) -> AreaList:
        """The first areas, in the order of their ids."""
        return self.ask(areas.area_list, Page(MOST), "area")

    def area(self, area: str) -> AreaView:
        """One area, with all below it rolled up into it. Raises `NotFound`."""
        return self.ask(areas.area_view, area)

    def areas_to_publish(self, at_least: int) -> list[str]:
        """Areas whose roll has reached this size and that choices may not name yet."""
        return self.ask(areas.areas_to_publish, at_least)

    def citizen(self, citizen: str) -> CitizenView:
        """One person's own view, by citizen id. Raises `NotFound`."""
        return self.ask(citizens.citizen_view, citizen)
