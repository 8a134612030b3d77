"""Counting: from the choices to numbers by option. Who wins is for a rule to say (`rules`)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from ledger.domain.methods import Method

Profile: TypeAlias = Sequence[tuple[Mapping[str, int], int]]
"""Distinct marks, each with the number of voters whose standing choice they are."""


@dataclass(frozen=True, slots=True)
class OptionTally:
    """How one option was marked.

    `count` is the number of choices that mark it, `total` the sum of these marks, and `by_mark`
    says how many gave each mark, the smallest mark first.
    """

    id: str
    count: int
    total: int
    by_mark: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """The count of a question: its voters, and all its options in the question's order."""

    voters: int
    options: tuple[OptionTally, ...]

    @classmethod
    def of(cls, options: Iterable[str], profile: Profile) -> Self:
        """Raises KeyError where the profile marks something that is not among the options."""
        by_mark: dict[str, Counter[int]] = {option: Counter() for option in options}
        for marks, voters in profile:
            for option, mark in marks.items():
                by_mark[option][mark] += voters
        return cls(
            voters=sum(voters for _, voters in profile),
            options=tuple(
                OptionTally(
                    id=option,
                    count=counter.total(),
                    total=sum(mark * voters for mark, voters in counter.items()),
                    by_mark=dict(sorted(counter.items())),
                )
                for option, counter in by_mark.items()
            ),
        )


def support(method: Method, options: Iterable[str], profile: Profile) -> dict[str, int]:
    """What a rule for budgets sorts the options by, in the question's order.

    The voters who mark the option positively; where marks are scores or points, their sum; where
    they are ranks, the Borda sum as Pabulib takes it: a ballot that ranks n options gives n points
    to its first, n - 1 to its second and 1 to its last (pabulib/checker, `utilities.py`).
    """
    supported = dict.fromkeys(options, 0)
    match method.kind:
        case "ranking":
            for marks, voters in profile:
                for option, mark in marks.items():
                    supported[option] += (len(marks) + 1 - mark) * voters
        case "score" | "points":
            for marks, voters in profile:
                for option, mark in marks.items():
                    supported[option] += mark * voters
        case "single" | "approval" | "agreement":
            for marks, voters in profile:
                for option, mark in marks.items():
                    supported[option] += voters if mark > 0 else 0
    return supported


def first_choices(options: Iterable[str], profile: Profile) -> dict[str, int]:
    """How many voters rank each option first, in the question's order."""
    first = dict.fromkeys(options, 0)
    for marks, voters in profile:
        for option, mark in marks.items():
            if mark == 1:
                first[option] += voters
    return first
