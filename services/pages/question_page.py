"""What the page of a question shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projections.answers import OptionTally, OutcomeView, QuestionView
from services.pages.names import Names

METHODS: Mapping[str, str] = {
    "single": "Each person marks one option.",
    "approval": "Each person marks every option that they approve of.",
    "ranking": "Each person puts options in order, the best first.",
    "score": "Each person gives options a mark from 0 to {max_mark}.",
    "points": "Each person shares out up to {total} points among the options.",
    "agreement": "Each person agrees, disagrees or passes on each statement.",
}


@dataclass(frozen=True)
class Row:
    """An option with what speaks for it. `figures` are the columns that the method has besides."""

    title: str
    cost: int | None
    organisation: str | None
    amount: int
    per_mille: int
    figures: tuple[str, ...]
    adopted: bool
    tied: bool
    outcome: OutcomeView | None


@dataclass(frozen=True)
class QuestionPage:
    question: QuestionView
    area: str
    electorate: str
    policy: str | None
    method: str
    turnout_per_mille: int
    measured_in: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    has_costs: bool


def question_page(view: QuestionView, names: Names) -> QuestionPage:
    """The page of a question."""
    kind: str = view.method["kind"]
    measured_in, columns = _COLUMNS[kind]
    adopted = view.decision.adopted if view.decision else []
    tied = view.decision.tied if view.decision else []
    outcomes = {one.option: one for one in view.outcomes}
    counted = {one.id: one for one in view.tally.options} if view.tally else {}
    amounts = {id_: _amount(kind, one) for id_, one in counted.items()}
    whole = view.voters if kind in ("single", "approval", "agreement", "ranking") else None
    most = whole or max(amounts.values(), default=0)
    rows = [
        Row(
            title=option.title,
            cost=option.cost,
            organisation=option.organisation and names.organisation(option.organisation),
            amount=amounts.get(option.id, 0),
            per_mille=amounts.get(option.id, 0) * 1000 // most if most else 0,
            figures=_figures(kind, counted[option.id]) if option.id in counted else (),
            adopted=option.id in adopted,
            tied=option.id in tied,
            outcome=outcomes.get(option.id),
        )
        for option in view.options
    ]
    return QuestionPage(
        question=view,
        area=names.area(view.area),
        electorate=names.area(view.electorate),
        policy=view.policy and names.policy(view.policy),
        method=METHODS[kind].format(**view.method),
        turnout_per_mille=view.voters * 1000 // view.roll if view.roll else 0,
        measured_in=measured_in,
        columns=columns,
        rows=sorted(rows, key=lambda row: -row.amount),
        has_costs=any(row.cost is not None for row in rows),
    )


_COLUMNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "single": ("Choices", ()),
    "approval": ("Approvals", ()),
    "ranking": ("First places", ("Ranked by", "Places")),
    "score": ("Sum of marks", ("Marked by", "Average")),
    "points": ("Points", ("Given by",)),
    "agreement": ("Agree", ("Disagree", "Pass")),
}
"""For each method: what the bar shows, and the columns beside it."""


def _amount(kind: str, option: OptionTally) -> int:
    match kind:
        case "ranking" | "agreement":
            return option.by_mark.get(1, 0)
        case "score" | "points":
            return option.total
        case _:
            return option.count


def _figures(kind: str, option: OptionTally) -> tuple[str, ...]:
    match kind:
        case "ranking":
            places = ", ".join(f"{place}: {n:,}" for place, n in sorted(option.by_mark.items()))
            return f"{option.count:,}", places or "–"
        case "score":
            average = f"{option.total / option.count:.1f}" if option.count else "–"
            return f"{option.count:,}", average
        case "points":
            return (f"{option.count:,}",)
        case "agreement":
            return f"{option.by_mark.get(-1, 0):,}", f"{option.by_mark.get(0, 0):,}"
        case _:
            return ()
