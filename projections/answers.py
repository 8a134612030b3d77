"""What readers are given. Every answer states the position that it stands for."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ledger.domain.questions import ResultsPolicy


class Answer(BaseModel):
    """A read answer; `position` is the last event of the log that it takes into account."""

    model_config = ConfigDict(frozen=True)

    position: int


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


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
    evidence: list[dict[str, Any]] = []


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
    stage: Literal["open", "closed"]
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
    stage: Literal["open", "closed"]
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


class QuestionList(Answer):
    questions: list[QuestionSummary]


class AreaSummary(Part):
    area: str
    name: str
    kind: Literal["territory", "community"]
    roll: int
    retired: bool


class AreaList(Answer):
    areas: list[AreaSummary]


class AreaDay(Part):
    """`choices`: choice events on the day; `voters`: standing choices at its end, less those at its start."""

    day: str
    choices: int
    voters: int


class AreaOption(Part):
    id: str
    title: str
    count: int
    total: int


class AreaQuestion(Part):
    """A question as the area's people answer it. `options` is empty while it is sealed."""

    question: str
    title: str
    asked_by: str
    policy: str | None
    mandate: bool
    stage: str
    sealed: bool
    voters: int
    share_per_mille: int
    options: list[AreaOption]


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
    """One area at its level, with all below it rolled up into it."""

    area: str
    name: str
    kind: Literal["territory", "community"]
    publishable: bool
    retired: bool
    roll: int
    above: list[AreaSummary]
    below: list[AreaSummary]
    days: list[AreaDay]
    questions: list[AreaQuestion]
    results: list[AreaResult]
    requests: list[RequestCount]


class CitizenChoice(Part):
    """A standing choice, and what became of it: counted, then decided, then implemented."""

    question: str
    title: str
    area: str
    marks: dict[str, int] | None
    time: str
    counted_at: int
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


class CitizenView(Answer):
    """One person's own view."""

    home: str | None
    memberships: list[str]
    choices: list[CitizenChoice]
    arrangements: list[CitizenArrangement]
    requests: list[CitizenRequest]
    timeline: list[TimelineEntry]
