"""What the page of an area shows: one answer of the read models, arranged for a reader."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from projections.answers import (
    AreaDay,
    AreaQuestion,
    AreaSummary,
    AreaView,
    DecisionView,
    MandateView,
    OptionCount,
    PromiseView,
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
    """The standing mandate for one policy area, and who leads in it; shares are of its voters and of the roll."""

    mandate: MandateView
    backed_by: int
    per_mille: int
    share_per_mille: int


@dataclass(frozen=True)
class OpenQuestion:
    question: AreaQuestion
    bars: Sequence[Bar]
    more: int


@dataclass(frozen=True)
class Decided:
    """Three facts that are never mixed: counted, decided, implemented."""

    decision: DecisionView
    adopted: tuple[str, ...]
    tied: tuple[str, ...]
    implemented: Sequence[PromiseView]


@dataclass(frozen=True)
class ServiceRow:
    service: str
    by_stage: tuple[int, ...]


@dataclass(frozen=True)
class AreaPage:
    area: AreaView
    places: Sequence[AreaSummary]
    communities: Sequence[AreaSummary]
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
    decided = _decided(view)
    told = {one.decision.question for one in decided}
    above = {one.area for one in view.above}
    stages, requests = _requests(view, names)
    return AreaPage(
        area=view,
        places=[one for one in view.below if one.kind == "territory"],
        communities=[one for one in view.below if one.kind == "community"],
        mandates=[_mandate(one, view.roll) for one in view.mandates],
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


def _mandate(mandate: MandateView, roll: int) -> Mandate:
    backed_by = mandate.leading[0].backed_by if mandate.leading else 0
    return Mandate(
        mandate=mandate,
        backed_by=backed_by,
        per_mille=_per_mille(backed_by, mandate.voters),
        share_per_mille=_per_mille(mandate.voters, roll),
    )


def _decided(view: AreaView) -> list[Decided]:
    """The last decision on each question (mandates are told of elsewhere), the latest first."""
    last: dict[str, DecisionView] = {}
    for one in view.decisions:
        if not one.mandate:
            last.setdefault(one.question, one)
    return [
        Decided(
            decision=one,
            adopted=tuple(option.title for option in one.adopted),
            tied=tuple(option.title for option in one.tied),
            implemented=[
                promise
                for promise in view.promises
                if promise.question == one.question and promise.stage is not None
            ],
        )
        for one in last.values()
    ]


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
