"""The usual rule of participatory budgets: by support, as long as the money lasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeAlias

from pydantic import model_validator

from ledger.domain.counting.outcome import (
    Count,
    Outcome,
    RuleModel,
    TooManyWays,
    every_way,
    listed,
    several,
)
from ledger.domain.counting.tally import support
from ledger.domain.methods import Method, Money


class Greedy(RuleModel):
    """Options are taken in the order of their support (`tally.support`) while the budget lasts.

    The names are those of Pabulib's field `rule`, and the meanings those of its checker:
    `greedy` passes over an option that what is left of the budget does not cover and goes on;
    `greedy-no-skip` ends at the first such option; `greedy-threshold` leaves out options with less
    support than `threshold` (the others may have one too, as in Pabulib's files);
    `greedy-exclusive` is greedy where of the options in each group of `exclusions` only one can be
    adopted, the first that is taken. Pabulib's files do not say which projects exclude each other:
    without exclusions, `greedy-exclusive` adopts exactly what `greedy` does.
    """

    decides: ClassVar = ("single", "approval", "ranking", "score", "points", "agreement")
    needs_costs: ClassVar = True
    name: Literal["greedy", "greedy-threshold", "greedy-no-skip", "greedy-exclusive"] = "greedy"
    budget: Money
    threshold: Money | None = None
    exclusions: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.name == "greedy-threshold" and self.threshold is None:
            raise ValueError("greedy-threshold needs a threshold")
        if self.exclusions and self.name != "greedy-exclusive":
            raise ValueError("only greedy-exclusive has exclusions")
        return self

    def misfit(self, method: Method, costs: Mapping[str, int | None]) -> str | None:
        unknown = {option for group in self.exclusions for option in group} - costs.keys()
        if unknown:
            return f"The exclusions name {min(unknown)!r}, which is not an option."
        return super().misfit(method, costs)

    def outcome(self, count: Count) -> Outcome:
        supported = support(count.method, count.costs, count.profile)
        race = _Race(self, {option: cost or 0 for option, cost in count.costs.items()}, supported)
        try:
            ways = [taken for taken, _ in every_way((frozenset[str](), False), race.steps)]
        except TooManyWays as many:
            taken, _ = many.fork
            ways = [taken, *(taken | {option} for option in race.affordable(taken))]
        adopted, tied = count.agreed(ways)
        return Outcome(adopted, tied, self._reason(race, adopted, tied))

    def _reason(self, race: "_Race", adopted: Sequence[str], tied: Sequence[str]) -> str:
        spent = sum(race.costs[option] for option in adopted)
        floor = "" if self.threshold is None else f" (at least {self.threshold:,})"
        number = f"{len(adopted)} of {several(len(race.costs), 'option')}"
        reason = (
            f"Taken in the order of their support{floor} while the budget of {self.budget:,} lasts:"
            f" {number}, for {spent:,}."
        )
        if tied:
            equals = listed([f"{option} ({race.supported[option]:,})" for option in tied])
            reason += f" Equal support and the money left leave open which of {equals} to adopt."
        if self.name == "greedy-exclusive" and not self.exclusions:
            reason += " No options are known that exclude each other."
        return reason


_Taken: TypeAlias = tuple[frozenset[str], bool]
"""The options taken so far, and whether the rule has stopped."""


@dataclass(frozen=True, slots=True)
class _Race:
    """The steps a greedy rule can take from any state."""

    rule: Greedy
    costs: Mapping[str, int]
    supported: Mapping[str, int]

    def steps(self, state: _Taken) -> Sequence[_Taken]:
        taken, stopped = state
        waiting = [] if stopped else self._waiting(taken)
        if not waiting:
            return []
        best = max(self.supported[option] for option in waiting)
        level = [option for option in waiting if self.supported[option] == best]
        if self._all_can_be_taken(taken, level):
            return [(taken.union(level), False)]
        left = self._left(taken)
        after = [
            (taken | {option}, False) if self.costs[option] <= left else (taken, True)
            for option in level
        ]
        return list(dict.fromkeys(after))

    def affordable(self, taken: frozenset[str]) -> list[str]:
        """What could still be taken, whatever its support compared to that of others."""
        left = self._left(taken)
        return [
            option
            for option, cost in self.costs.items()
            if cost <= left
            and option not in taken
            and self.supported[option] >= (self.rule.threshold or 0)
            and not self._excluded(option, taken)
        ]

    def _waiting(self, taken: frozenset[str]) -> list[str]:
        if self.rule.name != "greedy-no-skip":
            return self.affordable(taken)
        floor = self.rule.threshold or 0
        return [o for o in self.costs if o not in taken and self.supported[o] >= floor]

    def _all_can_be_taken(self, taken: frozenset[str], level: Sequence[str]) -> bool:
        """Whether the order among equals changes nothing, since there is room for all of them."""
        together = taken.union(level)
        return sum(self.costs[option] for option in level) <= self._left(taken) and not any(
            self._excluded(option, together - {option}) for option in level
        )

    def _left(self, taken: frozenset[str]) -> int:
        return self.rule.budget - sum(self.costs[option] for option in taken)

    def _excluded(self, option: str, taken: frozenset[str]) -> bool:
        return any(
            option in group and not taken.isdisjoint(group) for group in self.rule.exclusions
        )
