"""Which marks are a legal answer, by each method (design, section 2, "Methods and their marks")."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any, Final

Marks = Mapping[str, int]
Costs = Mapping[str, int | None]
Method = Mapping[str, Any]

Judge = Callable[[Marks], str | None]
"""Why marks are not a legal answer, or None."""


ALL_ONES: Final = ("single", "approval")
"""Methods by which every mark is 1."""

_INTEGERS: Final = {int}
_ONE: Final = {1}


def all_legal(method: Method, costs: Costs, answers: Sequence[Any]) -> bool:
    """Whether it is certain at a glance that all of these are legal. If not, each is to be judged for itself."""
    kind = method.get("kind")
    if kind not in (*ALL_ONES, "agreement") or method.get("max_cost") is not None:
        return False
    if set(map(type, answers)) != {dict}:  # one of them could not be read, or there is none
        return False
    numbers = set(map(len, answers))
    least, most = _bounds(method, costs)
    values = [*chain.from_iterable(marks.values() for marks in answers)]
    return (
        least <= min(numbers)
        and max(numbers) <= most
        and set().union(*answers) <= costs.keys()
        and set(map(type, values)) == _INTEGERS
        and set(values) <= ({-1, 0, 1} if kind == "agreement" else _ONE)
    )


def _bounds(method: Method, costs: Costs) -> tuple[int, int]:
    """The smallest and the largest number of options that may be marked."""
    if method.get("kind") == "single":
        return 1, 1
    return method.get("minimum") or 1, method.get("maximum") or len(costs)


def judge(method: Method, costs: Costs) -> Judge:
    """What is legal by a method among these options (design, section 2, "Methods and their marks")."""
    judge_values = _JUDGES.get(method.get("kind", ""))
    if judge_values is None:
        return _unknown
    least, most = _bounds(method, costs)
    options = costs.keys()

    def illegal(marks: Marks) -> str | None:
        if not least <= len(marks) <= most:
            return f"{len(marks)} options are marked, not {least} to {most}"
        if not marks.keys() <= options:
            return "an option is marked that there is not"
        if set(map(type, marks.values())) != _INTEGERS:
            return "a mark is not a whole number"
        return judge_values(method, costs, marks)

    return illegal


def _unknown(_marks: Marks) -> str:
    return "the method is unknown"


def _single(_method: Method, _costs: Costs, marks: Marks) -> str | None:
    return None if set(marks.values()) == _ONE else "the option is not marked with 1"


def _approval(method: Method, costs: Costs, marks: Marks) -> str | None:
    if set(marks.values()) != _ONE:
        return "an approval is not the mark 1"
    limit = method.get("max_cost")
    if limit is not None and sum(costs[option] or 0 for option in marks) > limit:
        return f"the approved options cost more than {limit} together"
    return None


def _ranking(_method: Method, _costs: Costs, marks: Marks) -> str | None:
    ranks = sorted(marks.values())
    return None if ranks == list(range(1, len(marks) + 1)) else "the ranks are not 1, 2, 3 …"


def _score(method: Method, _costs: Costs, marks: Marks) -> str | None:
    return _outside(marks.values(), 0, method["max_mark"])


def _points(method: Method, _costs: Costs, marks: Marks) -> str | None:
    given, least = sum(marks.values()), method.get("min_total") or 1
    if not least <= given <= method["total"]:
        return f"{given} points are given, not {least} to {method['total']}"
    return _outside(marks.values(), 1, method["total"])


def _agreement(_method: Method, _costs: Costs, marks: Marks) -> str | None:
    return _outside(marks.values(), -1, 1)


def _outside(marks: Collection[int], lowest: int, highest: int) -> str | None:
    if min(marks) < lowest or max(marks) > highest:
        return f"a mark is not from {lowest} to {highest}"
    return None


_JUDGES: dict[str, Callable[[Method, Costs, Marks], str | None]] = {
    "single": _single,
    "approval": _approval,
    "ranking": _ranking,
    "score": _score,
    "points": _points,
    "agreement": _agreement,
}
