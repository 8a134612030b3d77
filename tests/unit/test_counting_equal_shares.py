"""The method of equal shares: against the same method carried out voter by voter, in fractions."""

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.counting import libraries
from ledger.domain.counting.libraries import CountingLibraryMissing
from ledger.domain.counting.rules import EqualShares, Outcome
from ledger.domain.counting.tally import Profile
from ledger.domain.methods import Approval, Single
from tests.unit.counting import approvals, approved, decide, prices


def test_a_minority_gets_its_share() -> None:
    costs = {"a": 30, "b": 31, "c": 32, "d": 33}
    profile = approved({"abc": 60, "d": 40})
    outcome = decide(EqualShares(budget=90), Approval(), costs, profile)
    assert (outcome.adopted, outcome.tied) == (("a", "d"), ())


def test_completion_spends_what_is_left() -> None:
    costs = {"a": 60, "b": 60}
    profile = approved({"a": 3, "b": 2})
    bare = decide(EqualShares(budget=100), Approval(), costs, profile)
    assert (bare.adopted, bare.tied) == (("a",), ())
    assert bare.reason == (
        "5 voters with equal shares of the budget of 100 pay for 1 of 2 options, together 60."
    )
    more = decide(EqualShares(budget=120, completion="add1"), Approval(), costs, profile)
    assert (more.adopted, more.tied) == (("a", "b"), ())


def test_a_completion_never_spends_more_than_there_is() -> None:
    costs = {"a": 60, "b": 60}
    rule = EqualShares(budget=119, completion="add1")
    assert decide(rule, Approval(), costs, approved({"a": 3, "b": 2})).adopted == ("a",)


def test_the_cheaper_of_two_level_claims_goes_first_and_this_is_said() -> None:
    outcome = decide(EqualShares(budget=100), Approval(), {"a": 100, "b": 60}, approved({"ab": 5}))
    assert (outcome.adopted, outcome.tied) == (("b",), ())
    assert "Of level claims, the cheaper went first" in outcome.reason


def test_of_level_claims_of_the_same_cost_the_one_with_more_supporters_goes_first() -> None:
    """When c is paid, b has two supporters left who can pay, as a has, but it had three."""
    profile = approved({"ab": 1, "a": 1, "b": 1, "bc": 1, "c": 3})
    outcome = decide(EqualShares(budget=70), Approval(), {"a": 20, "b": 20, "c": 40}, profile)
    assert (outcome.adopted, outcome.tied) == (("b", "c"), ())


def test_claims_that_are_level_in_all_are_a_tie() -> None:
    outcome = decide(EqualShares(budget=100), Approval(), {"a": 60, "b": 60}, approved({"ab": 5}))
    assert (outcome.adopted, outcome.tied) == ((), ("a", "b"))
    assert outcome.reason.endswith("Claims level even then leave open which of a and b to adopt.")


def test_level_claims_that_are_all_met_are_no_tie() -> None:
    outcome = decide(EqualShares(budget=120), Approval(), {"a": 60, "b": 60}, approved({"ab": 5}))
    assert (outcome.adopted, outcome.tied) == (("a", "b"), ())


def test_more_ties_than_can_be_followed_are_all_left_open() -> None:
    costs: dict[str, int | None] = dict.fromkeys("abcdefgh", 10)
    outcome = decide(EqualShares(budget=45), Approval(), costs, approved({"abcdefgh": 3}))
    assert (outcome.adopted, outcome.tied) == ((), tuple("abcdefgh"))


def test_a_single_choice_is_an_approval_of_one() -> None:
    outcome = decide(EqualShares(budget=10), Single(), {"a": 5, "b": 5}, approved({"a": 3, "b": 1}))
    assert outcome.adopted == ("a",)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_installed(module: str) -> None:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(libraries, "import_module", nothing_installed)
    with pytest.raises(CountingLibraryMissing, match=r"civic-participation-ledger\[counting\]"):
        decide(EqualShares(budget=10), Approval(), {"a": 5}, approved({"a": 1}))


def one_run(costs: dict[str, int], profile: Profile, share: Fraction, lots: str) -> set[str]:
    """One run by hand; lots decide where part, cost and number of supporters are level."""
    voters = [frozenset(marks) for marks, number in profile for _ in range(number)]
    purse = [share] * len(voters)
    adopted = set[str]()
    while True:
        claims = []
        for option in costs.keys() - adopted:
            supporters = [i for i, approves in enumerate(voters) if option in approves]
            payment = equal_payment(costs[option], sorted(purse[i] for i in supporters))
            if payment is not None:
                part = payment / costs[option]
                rank = (part, costs[option], -len(supporters), lots.index(option))
                claims.append((rank, option, payment, supporters))
        if not claims:
            return adopted
        _, option, payment, supporters = min(claims)
        adopted.add(option)
        for i in supporters:
            purse[i] -= min(purse[i], payment)


def equal_payment(cost: int, purses: list[Fraction]) -> Fraction | None:
    """The most anybody pays when all pay the same, or all they have; None if it is not enough."""
    missing = Fraction(cost)
    for payers, purse in zip(range(len(purses), 0, -1), purses, strict=True):
        if missing <= purse * payers:
            return missing / payers
        missing -= purse
    return None


def by_hand(rule: EqualShares, costs: dict[str, int], profile: Profile, lots: str) -> set[str]:
    number = sum(voters for _, voters in profile)
    supported = {option for marks, _ in profile for option in marks}
    adopted = one_run(costs, profile, Fraction(rule.budget, number), lots)
    share = rule.budget // (number * rule.step) * rule.step
    while rule.completion:
        left = rule.budget - sum(costs[option] for option in adopted)
        if not any(costs[option] <= left for option in supported - adopted):
            break
        share += rule.step
        larger = one_run(costs, profile, Fraction(share), lots)
        if sum(costs[option] for option in larger) > rule.budget:
            break
        adopted = larger
    return adopted


def ways_and_outcome(
    rule: EqualShares, costs: dict[str, int], profile: Profile
) -> tuple[list[set[str]], Outcome]:
    ways = [by_hand(rule, costs, profile, "".join(lots)) for lots in permutations(costs)]
    outcome = decide(rule, Approval(), costs, profile)
    assert all(sum(costs[option] for option in way) <= rule.budget for way in ways)
    assert sum(costs[option] for option in outcome.adopted) <= rule.budget
    return ways, outcome


@settings(max_examples=60, deadline=None)
@given(prices("abcd"), approvals("abcd"), st.integers(1, 40))
def test_an_outcome_is_what_all_ways_and_what_some_ways_adopt(
    costs: dict[str, int], profile: Profile, budget: int
) -> None:
    ways, outcome = ways_and_outcome(EqualShares(budget=budget), costs, profile)
    assert set(outcome.adopted) == ways[0].intersection(*ways)
    assert set(outcome.tied) == set.union(*ways) - ways[0].intersection(*ways)


@settings(max_examples=60, deadline=None)
@given(prices("abcd"), approvals("abcd"), st.integers(1, 40), st.integers(1, 3))
def test_a_completed_outcome_keeps_to_all_ways(
    costs: dict[str, int], profile: Profile, budget: int, step: int
) -> None:
    rule = EqualShares(budget=budget, completion="add1", step=step)
    ways, outcome = ways_and_outcome(rule, costs, profile)
    assert set(outcome.adopted) == ways[0].intersection(*ways)
    assert set(outcome.tied) == set.union(*ways) - ways[0].intersection(*ways)
