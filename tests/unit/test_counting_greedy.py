"""Greedy rules: by support while the money lasts."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.domain.counting.rules import Greedy
from ledger.domain.counting.tally import Profile, support
from ledger.domain.methods import Approval, Points, Ranking
from tests.unit.counting import approvals, approved, decide, prices, ranked


def test_what_does_not_fit_is_passed_over() -> None:
    costs = {"a": 5, "b": 6, "c": 4}
    outcome = decide(Greedy(budget=9), Approval(), costs, approved({"abc": 1, "ab": 1, "a": 1}))
    assert (outcome.adopted, outcome.tied) == (("a", "c"), ())
    assert outcome.reason == (
        "Taken in the order of their support while the budget of 9 lasts: 2 of 3 options, for 9."
    )


def test_no_skip_ends_at_the_first_that_does_not_fit() -> None:
    costs = {"a": 5, "b": 6, "c": 4}
    rule = Greedy(name="greedy-no-skip", budget=9)
    assert decide(rule, Approval(), costs, approved({"abc": 1, "ab": 1, "a": 1})).adopted == ("a",)


@pytest.mark.parametrize("name", ["greedy", "greedy-threshold", "greedy-no-skip"])
def test_below_the_threshold_nothing_is_taken(name: str) -> None:
    rule = Greedy.model_validate({"name": name, "budget": 100, "threshold": 2})
    outcome = decide(rule, Approval(), {"a": 5, "b": 6}, approved({"ab": 1, "a": 1}))
    assert outcome.adopted == ("a",)
    assert "(at least 2)" in outcome.reason


def test_of_options_that_exclude_each_other_the_first_taken_wins() -> None:
    profile = approved({"abc": 1, "ab": 1, "a": 1})
    costs = {"a": 5, "b": 5, "c": 5}
    rule = Greedy(name="greedy-exclusive", budget=100, exclusions=(("a", "b"),))
    assert decide(rule, Approval(), costs, profile).adopted == ("a", "c")
    assert decide(rule, Approval(), costs | {"a": 101}, profile).adopted == ("b", "c")


def test_without_exclusions_exclusive_is_greedy_and_says_so() -> None:
    profile = approved({"abc": 1, "ab": 1})
    costs = {"a": 5, "b": 5, "c": 5}
    exclusive = decide(Greedy(name="greedy-exclusive", budget=10), Approval(), costs, profile)
    assert exclusive.adopted == decide(Greedy(budget=10), Approval(), costs, profile).adopted
    assert exclusive.reason.endswith("No options are known that exclude each other.")


def test_equals_that_exclude_each_other_are_tied() -> None:
    rule = Greedy(name="greedy-exclusive", budget=100, exclusions=(("a", "b"),))
    outcome = decide(rule, Approval(), {"a": 5, "b": 5, "c": 5}, approved({"abc": 1}))
    assert (outcome.adopted, outcome.tied) == (("c",), ("a", "b"))


def test_equal_support_is_no_tie_where_the_order_changes_nothing() -> None:
    profile = approved({"abc": 2})
    both_fit = decide(Greedy(budget=11), Approval(), {"a": 5, "b": 6, "c": 12}, profile)
    assert (both_fit.adopted, both_fit.tied) == (("a", "b"), ())


def test_a_tie_for_the_last_money_reaches_down_to_what_depends_on_it() -> None:
    costs = {"a": 5, "b": 6, "c": 7, "d": 1}
    outcome = decide(Greedy(budget=12), Approval(), costs, approved({"abcd": 1, "abc": 1, "a": 1}))
    assert (outcome.adopted, outcome.tied) == (("a",), ("b", "c", "d"))
    assert outcome.reason == (
        "Taken in the order of their support while the budget of 12 lasts: 1 of 4 options, for 5."
        " Equal support and the money left leave open which of b (2), c (2) and d (1) to adopt."
    )


def test_no_skip_is_tied_where_an_equal_may_end_it_first() -> None:
    rule = Greedy(name="greedy-no-skip", budget=9)
    outcome = decide(rule, Approval(), {"a": 5, "b": 10}, approved({"ab": 2}))
    assert (outcome.adopted, outcome.tied) == ((), ("a",))


def test_points_and_borda_points_are_support_too() -> None:
    costs = {"a": 5, "b": 5}
    assert decide(Greedy(budget=5), Points(total=9), costs, [({"a": 1, "b": 2}, 1)]).adopted == (
        "b",
    )
    profile = ranked({"ab": 2, "b": 3})  # a: 2 * 2, b: 2 * 1 + 3 * 1
    assert decide(Greedy(budget=5), Ranking(), costs, profile).adopted == ("b",)


def test_too_many_ties_to_follow_are_all_left_open() -> None:
    costs: dict[str, int | None] = {f"o{number}": 3 for number in range(60)}
    outcome = decide(Greedy(budget=30), Approval(), costs, [({"o7": 1}, 1)])
    assert outcome.adopted == ("o7",)
    assert set(outcome.tied) == costs.keys() - {"o7"}


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "greedy-threshold", "budget": 5},
        {"name": "greedy", "budget": 5, "exclusions": [["a", "b"]]},
        {"name": "greedy", "budget": -1},
        {"name": "greedy", "budget": 5.5},
        {"name": "greedy-custom", "budget": 5},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Greedy.model_validate(rule)


def one_way(rule: Greedy, costs: dict[str, int], supported: dict[str, int], lots: str) -> set[str]:
    """The rule as a citizen would carry it out by hand, where lots decide between equals."""
    left, taken = rule.budget, set[str]()
    for option in sorted(lots, key=lambda o: (-supported[o], lots.index(o))):
        if supported[option] < (rule.threshold or 0):
            continue
        if any(option in group and taken & set(group) for group in rule.exclusions):
            continue
        if costs[option] <= left:
            taken.add(option)
            left -= costs[option]
        elif rule.name == "greedy-no-skip":
            break
    return taken


@st.composite
def rules(draw: st.DrawFn) -> Greedy:
    name = draw(st.sampled_from(["greedy", "greedy-no-skip", "greedy-exclusive"]))
    exclusions = (("a", "b"), ("b", "c", "d")) if name == "greedy-exclusive" else ()
    threshold = draw(st.none() | st.integers(0, 3))
    return Greedy(
        name=name, budget=draw(st.integers(0, 40)), threshold=threshold, exclusions=exclusions
    )


@settings(deadline=None)
@given(rules(), prices(), approvals())
def test_an_outcome_is_what_all_ways_and_what_some_ways_adopt(
    rule: Greedy, costs: dict[str, int], profile: Profile
) -> None:
    supported = support(Approval(), costs, profile)
    ways = [one_way(rule, costs, supported, "".join(lots)) for lots in permutations(costs)]
    outcome = decide(rule, Approval(), costs, profile)
    assert set(outcome.adopted) == ways[0].intersection(*ways)
    assert set(outcome.tied) == set.union(*ways) - ways[0].intersection(*ways)
    assert sum(costs[option] for option in outcome.adopted) <= rule.budget
