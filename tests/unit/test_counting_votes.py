"""Plurality, most approved and threshold: meanings by example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.domain.counting.rules import MostApproved, Plurality, Share, Threshold
from ledger.domain.counting.tally import Profile
from ledger.domain.methods import Agreement, Approval, Method, Points, Ranking, Score, Single
from tests.unit.counting import approvals, approved, decide, ranked


def test_the_most_votes_win() -> None:
    outcome = decide(Plurality(), Single(), "abc", approved({"a": 4, "b": 6}))
    assert (outcome.adopted, outcome.tied) == (("b",), ())
    assert outcome.reason == "10 voters chose for 1 seat: b has 6 votes and a has 4 votes."


def test_a_tie_for_the_last_seat_is_reported_and_what_is_above_it_adopted() -> None:
    outcome = decide(Plurality(seats=2), Single(), "abcd", approved({"d": 3, "c": 3, "a": 5}))
    assert (outcome.adopted, outcome.tied) == (("a",), ("c", "d"))
    assert outcome.reason == (
        "11 voters chose for 2 seats: a has 5 votes, c has 3 votes and d has 3 votes."
        " c and d are level, with 1 seat for them: the rule cannot choose."
    )


def test_equals_that_all_find_a_seat_are_no_tie() -> None:
    outcome = decide(Plurality(seats=3), Single(), "abcd", approved({"d": 3, "c": 3, "a": 5}))
    assert (outcome.adopted, outcome.tied) == (("a", "c", "d"), ())


def test_an_option_without_votes_gets_no_seat() -> None:
    outcome = decide(Plurality(seats=3), Single(), "abc", approved({"b": 1}))
    assert (outcome.adopted, outcome.tied) == (("b",), ())


def test_nobody_wins_where_all_disagree() -> None:
    outcome = decide(MostApproved(), Agreement(), "ab", [({"a": -1, "b": 0}, 4)])
    assert (outcome.adopted, outcome.tied) == ((), ())
    assert outcome.reason == "4 voters chose; no option has a vote."


@pytest.mark.parametrize(
    ("method", "profile", "unit"),
    [
        (Ranking(), ranked({"ab": 3, "ba": 2}), "3 first choices"),
        (Score(max_mark=5), [({"a": 5, "b": 1}, 2), ({"b": 5}, 1)], "10 points"),
        (Points(total=5), [({"a": 3, "b": 2}, 2)], "6 points"),
        (Approval(), approved({"a": 3, "ab": 1}), "4 votes"),
        (Agreement(), [({"a": 1, "b": -1}, 2)], "2 votes"),
    ],
)
def test_what_plurality_counts(method: Method, profile: Profile, unit: str) -> None:
    outcome = decide(Plurality(), method, "ab", profile)
    assert outcome.adopted == ("a",)
    assert unit in outcome.reason


@given(approvals(), st.integers(1, 6), st.permutations("abcde"))
def test_any_way_of_drawing_lots_keeps_to_adopted_and_tied(
    profile: Profile, seats: int, lots: list[str]
) -> None:
    outcome = decide(MostApproved(seats=seats), Approval(), "abcde", profile)
    votes = {o: sum(n for marks, n in profile if o in marks) for o in "abcde"}
    drawn = sorted((o for o in lots if votes[o]), key=lambda o: (-votes[o], lots.index(o)))[:seats]
    assert set(outcome.adopted) <= set(drawn) <= {*outcome.adopted, *outcome.tied}
    assert len(drawn) == len(outcome.adopted) or outcome.tied


TWO_THIRDS = Share(numerator=2, denominator=3)
HALF = Share(numerator=1, denominator=2)
TENTH = Share(numerator=1, denominator=10)


def test_a_threshold_is_reached_exactly() -> None:
    outcome = decide(Threshold(share=TWO_THIRDS), Single(), "abc", approved({"a": 2, "b": 1}))
    assert (outcome.adopted, outcome.tied) == (("a",), ())
    assert outcome.reason == (
        "An option is adopted with at least 2/3 of the voters:"
        " a has 2 of 3, b has 1 of 3 and c has 0 of 3."
    )


def test_more_than_half_is_not_half() -> None:
    profile = approved({"a": 5, "b": 5})
    assert decide(Threshold(share=HALF), Single(), "ab", profile).adopted == ("a", "b")
    assert decide(Threshold(share=HALF, exceed=True), Single(), "ab", profile).adopted == ()


def test_a_pass_decides_nothing_but_counts_for_the_quorum() -> None:
    profile = [({"a": 1}, 3), ({"a": -1}, 2), ({"a": 0}, 5)]
    rule = Threshold(share=HALF, exceed=True, quorum=TENTH)
    outcome = decide(rule, Agreement(), "a", profile, roll_size=100)
    assert outcome.adopted == ("a",)
    assert "a has 3 of 5" in outcome.reason


def test_a_statement_that_everybody_passes_is_not_adopted() -> None:
    assert decide(Threshold(share=TENTH), Agreement(), "a", [({"a": 0}, 5)]).adopted == ()


def test_below_the_quorum_nothing_is_adopted() -> None:
    rule = Threshold(share=HALF, quorum=TENTH)
    outcome = decide(rule, Single(), "ab", approved({"a": 9}), roll_size=91)
    assert (outcome.adopted, outcome.tied) == ((), ())
    assert outcome.reason == "Only 9 of 91 on the roll chose; the quorum is 1/10 of the roll."
    assert decide(rule, Single(), "ab", approved({"a": 9}), roll_size=90).adopted == ("a",)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (3, 2), (1, 0), (True, 2)])
def test_a_share_is_above_nothing_and_at_most_all(numerator: int, denominator: int) -> None:
    with pytest.raises(ValidationError):
        Share(numerator=numerator, denominator=denominator)
