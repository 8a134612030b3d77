"""What the page of an area shows: one answer of the read models, arranged for a reader."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projections.answers import (
    AreaDay,
    AreaQuestion,
    AreaResult,
    AreaSummary,
    AreaView,
    OptionCount,
)
from services.pages.names import Names

MOST_IN_FULL = 12
"""Open questions that are shown with their options; the others stand in a table."""

MOST_IN_A_TABLE = 60
MOST_OPTIONS = 5
DAYS_SHOWN = 60

STAGES = (
    "made",
    "acknowledged",
    "assigned",
    "delivered",
    "declined",
    "disputed",
    "confirmed",
    "rated",
)
"""The stages of a request, in the order in which they mostly come."""


@dataclass(frozen=True)
class Bar:
    """A quantity beside others; `per_mille` is its length."""

    label: str
    amount: int
    per_mille: int
    marks: int | None = None
    """The sum of the marks, where it says something else than the number of choices."""


@dataclass(frozen=True)
class Mandate:
    """The standing mandate for one policy area, and who leads in it."""

    question: AreaQuestion
    policy: str
    leading: tuple[str, ...]
    backed_by: int
    per_mille: int


@dataclass(frozen=True)
class OpenQuestion:
    question: AreaQuestion
    bars: Sequence[Bar]
    more: int


@dataclass(frozen=True)
class Implemented:
    option: str
    stage: str
    percent: int
    time: str


@dataclass(frozen=True)
class Decided:
    """Three facts that are never mixed: counted, decided, implemented."""

    question: AreaQuestion
    time: str
    at: int
    voters: int
    adopted: tuple[str, ...]
    tied: tuple[str, ...]
    rule: str | None
    by: str | None
    reason: str
    implemented: Sequence[Implemented]


@dataclass(frozen=True)
class Below:
    area: AreaSummary
    open_questions: int


@dataclass(frozen=True)
class ServiceRow:
    service: str
    by_stage: tuple[int, ...]


@dataclass(frozen=True)
class AreaPage:
    area: AreaView
    places: Sequence[Below]
    communities: Sequence[Below]
    mandates: Sequence[Mandate]
    open: Sequence[OpenQuestion]
    also_open: Sequence[AreaQuestion]
    decided: Sequence[Decided]
    undecided: Sequence[AreaQuestion]
    elsewhere: Sequence[AreaQuestion]
    requests: Sequence[ServiceRow]
    stages: tuple[str, ...]
    days: Sequence[AreaDay]


def area_page(view: AreaView, names: Names) -> AreaPage:
    """The page of an area."""
    own = [one for one in view.questions if one.asked_by == view.area]
    plain = [one for one in own if not one.mandate]
    live = sorted((one for one in plain if one.stage == "open"), key=_by_voters)
    decided = _decided(own, view.results, names)
    told = {one.question.question for one in decided}
    above = {one.area for one in view.above}
    stages, requests = _requests(view, names)
    return AreaPage(
        area=view,
        places=_below(view, "territory"),
        communities=_below(view, "community"),
        mandates=[_mandate(one, names) for one in own if one.mandate and one.stage == "open"],
        open=[_open_question(one) for one in live[:MOST_IN_FULL]],
        also_open=live[MOST_IN_FULL : MOST_IN_FULL + MOST_IN_A_TABLE],
        decided=decided[:MOST_IN_A_TABLE],
        undecided=[one for one in plain if one.stage == "closed" and one.question not in told][
            :MOST_IN_A_TABLE
        ],
        elsewhere=[
            one
            for one in view.questions
            if one.asked_by in above and not one.mandate and one.stage == "open"
        ][:MOST_IN_A_TABLE],
        requests=requests,
        stages=stages,
        days=view.days[-DAYS_SHOWN:],
    )


def bars(options: Iterable[OptionCount], voters: int) -> list[Bar]:
    """The options by the number of choices that mark them, the most first."""
    ordered = sorted(options, key=lambda one: -one.count)
    plain = all(one.total == one.count for one in ordered)
    return [
        Bar(
            label=one.title,
            amount=one.count,
            per_mille=_per_mille(one.count, voters),
            marks=None if plain else one.total,
        )
        for one in ordered
    ]


def _open_question(question: AreaQuestion) -> OpenQuestion:
    found = bars(question.options, question.voters)
    return OpenQuestion(question, found[:MOST_OPTIONS], max(0, len(found) - MOST_OPTIONS))


def _mandate(question: AreaQuestion, names: Names) -> Mandate:
    most = max((one.count for one in question.options), default=0)
    leading = tuple(one.title for one in question.options if most and one.count == most)
    policy = question.policy or ""
    return Mandate(
        question=question,
        policy=names.policy(policy) if policy else question.title,
        leading=leading,
        backed_by=most,
        per_mille=_per_mille(most, question.voters),
    )


def _decided(
    questions: Iterable[AreaQuestion], results: Iterable[AreaResult], names: Names
) -> list[Decided]:
    by_id = {one.question: one for one in questions}
    decisions: dict[str, AreaResult] = {}
    reports: defaultdict[str, dict[str, AreaResult]] = defaultdict(dict)
    for result in results:
        if result.kind == "decision":
            decisions[result.question] = result
        else:
            reports[result.question][result.document["option"]] = result
    found = [
        _decision(by_id[question], result, reports[question], names)
        for question, result in decisions.items()
        if question in by_id and not by_id[question].mandate
    ]
    return sorted(found, key=lambda one: -one.at)


def _decision(
    question: AreaQuestion,
    result: AreaResult,
    reports: Mapping[str, AreaResult],
    names: Names,
) -> Decided:
    titles = {option.id: option.title for option in question.options}
    told: dict[str, Any] = result.document
    rule = told.get("rule")
    by = told.get("by")
    return Decided(
        question=question,
        time=result.time,
        at=result.at,
        voters=told["voters"],
        adopted=tuple(titles.get(one, one) for one in told["adopted"]),
        tied=tuple(titles.get(one, one) for one in told["tied"]),
        rule=None if rule is None else rule["name"],
        by=None if by is None else names.organisation(by),
        reason=told["reason"],
        implemented=[
            Implemented(
                option=titles.get(option, option),
                stage=one.document["stage"],
                percent=one.document["percent"],
                time=one.time,
            )
            for option, one in reports.items()
        ],
    )


def _below(view: AreaView, kind: str) -> list[Below]:
    still_open = Counter(
        one.asked_by for one in view.questions if one.stage == "open" and not one.mandate
    )
    return [Below(one, still_open[one.area]) for one in view.below if one.kind == kind]


def _requests(view: AreaView, names: Names) -> tuple[tuple[str, ...], list[ServiceRow]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in view.requests:
        counts[one.service][one.stage] += one.requests
    seen = {stage for stages in counts.values() for stage in stages}
    stages = tuple(stage for stage in STAGES if stage in seen)
    rows = [
        ServiceRow(names.service(service), tuple(by_stage[stage] for stage in stages))
        for service, by_stage in counts.items()
    ]
    return stages, sorted(rows, key=lambda row: row.service)


def _by_voters(question: AreaQuestion) -> int:
    return -question.voters


def _per_mille(part: int, whole: int) -> int:
    return part * 1000 // whole if whole else 0
