"""Answers about questions: what was asked, its count, its history, what was decided and what came of it."""

from typing import Any, Literal

from pydantic import Field

from ledger.domain.questions import ResultsPolicy
from projections.answers.base import Answer, Listed, Part

Stage = Literal["open", "closed"]
Fate = Literal["pending", "kept", "broken", "dropped"]


class OptionTally(Part):
    """`count`: choices that mark the option; `total`: the sum of the marks; `by_mark`: how many gave each."""

    id: str
    title: str
    count: int
    total: int
    by_mark: dict[int, int]


class QuestionTally(Answer):
    """The standing choices of an area's voters on one question, counted."""

    question: str
    title: str
    area: str
    method: str
    voters: int
    options: list[OptionTally]


class TallyOnDay(QuestionTally):
    """The count as it stood at the end of a day."""

    day: str


class AreaTally(Part):
    """The standing choices that name an area (and none below it), counted."""

    area: str
    voters: int
    options: list[OptionTally]


class AreaTallies(Listed[AreaTally]):
    """A question's count by the areas that its choices name."""

    question: str
    title: str
    method: str


class OptionCount(Part):
    id: str
    title: str
    count: int
    total: int


class DayTally(Part):
    """How a question stood at the end of a day; `options` is empty for a day on which it was sealed."""

    day: str
    voters: int
    roll: int
    share_per_mille: int
    options: list[OptionCount]


class QuestionHistory(Listed[DayTally]):
    """How the count of a question went, by the days on which it changed."""

    question: str
    title: str
    area: str
    method: str


class DecisionAnswer(Answer):
    """What was decided last; `rule` None: no rule decided, `reason` says why or by whom."""

    question: str
    rule: str | None
    adopted: list[str]
    tied: list[str]
    reason: str


class OptionView(Part):
    id: str
    title: str
    cost: int | None = None
    organisation: str | None = None


class OutcomeView(Part):
    """How far an adopted option is implemented."""

    option: str
    stage: str
    percent: int
    time: str
    about: str | None = None
    evidence: list[dict[str, Any]] = Field(default_factory=list)


class DayView(Part):
    day: str
    made: int
    changed: int
    withdrawn: int
    lapsed: int


class QuestionSummary(Part):
    question: str
    title: str
    area: str
    policy: str | None
    mandate: bool
    stage: Stage
    sealed: bool
    voters: int


class QuestionView(Answer):
    """One question: what was asked, its count unless sealed, what was decided and what came of it."""

    question: str
    title: str
    about: str | None
    area: str
    electorate: str
    policy: str | None
    mandate: bool
    stage: Stage
    opens: str
    closes: str | None
    results: ResultsPolicy
    sealed: bool
    method: dict[str, Any]
    rule: dict[str, Any] | None
    options: list[OptionView]
    roll: int
    voters: int
    tally: QuestionTally | None
    days: list[DayView]
    decision: DecisionAnswer | None
    outcomes: list[OutcomeView]


class QuestionList(Listed[QuestionSummary]):
    """Questions."""


class PromiseView(Part):
    """An option that a decision adopted, and what became of it.

    `kept`: implemented; `broken`: abandoned; `dropped`: a later decision no longer adopts it; else `pending`.
    `stage` is None before anything was reported.
    """

    question: str
    question_title: str
    option: str
    title: str
    area: str
    policy: str | None
    organisation: str | None
    fate: Fate
    stage: str | None
    percent: int | None
    time: str
    decided_at: int
    position: int


class PromiseList(Listed[PromiseView]):
    """Promises: options that decisions adopted."""


class NamedOption(Part):
    id: str
    title: str


class DecisionView(Part):
    """A recorded decision. `by`: the organisation that recorded it; `rule` None: no rule decided."""

    question: str
    title: str
    area: str
    policy: str | None
    mandate: bool
    position: int
    time: str
    by: str | None
    by_name: str | None
    rule: str | None
    voters: int
    adopted: list[NamedOption]
    tied: list[NamedOption]
    reason: str


class DecisionList(Listed[DecisionView]):
    """Decisions, the latest first unless asked otherwise."""


class Backed(Part):
    """A programme of a standing mandate; `backed_by`: how many voters back it (or the sum of their marks)."""

    option: str
    title: str
    organisation: str | None
    organisation_name: str | None
    backed_by: int


class MandateView(Part):
    """The standing mandate for one policy area in one area.

    `leading`: the programmes that most people back now, more than one where they are level, none while it is
    sealed; `holding`: those that the last decision gave the mandate to.
    """

    question: str
    title: str
    area: str
    policy: str
    policy_name: str
    stage: Stage
    sealed: bool
    voters: int
    leading: list[Backed]
    holding: list[str]


class MandateList(Listed[MandateView]):
    """Standing mandates."""
