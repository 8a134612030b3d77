"""Instant runoff and Schulze: against counting by hand, and against pref_voting."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from pref_voting.iterative_methods import instant_runoff_put
from pref_voting.profiles_with_ties import ProfileWithTies

from ledger.domain.counting.rules import InstantRunoff, Schulze
from ledger.domain.counting.tally import Profile
from ledger.domain.methods import Ranking
from tests.unit.counting import decide, ranked, rankings


def test_votes_move_on_when_an_option_goes_out() -> None:
    outcome = decide(InstantRunoff(), Ranking(), "abc", ranked({"a": 4, "bc": 3, "cb": 2}))
    assert (outcome.adopted, outcome.tied) == (("b",), ())
    assert outcome.reason == (
        "9 voters ranked options;"
        " in the last round a had 4 and b had 5, of 9 ballots that still counted."
    )


def test_a_ballot_with_nothing_left_no_longer_counts() -> None:
    outcome = decide(InstantRunoff(), Ranking(), "abc", ranked({"a": 4, "b": 3, "c": 2}))
    assert outcome.adopted == ("a",)
    assert "of 7 ballots" in outcome.reason


def test_a_tie_for_going_out_that_changes_nothing_is_no_tie() -> None:
    outcome = decide(InstantRunoff(), Ranking(), "abc", ranked({"a": 3, "b": 2, "c": 2}))
    assert (outcome.adopted, outcome.tied) == (("a",), ())


def test_a_tie_for_going_out_that_decides_is_reported() -> None:
    outcome = decide(InstantRunoff(), Ranking(), "abc", ranked({"a": 3, "bc": 2, "cb": 2}))
    assert (outcome.adopted, outcome.tied) == ((), ("b", "c"))
    assert outcome.reason == (
        "7 voters ranked options; equal votes leave open which of b and c is left at the end."
    )


def test_ties_that_no_library_could_follow_are_reported_at_once() -> None:
    options = "abcdefghijklmnopqrstuvwxyz"
    outcome = decide(InstantRunoff(), Ranking(), options, ranked(dict.fromkeys(options, 1)))
    assert (outcome.adopted, outcome.tied) == ((), tuple(options))


@pytest.mark.parametrize("rule", [InstantRunoff(), Schulze()])
def test_a_single_option(rule: InstantRunoff | Schulze) -> None:
    assert decide(rule, Ranking(), "a", ranked({"a": 2})).adopted == ("a",)


def test_a_condorcet_winner_beats_every_other() -> None:
    profile = ranked({"ab": 4, "ba": 3, "cb": 2})
    outcome = decide(Schulze(), Ranking(), "abc", profile)
    assert (outcome.adopted, outcome.tied) == (("b",), ())
    assert outcome.reason == (
        "9 voters ranked options; b beats every other: against a 5 to 4 and c 7 to 2."
    )


def test_the_example_of_schulze_and_of_every_textbook() -> None:
    orders = {"acbed": 5, "adecb": 5, "bedac": 8, "cabed": 3, "caebd": 7}
    orders |= {"cbade": 2, "dceba": 7, "ebadc": 8}
    assert decide(Schulze(), Ranking(), "abcde", ranked(orders)).adopted == ("e",)


def test_the_strength_of_a_win_is_its_voters_and_not_its_margin() -> None:
    """a beats b 5 to 4, b beats c 4 to 2, c beats a 6 to 3: b's win has the fewest voters."""
    profile = ranked({"a": 3, "ca": 2, "bc": 4})
    assert decide(Schulze(), Ranking(), "abc", profile).adopted == ("c",)


def test_a_circle_of_equal_majorities_is_a_tie() -> None:
    outcome = decide(Schulze(), Ranking(), "abc", ranked({"abc": 2, "bca": 2, "cab": 2}))
    assert (outcome.adopted, outcome.tied) == ((), ("a", "b", "c"))
    assert outcome.reason == (
        "6 voters ranked options; a, b and c are level by the strongest chains of majorities:"
        " the rule cannot choose."
    )


def runoff_by_hand(profile: Profile, lots: tuple[str, ...]) -> str:
    """One option goes out a round; lots decide between equals."""
    standing = list(lots)
    while len(standing) > 1:
        votes = dict.fromkeys(standing, 0)
        for marks, voters in profile:
            left = [option for option in standing if option in marks]
            if left:
                votes[min(left, key=marks.__getitem__)] += voters
        standing.remove(min(standing, key=lambda o: (votes[o], lots.index(o))))
    return standing[0]


@settings(deadline=None)
@given(rankings())
def test_instant_runoff_is_what_all_ways_of_drawing_lots_give(profile: Profile) -> None:
    winners = {runoff_by_hand(profile, lots) for lots in permutations("abcde")}
    outcome = decide(InstantRunoff(), Ranking(), "abcde", profile)
    if len(winners) == 1:
        assert (set(outcome.adopted), outcome.tied) == (winners, ())
    else:
        assert (outcome.adopted, set(outcome.tied)) == ((), winners)


@settings(deadline=None)
@given(rankings("abcd"))
def test_instant_runoff_is_that_of_pref_voting(profile: Profile) -> None:
    ballots = [{"abcd".index(o): rank for o, rank in marks.items()} for marks, _ in profile]
    counted = ProfileWithTies(ballots, [voters for _, voters in profile], list(range(4)))
    winners = {"abcd"[number] for number in instant_runoff_put(counted)}
    outcome = decide(InstantRunoff(), Ranking(), "abcd", profile)
    assert {*outcome.adopted, *outcome.tied} == winners


def strongest_chains(profile: Profile, options: str) -> set[str]:
    """Schulze by trying every chain of options."""

    def prefer(one: str, other: str) -> int:
        last = len(options) + 1
        return sum(n for m, n in profile if m.get(one, last) < m.get(other, last))

    def win(one: str, other: str) -> int:
        return prefer(one, other) if prefer(one, other) > prefer(other, one) else 0

    def chain(one: str, other: str) -> int:
        between = [o for o in options if o not in (one, other)]
        steps = [
            (one, *middle, other)
            for n in range(len(between) + 1)
            for middle in permutations(between, n)
        ]
        return max(min(win(*pair) for pair in pairwise(path)) for path in steps)

    return {o for o in options if all(chain(o, p) >= chain(p, o) for p in options if p != o)}


@settings(deadline=None)
@given(rankings())
def test_schulze_is_what_trying_every_chain_gives(profile: Profile) -> None:
    winners = strongest_chains(profile, "abcde")
    outcome = decide(Schulze(), Ranking(), "abcde", profile)
    if len(winners) == 1:
        assert (set(outcome.adopted), outcome.tied) == (winners, ())
    else:
        assert (outcome.adopted, set(outcome.tied)) == ((), winners)
