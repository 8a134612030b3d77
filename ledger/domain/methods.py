"""How a question may be answered: its method, and whether given marks are a legal answer to it.

A choice is a map from option to a whole number, its marks. A method says which marks are legal; it
does not say who wins (that is a rule, see `ledger.domain.counting`). The models stand for ever
inside `question.opened`.
"""

from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Whole numbers that every JSON reader can hold exactly (RFC 8259, section 6).
LARGEST_WHOLE = 2**53 - 1

Money = Annotated[int, Field(strict=True, ge=0, le=LARGEST_WHOLE)]
Number = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Mark = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class _Method(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Several(_Method):
    """A method by which a voter marks several options, within optional bounds on their number."""

    minimum: Number | None = None
    maximum: Number | None = None

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.minimum and self.maximum and self.minimum > self.maximum:
            raise ValueError("minimum must not exceed maximum")
        return self


class Single(_Method):
    """One option: `{a: 1}`."""

    kind: Literal["single"] = "single"


class Approval(_Several):
    """Every option the voter approves: `{a: 1, c: 1}`. `max_cost` bounds their cost together."""

    kind: Literal["approval"] = "approval"
    max_cost: Money | None = None


class Ranking(_Several):
    """Options in order of preference, the best first, without gaps or equals: `{a: 1, b: 2}`."""

    kind: Literal["ranking"] = "ranking"


class Score(_Method):
    """A mark from 0 to `max_mark` for any of the options: `{a: 7, b: 0}`."""

    kind: Literal["score"] = "score"
    max_mark: Mark


class Points(_Several):
    """Points shared out among options, at least one for each that is marked: `{a: 3, b: 2}`.

    They add up to at most `total` and, where it is set, at least `min_total`.
    """

    kind: Literal["points"] = "points"
    total: Mark
    min_total: Mark | None = None

    @model_validator(mode="after")
    def _totals_in_order(self) -> Self:
        if self.min_total and self.min_total > self.total:
            raise ValueError("min_total must not exceed total")
        if self.minimum and self.minimum > self.total:
            raise ValueError(
                "minimum must not exceed total: every marked option takes at least one point"
            )
        return self


class Agreement(_Method):
    """Agree (1), disagree (-1) or pass (0) on any of the statements."""

    kind: Literal["agreement"] = "agreement"


Method = Annotated[
    Single | Approval | Ranking | Score | Points | Agreement, Field(discriminator="kind")
]


def misfit(method: Method, costs: Mapping[str, int | None]) -> str | None:
    """Why nobody can answer by `method` among the options (the keys of `costs`), or None."""
    if isinstance(method, _Several) and method.minimum and method.minimum > len(costs):
        return f"At least {method.minimum} options must be marked, but there are only {len(costs)}."
    if isinstance(method, Approval) and method.max_cost is not None and None in costs.values():
        return "A maximum total cost needs the cost of every option."
    return None


def illegality(
    method: Method, marks: Mapping[str, int], costs: Mapping[str, int | None]
) -> str | None:
    """Why `marks` are not a legal answer by `method`, in one sentence; None if they are.

    The keys of `costs` are the question's options; an option's cost may be None.
    """
    if not marks:
        return "Mark at least one option."
    for option, mark in marks.items():
        if option not in costs:
            return f"There is no option {shortened(option)}."
        if type(mark) is not int:  # not isinstance: a bool is no mark
            return f"The mark of {option!r} is not a whole number."
    if isinstance(method, _Several) and (wrong := _illegal_number(method, len(marks))):
        return wrong
    match method:
        case Approval():
            return _illegal_approval(method, marks, costs)
        case Single():
            if len(marks) > 1:
                return f"Mark one option only; {len(marks)} are marked."
            return _outside(marks, 1, 1)
        case Ranking():
            if sorted(marks.values()) != list(range(1, len(marks) + 1)):
                return f"The ranks must be the numbers from 1 to {len(marks)}, each once."
            return None
        case Score():
            return _outside(marks, 0, method.max_mark)
        case Points():
            return _illegal_points(method, marks)
        case Agreement():
            return _outside(marks, -1, 1)


def _illegal_number(method: _Several, number: int) -> str | None:
    if method.maximum and number > method.maximum:
        return f"Mark at most {method.maximum} options; {number} are marked."
    if method.minimum and number < method.minimum:
        return f"Mark at least {method.minimum} options; {number} are marked."
    return None


def _illegal_approval(
    method: Approval, marks: Mapping[str, int], costs: Mapping[str, int | None]
) -> str | None:
    if method.max_cost is not None:
        cost = sum(costs[option] or 0 for option in marks)
        if cost > method.max_cost:
            return f"The marked options cost {cost} together; at most {method.max_cost} is allowed."
    return _outside(marks, 1, 1)


def _illegal_points(method: Points, marks: Mapping[str, int]) -> str | None:
    if wrong := _outside(marks, 1, method.total):
        return wrong
    given = sum(marks.values())
    if given > method.total:
        return f"Give at most {method.total} points; {given} are given."
    if method.min_total and given < method.min_total:
        return f"Give at least {method.min_total} points; {given} are given."
    return None


def _outside(marks: Mapping[str, int], lowest: int, highest: int) -> str | None:
    """The sentence never repeats the mark itself: a foreign number may have thousands of digits."""
    for option, mark in marks.items():
        if not lowest <= mark <= highest:
            legal = f"{lowest}" if lowest == highest else f"from {lowest} to {highest}"
            return f"The mark of {option!r} must be {legal}."
    return None
