"""Rules: what turns a count into a decision. A rule is named when the question is asked."""

from collections.abc import Iterable
from typing import Annotated, Protocol, TypeAlias

from pydantic import Field

from ledger.domain.counting.equal_shares import EqualShares
from ledger.domain.counting.greedy import Greedy
from ledger.domain.counting.libraries import CountingLibraryMissing
from ledger.domain.counting.outcome import Count, Outcome
from ledger.domain.counting.ranked import InstantRunoff, Schulze
from ledger.domain.counting.tally import Profile
from ledger.domain.counting.votes import MostApproved, Plurality, Share, Threshold
from ledger.domain.methods import Method

__all__ = [
    "CountingLibraryMissing",
    "EqualShares",
    "Greedy",
    "InstantRunoff",
    "MostApproved",
    "Option",
    "Outcome",
    "Plurality",
    "Rule",
    "Schulze",
    "Share",
    "Threshold",
    "apply",
    "misfit",
    "needs_roll",
    "pabulib_rule",
]

Rule: TypeAlias = Annotated[
    Plurality | MostApproved | Threshold | Greedy | EqualShares | InstantRunoff | Schulze,
    Field(discriminator="name"),
]


class Option(Protocol):
    """What a rule knows of an option."""

    @property
    def id(self) -> str: ...

    @property
    def cost(self) -> int | None: ...


def misfit(rule: Rule, method: Method, options: Iterable[Option]) -> str | None:
    """Why the rule cannot decide a question of this method with these options; None if it can."""
    return rule.misfit(method, {option.id: option.cost for option in options})


def needs_roll(rule: Rule) -> bool:
    """Whether the outcome depends on the size of the roll."""
    return isinstance(rule, Threshold) and rule.quorum is not None


def apply(
    rule: Rule, method: Method, options: Iterable[Option], profile: Profile, roll_size: int
) -> Outcome:
    """What the rule decides. Where nobody has chosen, nothing is adopted and nothing is tied.

    Raises ValueError with the sentence of `misfit` where there is one, and CountingLibraryMissing.
    """
    count = Count(method, {option.id: option.cost for option in options}, profile, roll_size)
    if wrong := rule.misfit(method, count.costs):
        raise ValueError(wrong)
    if count.voters == 0:
        return Outcome((), (), "Nobody has chosen.")
    return rule.outcome(count)


def pabulib_rule(
    rule: str, budget: int, threshold: int | None = None, step: int = 1
) -> Rule | None:
    """The rule that the field `rule` of a Pabulib file names; None where the file defines none.

    `budget` and the costs are whole numbers of the smallest unit, `step` of which make one unit of
    the file's currency; `threshold` is its `min_project_score_threshold`. No rule is defined by
    `greedy-custom`, `unknown`, `greedy-threshold` without a threshold, equal shares with one, or a
    variant that is not known here (pabulib.org/format).
    """
    match rule:
        case "greedy" | "greedy-no-skip" | "greedy-exclusive":
            return Greedy(name=rule, budget=budget, threshold=threshold)
        case "greedy-threshold" if threshold is not None:
            return Greedy(name=rule, budget=budget, threshold=threshold)
        case "equalshares" if threshold is None:
            return EqualShares(budget=budget, step=step)
        case "equalshares/add1" if threshold is None:
            return EqualShares(budget=budget, step=step, completion="add1")
        case _:
            return None
