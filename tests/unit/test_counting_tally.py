"""The tally: numbers by option, the same as a naive recount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.counting.tally import OptionTally, Tally, first_choices, support
from ledger.domain.methods import Agreement, Approval, Method, Points, Ranking, Score, Single
from tests.unit.counting import approved, ranked, weighted


def test_a_tally_by_mark() -> None:
    profile = [({"a": 1, "b": -1}, 3), ({"b": 0}, 2), ({"a": -1}, 1)]
    assert Tally.of("cab", profile) == Tally(
        voters=6,
        options=(
            OptionTally("c", count=0, total=0, by_mark={}),
            OptionTally("a", count=4, total=2, by_mark={-1: 1, 1: 3}),
            OptionTally("b", count=5, total=-3, by_mark={-1: 3, 0: 2}),
        ),
    )


def test_by_mark_stands_in_the_order_of_the_marks() -> None:
    tally = Tally.of("a", [({"a": mark}, 1) for mark in (3, 1, 2)])
    assert list(tally.options[0].by_mark) == [1, 2, 3]


def test_a_mark_for_something_that_is_no_option_is_not_counted_away() -> None:
    with pytest.raises(KeyError):
        Tally.of("ab", [({"x": 1}, 1)])


MARKS = st.dictionaries(st.sampled_from("abcd"), st.integers(-3, 9), min_size=1)


@given(st.lists(MARKS))
def test_the_tally_of_a_profile_is_a_recount_of_its_ballots(ballots: list[dict[str, int]]) -> None:
    tally = Tally.of("abcd", weighted(ballots))
    assert tally.voters == len(ballots)
    assert [option.id for option in tally.options] == list("abcd")
    for option in tally.options:
        marks = [marks[option.id] for marks in ballots if option.id in marks]
        assert (option.count, option.total) == (len(marks), sum(marks))
        assert option.by_mark == {mark: marks.count(mark) for mark in marks}


@pytest.mark.parametrize("method", [Single(), Approval()])
def test_support_of_approvals_is_the_number_of_voters(method: Method) -> None:
    assert support(method, "abc", approved({"a": 3, "b": 2})) == {"a": 3, "b": 2, "c": 0}


def test_support_of_agreements_is_the_number_who_agree() -> None:
    profile = [({"a": 1, "b": -1}, 3), ({"a": 0, "b": 1}, 2)]
    assert support(Agreement(), "ab", profile) == {"a": 3, "b": 2}


@pytest.mark.parametrize("method", [Score(max_mark=9), Points(total=9)])
def test_support_of_scores_and_points_is_their_sum(method: Method) -> None:
    assert support(method, "ab", [({"a": 5, "b": 4}, 2), ({"a": 1}, 3)]) == {"a": 13, "b": 8}


def test_support_of_rankings_depends_on_the_length_of_each_ballot() -> None:
    profile = ranked({"abc": 1, "ba": 10, "c": 100})
    assert support(Ranking(), "abc", profile) == {"a": 3 + 10, "b": 2 + 20, "c": 1 + 100}


def test_first_choices() -> None:
    assert first_choices("abc", ranked({"abc": 1, "ba": 10, "b": 5})) == {"a": 1, "b": 15, "c": 0}
