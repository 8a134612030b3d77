"""Answers about areas: each at its level, with all below it rolled up into it."""

from typing import Any, Literal

from projections.answers.base import Answer, Figures, Listed, Part
from projections.answers.questions import DecisionView, MandateView, OptionCount, PromiseView, Stage

Kind = Literal["territory", "community"]


class AreaSummary(Part):
    """`open_questions`: those that the area and all areas below it ask."""

    area: str
    name: str
    kind: Kind
    roll: int
    retired: bool
    open_questions: int


class AreaList(Listed[AreaSummary]):
    """Areas."""


class AreaDay(Part):
    """`choices`: choice events on the day; `voters`: standing choices at its end, less those at its start."""

    day: str
    choices: int
    voters: int


class AreaDayView(AreaDay):
    """A day with how things stood at its end: standing choices, and people on the roll."""

    standing: int
    roll: int


class AreaDays(Listed[AreaDayView]):
    """The days on which somebody chose, or the roll changed."""

    area: str


class AreaQuestion(Part):
    """A question as the area's people answer it. `options` is empty while it is sealed."""

    question: str
    title: str
    asked_by: str
    policy: str | None
    mandate: bool
    stage: Stage
    sealed: bool
    voters: int
    share_per_mille: int
    options: list[OptionCount]


class AreaQuestions(Listed[AreaQuestion]):
    """The questions that the people of an area are asked or have answered."""

    area: str


class AreaResult(Part):
    """A decision or a reported outcome, in the order of the log."""

    question: str
    kind: Literal["decision", "outcome"]
    time: str
    at: int
    document: dict[str, Any]


class RequestCount(Part):
    service: str
    stage: str
    requests: int


class AreaView(Answer):
    """One area at its level, with all below it rolled up into it.

    `figures` count what was asked here and anywhere below, `own` what was asked here alone. Lists hold the first
    or the latest only; each has an address of its own, where it can be read on.
    """

    area: str
    name: str
    kind: Kind
    publishable: bool
    retired: bool
    roll: int
    figures: Figures
    own: Figures
    above: list[AreaSummary]
    below: list[AreaSummary]
    days: list[AreaDay]
    mandates: list[MandateView]
    questions: list[AreaQuestion]
    questions_total: int
    decisions: list[DecisionView]
    promises: list[PromiseView]
    results: list[AreaResult]
    requests: list[RequestCount]
