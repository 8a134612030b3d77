"""The method of equal shares (Peters, Pierczyński and Skowron, NeurIPS 2021), through pabutools."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from ledger.domain.counting.libraries import library
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
from ledger.domain.methods import Money

ROUNDS = 10_000
"""How often a completion raises the shares at most."""

RUNS = 50
"""How often at most everything is counted again to follow ties; a large count takes seconds."""

_Settled: TypeAlias = frozenset[tuple[frozenset[str], str]]
"""Ties that are settled: the options that were level, and which of them goes first."""


class EqualShares(RuleModel):
    """Every voter gets the same share of the budget and pays for the options they approve.

    In every round the option goes first whose supporters would have to pay the smallest part of its
    cost each; the satisfaction measure is the cost. Exact fractions, no rounding. Where two options
    ask for the same part, the method's authors take the cheaper one, then the one with more
    supporters (equalshares.net, `break_ties`), and so does this rule, and says so; what is level
    even then is a tie.

    Completion `add1`, as on equalshares.net: while some supported option would still fit the
    budget, the method is run again with a share larger by `step`, starting from the whole multiple
    of it below the first share, and the last run within the budget counts. After ROUNDS rounds the
    last one stands. `step` is one unit of the currency: 1, or 100 where costs are whole cents;
    where few voters share much money, choose a larger one.
    """

    decides: ClassVar = ("single", "approval")
    needs_costs: ClassVar = True
    name: Literal["equal-shares"] = "equal-shares"
    budget: Money
    completion: Literal["add1"] | None = None
    step: Annotated[Money, Field(ge=1)] = 1

    def outcome(self, count: Count) -> Outcome:
        counted = _Pabutools(count)
        adopted: dict[_Settled, frozenset[str]] = {}

        def steps(settled: _Settled) -> Sequence[_Settled]:
            try:
                adopted[settled] = self._completed(counted, settled)
            except _Level as level:
                return [settled | {(level.options, option)} for option in level.options]
            return []

        try:
            ways = [adopted[end] for end in every_way(_Settled(), steps, limit=RUNS)]
        except TooManyWays:
            ways = [frozenset(), *(frozenset({option}) for option in counted.fitting(self.budget))]
        chosen, tied = count.agreed(ways)
        return Outcome(chosen, tied, self._reason(counted, chosen, tied))

    def _completed(self, counted: "_Pabutools", settled: _Settled) -> frozenset[str]:
        """What is adopted with these ties settled. Raises _Level at a tie that is not."""
        adopted = counted.run(self.budget, settled)
        share = self.budget // (counted.voters * self.step) * self.step
        for _ in range(ROUNDS if self.completion else 0):
            if adopted.issuperset(counted.fitting(self.budget - counted.cost(adopted))):
                break
            share += self.step
            larger = counted.run(share * counted.voters, settled)
            if counted.cost(larger) > self.budget:
                break
            adopted = larger
        return adopted

    def _reason(self, counted: "_Pabutools", adopted: Sequence[str], tied: Sequence[str]) -> str:
        number = f"{len(adopted)} of {several(len(counted.costs), 'option')}"
        reason = (
            f"{several(counted.voters, 'voter')} with equal shares of the budget of {self.budget:,}"
            f" pay for {number}, together {counted.cost(adopted):,}."
        )
        if self.completion:
            reason += " The shares were raised step by step while this stayed within the budget."
        if counted.settled_by_cost:
            reason += " Of level claims, the cheaper went first, then the one with more supporters."
        if tied:
            reason += f" Claims level even then leave open which of {listed(tied)} to adopt."
        return reason


class _Level(Exception):
    """A tie about which nothing is settled."""

    def __init__(self, options: frozenset[str]) -> None:
        super().__init__(options)
        self.options = options


class _Pabutools:
    """The one place that talks to pabutools, which has no types."""

    def __init__(self, count: Count) -> None:
        election = library("pabutools.election")
        self._rules = library("pabutools.rules")
        self.voters = count.voters
        self.costs = {option: cost or 0 for option, cost in count.costs.items()}
        self.supported = support(count.method, count.costs, count.profile)
        self.settled_by_cost = False
        ballots: Counter[frozenset[str]] = Counter()
        for marks, voters in count.profile:
            ballots[frozenset(marks)] += voters
        projects = {option: election.Project(option, cost) for option, cost in self.costs.items()}
        self._instance = election.Instance(projects.values())
        self._profile = election.ApprovalMultiProfile(instance=self._instance)
        for approved, voters in ballots.items():
            ballot = election.FrozenApprovalBallot(projects[option] for option in approved)
            self._profile[ballot] = voters
        self._satisfaction = self._profile.as_sat_profile(election.Cost_Sat)

    def run(self, money: int, settled: _Settled) -> frozenset[str]:
        """The method with this money in all voters' hands together. Raises _Level."""
        self._instance.budget_limit = money
        allocation = self._rules.method_of_equal_shares(
            self._instance,
            self._profile,
            sat_profile=self._satisfaction,
            tie_breaking=_TieBreaking(self, dict(settled)),
        )
        return frozenset(project.name for project in allocation)

    def cost(self, options: Sequence[str] | frozenset[str]) -> int:
        return sum(self.costs[option] for option in options)

    def fitting(self, money: int) -> list[str]:
        """The options with supporters that cost no more than this each."""
        return [o for o, cost in self.costs.items() if cost <= money and self.supported[o] > 0]


class _TieBreaking:
    """What pabutools asks in place of a `TieBreakingRule`: the option that goes first."""

    def __init__(self, counted: _Pabutools, first: Mapping[frozenset[str], str]) -> None:
        self._counted = counted
        self._first = first

    def order(self, _instance: Any, _profile: Any, projects: Sequence[Any]) -> list[Any]:
        def claim(project: Any) -> tuple[int, int]:
            return (project.cost, -self._counted.supported[project.name])

        best = min(map(claim, projects))
        level = {project.name: project for project in projects if claim(project) == best}
        self._counted.settled_by_cost |= len(level) < len(projects)
        if len(level) == 1:
            return list(level.values())
        options = frozenset(level)
        if options not in self._first:
            raise _Level(options)
        return [level[self._first[options]]]
