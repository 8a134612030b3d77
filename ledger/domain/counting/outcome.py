"""What every rule has in common: what it decides on, what it gives, and how it deals with ties.

A tie is never broken here. Where a rule must choose between equals, every way of choosing is
followed to its end: what all the ends adopt is adopted, what only some of them adopt is tied.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from ledger.domain.counting.tally import Profile
from ledger.domain.methods import Method

WAYS = 2_000
"""How many intermediate states are followed before a rule says that the ties are too many."""

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`adopted` is what every way of breaking the ties would adopt, `tied` what the rule leaves
    open; both in the question's order. `reason` is for a citizen to read."""

    adopted: tuple[str, ...]
    tied: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """What a rule decides on. `costs` has all options, in the question's order, and their cost."""

    method: Method
    costs: Mapping[str, int | None]
    profile: Profile
    roll_size: int

    @property
    def voters(self) -> int:
        return sum(voters for _, voters in self.profile)

    def in_order(self, options: Collection[str]) -> tuple[str, ...]:
        return tuple(option for option in self.costs if option in options)

    def agreed(self, ways: Collection[frozenset[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is adopted and what is tied when each of the ways adopts these options."""
        every, some = frozenset.intersection(*ways), frozenset[str]().union(*ways)
        return self.in_order(every), self.in_order(some - every)


class RuleModel(BaseModel):
    """A rule as it stands, for ever, inside `question.opened`.

    `decides` are the methods it can decide; `needs_costs`, whether every option must have a cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decides: ClassVar[tuple[str, ...]]
    needs_costs: ClassVar[bool] = False
    name: str

    def misfit(self, method: Method, costs: Mapping[str, int | None]) -> str | None:
        """Why the rule cannot decide a question with this method and these options, or None."""
        if method.kind not in self.decides:
            return f"The rule {self.name!r} cannot decide a question of method {method.kind!r}."
        if self.needs_costs and None in costs.values():
            return f"The rule {self.name!r} needs the cost of every option."
        return None

    def outcome(self, count: Count) -> Outcome:
        """Called with a count that fits the rule and has at least one voter."""
        raise NotImplementedError


class TooManyWays(Exception, Generic[State]):
    """The ties multiply beyond what can be followed; `fork` is the state at the first of them."""

    def __init__(self, fork: State) -> None:
        super().__init__(fork)
        self.fork = fork


def every_way(
    start: State, steps: Callable[[State], Sequence[State]], limit: int = WAYS
) -> set[State]:
    """All states without a further step that can be reached from `start`.

    A state with several steps is a tie. Raises TooManyWays beyond `limit` states.
    """
    fork: State | None = None
    seen, waiting, ends = {start}, [start], set[State]()
    while waiting:
        state = waiting.pop()
        following = steps(state)
        if not following:
            ends.add(state)
        if len(following) > 1 and fork is None:
            fork = state
        new = [one for one in following if one not in seen]
        seen.update(new)
        waiting.extend(new)
        if fork is not None and len(seen) > limit:
            raise TooManyWays(fork)
    return ends


def several(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names as a citizen reads them: "a, b and c", and how many more where they are many."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    if len(shown) < 2:
        return "".join(shown) or "none"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
