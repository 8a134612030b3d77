"""Small questions to count: options by letter, ballots as marks with the number of voters."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from ledger.domain.counting.rules import Outcome, Rule, apply
from ledger.domain.counting.tally import Profile
from ledger.domain.methods import Method

LETTERS = "abcde"


@dataclass(frozen=True)
class Option:
    id: str
    cost: int | None = None


def priced(costs: Mapping[str, int | None] | str) -> list[Option]:
    """Options with these costs, or one without a cost for each letter."""
    if isinstance(costs, str):
        return [Option(letter) for letter in costs]
    return [Option(letter, cost) for letter, cost in costs.items()]


def decide(
    rule: Rule,
    method: Method,
    options: Mapping[str, int | None] | str,
    profile: Profile,
    roll_size: int = 0,
) -> Outcome:
    return apply(rule, method, priced(options), profile, roll_size)


def ranked(orders: Mapping[str, int]) -> Profile:
    """`{"bca": 3}`: three voters rank b, then c, then a."""
    return [({o: place for place, o in enumerate(order, 1)}, n) for order, n in orders.items()]


def approved(ballots: Mapping[str, int]) -> Profile:
    """`{"ac": 3}`: three voters approve a and c."""
    return [(dict.fromkeys(ballot, 1), voters) for ballot, voters in ballots.items()]


def weighted(ballots: Iterable[Mapping[str, int]]) -> Profile:
    counted = Counter(tuple(sorted(marks.items())) for marks in ballots)
    return [(dict(marks), voters) for marks, voters in counted.items()]


def approvals(options: str = LETTERS) -> st.SearchStrategy[Profile]:
    ballot = st.sets(st.sampled_from(options), min_size=1).map(lambda s: dict.fromkeys(s, 1))
    return st.lists(ballot, min_size=1, max_size=8).map(weighted)


def rankings(options: str = LETTERS) -> st.SearchStrategy[Profile]:
    order = st.lists(st.sampled_from(options), min_size=1, unique=True)
    ballot = order.map(lambda o: {option: place for place, option in enumerate(o, 1)})
    return st.lists(ballot, min_size=1, max_size=8).map(weighted)


def prices(options: str = LETTERS) -> st.SearchStrategy[dict[str, int | None]]:
    each = st.integers(min_value=1, max_value=12)
    return st.fixed_dictionaries(dict.fromkeys(options, each))
