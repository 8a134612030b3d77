"""A citizen's own view. Only they, and the operator, are given it."""

from typing import Literal

from projections.answers.base import Answer, Listed, Part
from projections.answers.questions import DecisionAnswer, OutcomeView


class CitizenChoice(Part):
    """A standing choice, and what became of it.

    `became`: it is `counted`; a decision that counted it was taken (`decided`); of what that adopted something is
    `implemented`. `adopted`: the options that it marks and the decision adopted.
    """

    question: str
    title: str
    area: str
    marks: dict[str, int] | None
    time: str
    counted_at: int
    became: Literal["counted", "decided", "implemented"]
    adopted: list[str]
    decision: DecisionAnswer | None
    outcomes: list[OutcomeView]


class CitizenArrangement(Part):
    service: str
    offer: str
    time: str


class CitizenRequest(Part):
    request: str
    service: str
    offer: str
    stage: str
    time: str


class TimelineEntry(Part):
    at: int
    time: str
    type: str
    subject: str


class Timeline(Listed[TimelineEntry]):
    """What happened to one person, the latest first unless asked otherwise."""


class CitizenView(Answer):
    """One person's own view; `timeline` holds the latest entries only."""

    home: str | None
    memberships: list[str]
    choices: list[CitizenChoice]
    arrangements: list[CitizenArrangement]
    requests: list[CitizenRequest]
    timeline: list[TimelineEntry]
