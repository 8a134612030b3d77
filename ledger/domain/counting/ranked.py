"""Rules for rankings. A ballot may rank some options only; it prefers these to all the others."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations
from typing import ClassVar, Literal, TypeAlias

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
from ledger.domain.counting.tally import Profile

_Steps: TypeAlias = Callable[[frozenset[str]], Sequence[frozenset[str]]]


class InstantRunoff(RuleModel):
    """The option with the fewest votes goes out until one is left: it is adopted.

    In every round a ballot is a vote for the first of its options that is still in; a ballot with
    none left no longer counts. Where several have the fewest votes, each may go first, and all ways
    are followed ("parallel universes").

    This is counted here and not by a library: pyrankvote draws lots, and pref_voting's
    `instant_runoff_put` walks through every order of elimination, which ten options with a vote
    each already make too many. The tests hold the two together where both can answer.
    """

    decides: ClassVar = ("ranking",)
    name: Literal["instant-runoff"] = "instant-runoff"

    def outcome(self, count: Count) -> Outcome:
        ballots = _ballots(count.profile)

        def steps(standing: frozenset[str]) -> Sequence[frozenset[str]]:
            return _eliminations(_votes(ballots, standing))

        try:
            winners = every_way(frozenset(count.costs), steps)
        except TooManyWays as many:
            winners = {frozenset({option}) for option in many.fork}
        adopted, tied = count.agreed(winners)
        reason = f"{several(count.voters, 'voter')} ranked options;"
        if tied:
            reason += f" equal votes leave open which of {listed(tied)} is left at the end."
        else:
            reason += f" {_last_round(ballots, count, steps)}."
        return Outcome(adopted, tied, reason)


class Schulze(RuleModel):
    """The option is adopted that wins by the strongest chains of majorities (Schulze 2011).

    An option beats another if more voters prefer it than prefer the other; these voters are the
    strength of the win ("winning votes"), and a chain is as strong as its weakest win. An option
    that beats all others one to one (a Condorcet winner) is always adopted. Counted with
    pref_voting's `beat_path`.
    """

    decides: ClassVar = ("ranking",)
    name: Literal["schulze"] = "schulze"

    def outcome(self, count: Count) -> Outcome:
        preferred = _preferred(count)
        winners = count.in_order(_undefeated(list(count.costs), preferred))
        voters = f"{several(count.voters, 'voter')} ranked options"
        if len(winners) > 1:
            level = f"{listed(winners)} are level by the strongest chains of majorities"
            return Outcome((), winners, f"{voters}; {level}: the rule cannot choose.")
        [winner] = winners
        others = [option for option in count.costs if option != winner]
        duels = [f"{o} {preferred[winner, o]:,} to {preferred[o, winner]:,}" for o in others]
        beats_all = all(preferred[winner, o] > preferred[o, winner] for o in others)
        how = "beats every other" if beats_all else "has the strongest chains of majorities"
        return Outcome(winners, (), f"{voters}; {winner} {how}: against {listed(duels)}.")


_Ballots: TypeAlias = Sequence[tuple[tuple[str, ...], int]]
"""Options from the first to the last ranked, with the number of voters who rank them so."""


def _ballots(profile: Profile) -> _Ballots:
    return [(tuple(sorted(marks, key=marks.__getitem__)), voters) for marks, voters in profile]


def _votes(ballots: _Ballots, standing: frozenset[str]) -> Counter[str]:
    votes = Counter(dict.fromkeys(standing, 0))
    for ranked, voters in ballots:
        for option in ranked:
            if option in standing:
                votes[option] += voters
                break
    return votes


def _eliminations(votes: Counter[str]) -> Sequence[frozenset[str]]:
    """What may be standing next.

    Options go out together where any order among them ends the same: as long as one of them is in,
    it has fewer votes than the others, since all their votes together are fewer.
    """
    rising = sorted(votes, key=lambda option: (votes[option], option))
    standing, joint, together = frozenset(rising), 0, 0
    for place, (option, stronger) in enumerate(pairwise(rising), start=1):
        joint += votes[option]
        if joint < votes[stronger]:
            together = place
    if together:
        return [standing.difference(rising[:together])]
    if len(rising) == 1:
        return []
    return [standing - {option} for option in rising if votes[option] == votes[rising[0]]]


def _last_round(ballots: _Ballots, count: Count, steps: _Steps) -> str:
    """The last round in which more than one option stood, on one of the ways to the same winner."""
    standing = frozenset(count.costs)
    while (following := steps(standing)) and len(following[0]) > 1:
        standing = following[0]
    votes = _votes(ballots, standing)
    figures = [f"{option} had {votes[option]:,}" for option in count.in_order(standing)]
    return f"in the last round {listed(figures)}, of {votes.total():,} ballots that still counted"


def _preferred(count: Count) -> Counter[tuple[str, str]]:
    """How many voters prefer the first option of a pair to the second."""
    preferred: Counter[tuple[str, str]] = Counter()
    for ranked, voters in _ballots(count.profile):
        unranked = [option for option in count.costs if option not in ranked]
        for place, option in enumerate(ranked):
            for other in (*ranked[place + 1 :], *unranked):
                preferred[option, other] += voters
    return preferred


def _undefeated(options: Sequence[str], preferred: Mapping[tuple[str, str], int]) -> set[str]:
    """The one place that talks to pref_voting, which has no types; its candidates are numbers."""
    graphs = library("pref_voting.weighted_majority_graphs")
    rules = library("pref_voting.margin_based_methods")

    def wins(one: int, other: int) -> int:
        return preferred[options[one], options[other]]

    pairs = permutations(range(len(options)), 2)
    majorities = [(a, b, wins(a, b) - wins(b, a)) for a, b in pairs if wins(a, b) > wins(b, a)]
    graph = graphs.MarginGraph(list(range(len(options))), majorities)
    return {options[number] for number in rules.beat_path(graph, strength_function=wins)}
