"""Choices: who may choose what, where, and when; one answer each, and always the latest."""

import pytest
from pydantic import ValidationError

from ledger.domain.areas import AreaAmended
from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
    LapseChoice,
    MakeChoice,
    WithdrawChoice,
    ballots,
    standing,
    standing_choices,
)
from ledger.domain.methods import Points
from ledger.domain.refusals import Reason
from ledger.domain.roll import JoinCommunity, LeaveArea, MoveCitizen
from ledger.domain.sealing import unsealed
from tests.unit.asking import CLOSE, question, sealed
from tests.unit.domain import (
    ANNA,
    BEN,
    COMMITMENT,
    EARLIER,
    LATER,
    NOW,
    SECRETS,
    WORLD,
    At,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
    voter,
)

ASKED = (*WORLD, question())
A = MakeChoice(citizen=ANNA, question="q", marks={"a": 1})
B = MakeChoice(citizen=ANNA, question="q", marks={"b": 1})
WITHDRAW = WithdrawChoice(citizen=ANNA, question="q")
LAPSE = LapseChoice(citizen=ANNA, question="q")
MOVED_AWAY = LeaveArea(citizen=ANNA, area="aa/bb/cc")
OVER = (*WORLD, question(closes=NOW))
LATE = (*WORLD, question(opens=LATER))
ANNA_IN_Q = voter(ANNA, "q")
TAGS = ("question:q", f"voter:{ANNA_IN_Q}", f"citizen:{ANNA}")
ANSWER_A, ANSWER_B = Answer(area="aa/bb", marks={"a": 1}), Answer(area="aa/bb", marks={"b": 1})

REFUSALS = [
    Refusal("no question", WORLD, A, Reason.UNKNOWN_QUESTION, "question"),
    Refusal("a closed question", [*ASKED, CLOSE], A, Reason.QUESTION_CLOSED, "question"),
    Refusal("too early", LATE, A, Reason.NOT_OPEN_YET, "question"),
    Refusal("too late", OVER, A, Reason.WINDOW_OVER, "question"),
    Refusal(
        "nobody we know",
        ASKED,
        MakeChoice(citizen=BEN, question="q", marks={"a": 1}),
        Reason.NOT_REGISTERED,
        "citizen",
    ),
    Refusal(
        "somebody from elsewhere",
        [*WORLD, question(area="aa/bb/dd")],
        A,
        Reason.NOT_ON_THE_ROLL,
        "citizen",
    ),
    Refusal(
        "a neighbour outside the electorate",
        [*WORLD, question(electorate="aa/bb/dd")],
        A,
        Reason.NOT_ON_THE_ROLL,
        "citizen",
    ),
    Refusal(
        "no member", [*WORLD, question(area="aa/bb/club")], A, Reason.NOT_ON_THE_ROLL, "citizen"
    ),
    Refusal("one who left", [*ASKED, MOVED_AWAY], A, Reason.NOT_ON_THE_ROLL, "citizen"),
    Refusal(
        "no real option",
        ASKED,
        MakeChoice(citizen=ANNA, question="q", marks={"x": 1}),
        Reason.ILLEGAL_MARKS,
        "marks",
    ),
    Refusal(
        "an empty answer",
        ASKED,
        MakeChoice(citizen=ANNA, question="q", marks={}),
        Reason.ILLEGAL_MARKS,
        "marks",
    ),
    Refusal(
        "two marks where one is allowed",
        ASKED,
        MakeChoice(citizen=ANNA, question="q", marks={"a": 1, "b": 1}),
        Reason.ILLEGAL_MARKS,
        "marks",
    ),
    Refusal("to withdraw nothing", ASKED, WITHDRAW, Reason.NO_STANDING_CHOICE, "question"),
    Refusal(
        "to withdraw twice", [*ASKED, A, WITHDRAW], WITHDRAW, Reason.NO_STANDING_CHOICE, "question"
    ),
    Refusal("to withdraw from nothing", WORLD, WITHDRAW, Reason.UNKNOWN_QUESTION, "question"),
    Refusal(
        "to withdraw after the close",
        [*ASKED, A, CLOSE],
        WITHDRAW,
        Reason.QUESTION_CLOSED,
        "question",
    ),
    Refusal("to withdraw after the window", [*OVER, A], WITHDRAW, Reason.WINDOW_OVER, "question"),
    Refusal("to withdraw too early", LATE, WITHDRAW, Reason.NOT_OPEN_YET, "question"),
    Refusal("to lapse in one's own area", [*ASKED, A], LAPSE, Reason.STILL_BELONGS),
    Refusal("to lapse nothing", [*ASKED, MOVED_AWAY], LAPSE, Reason.NO_STANDING_CHOICE, "question"),
    Refusal("to lapse nowhere", WORLD, LAPSE, Reason.UNKNOWN_QUESTION, "question"),
    Refusal("to lapse too early", LATE, LAPSE, Reason.NOT_OPEN_YET, "question"),
    Refusal(
        "to lapse after the close",
        [*ASKED, A, CLOSE, MOVED_AWAY],
        LAPSE,
        Reason.QUESTION_CLOSED,
        "question",
    ),
    Refusal(
        "to lapse after the window", [*OVER, A, MOVED_AWAY], LAPSE, Reason.WINDOW_OVER, "question"
    ),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def test_a_first_choice() -> None:
    made = ChoiceMade(question="q", voter=ANNA_IN_Q, answer=ANSWER_A)
    given(*ASKED).when(A).then(happened(made, *TAGS))


def test_a_choice_anew_says_what_it_replaces() -> None:
    changed = ChoiceChanged(question="q", voter=ANNA_IN_Q, answer=ANSWER_B, previous=ANSWER_A)
    given(*ASKED, A).when(B).then(happened(changed, *TAGS))


def test_the_same_answer_again_is_a_change_like_any_other() -> None:
    changed = ChoiceChanged(question="q", voter=ANNA_IN_Q, answer=ANSWER_A, previous=ANSWER_A)
    given(*ASKED, A).when(A).then(happened(changed, *TAGS))


def test_a_choice_after_a_withdrawal_is_a_first_choice() -> None:
    made = ChoiceMade(question="q", voter=ANNA_IN_Q, answer=ANSWER_B)
    given(*ASKED, A, WITHDRAW).when(B).then(happened(made, *TAGS))


def test_a_withdrawal() -> None:
    withdrawn = ChoiceWithdrawn(question="q", voter=ANNA_IN_Q, previous=ANSWER_A)
    given(*ASKED, A).when(WITHDRAW).then(happened(withdrawn, *TAGS))


def test_one_who_left_may_still_withdraw() -> None:
    withdrawn = ChoiceWithdrawn(question="q", voter=ANNA_IN_Q, previous=ANSWER_A)
    given(*ASKED, A, MOVED_AWAY).when(WITHDRAW).then(happened(withdrawn, *TAGS))


def test_a_choice_lapses_when_the_citizen_no_longer_belongs() -> None:
    lapsed = ChoiceLapsed(question="q", voter=ANNA_IN_Q, previous=ANSWER_A)
    given(*ASKED, A, MOVED_AWAY).when(LAPSE).then(happened(lapsed, *TAGS))


def test_who_moves_within_the_electorate_keeps_their_choice() -> None:
    moved = MoveCitizen(citizen=ANNA, home="aa/bb/dd")
    given(*ASKED, A, moved).when(LAPSE).refused(Reason.STILL_BELONGS)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ("2026-02-28T23:59:59.999999Z", Reason.NOT_OPEN_YET),
        ("2026-03-01T00:00:00.000000Z", None),
        ("2026-03-31T23:59:59.999999Z", None),
        ("2026-04-01T00:00:00.000000Z", Reason.WINDOW_OVER),
    ],
)
def test_a_window_holds_its_first_moment_and_not_its_last(now: str, reason: Reason | None) -> None:
    march = question(opens="2026-03-01T00:00:00Z", closes="2026-04-01T00:00:00Z")
    decided = given(*WORLD, march).when(A, now)
    if reason is None:
        assert decided.event.type == ChoiceMade.type
    else:
        decided.refused(reason, "question")


def test_a_comment_goes_to_the_vault_and_the_entry_commits_to_it() -> None:
    said = A.model_copy(update={"comment": "For my mother."})
    assert said.private() == {"comment": "For my mother."}
    made = ChoiceMade(question="q", voter=ANNA_IN_Q, answer=ANSWER_A, private=COMMITMENT)
    given(*ASKED).when(said).then(happened(made, *TAGS))
    assert A.private() is None


def publishable(*areas: str) -> list[object]:
    return [happened(AreaAmended(area=area, publishable=True), f"area:{area}") for area in areas]


@pytest.mark.parametrize(
    ("asked", "named", "area"),
    [
        (question(area="aa"), (), "aa"),
        (question(area="aa"), ("aa/bb/cc",), "aa/bb/cc"),
        (question(area="aa"), ("aa/bb", "aa/bb/dd"), "aa/bb"),
        (question(area="aa/bb/cc"), (), "aa/bb/cc"),
        (question(area="aa", electorate="aa/bb"), ("aa",), "aa/bb"),
        (question(area="aa", electorate="aa/bb"), ("aa/bb/cc",), "aa/bb/cc"),
        (question(area="aa/bb/club"), ("aa/bb/cc", "aa/bb", "aa"), "aa/bb/club"),
        (question(area="aa/bb", electorate="aa/bb/club"), ("aa/bb/cc",), "aa/bb/club"),
    ],
)
def test_a_choice_names_the_smallest_publishable_area(
    asked: object, named: tuple[str, ...], area: str
) -> None:
    member = JoinCommunity(citizen=ANNA, area="aa/bb/club")
    past = (*WORLD, member, *publishable(*named), asked)
    event = given(*past).when(A).event
    assert isinstance(event, ChoiceMade)
    assert event.answer.area == area


def test_a_sealed_choice_holds_no_marks() -> None:
    event = given(*WORLD, sealed()).when(A).event
    assert isinstance(event, ChoiceMade)
    assert event.answer.marks is None
    assert event.answer.sealed is not None
    assert unsealed(SECRETS.question_key("q"), event.answer.sealed) == {"a": 1}
    with pytest.raises(ValueError, match="not sealed with this key"):
        unsealed(SECRETS.question_key("other"), event.answer.sealed)


def test_sealed_marks_do_not_show_how_many_they_are() -> None:
    asked = sealed(method=Points(total=3))
    lengths = set()
    for marks in ({"a": 3}, {"a": 1, "b": 1, "c": 1}):
        choice = MakeChoice(citizen=ANNA, question="q", marks=marks)
        event = given(*WORLD, asked).when(choice).event
        assert isinstance(event, ChoiceMade)
        lengths.add(len(event.answer.sealed or ""))
    assert len(lengths) == 1


def test_a_voter_has_another_name_in_every_question() -> None:
    events = [
        given(*WORLD, question(id_)).when(A.model_copy(update={"question": id_})).event
        for id_ in ("q1", "q2")
    ]
    assert len({event.voter for event in events if isinstance(event, ChoiceMade)}) == 2


def test_what_stands() -> None:
    q2 = MakeChoice(citizen=ANNA, question="q2", marks={"a": 1})
    facts = KnownFacts(given(*ASKED, question("q2"), A, q2, B, At(EARLIER, WITHDRAW)).past)
    assert facts.about(standing(ANNA_IN_Q)).answer is None
    assert facts.about(standing(voter(ANNA, "q2"))).answer == ANSWER_A
    assert facts.about(ballots("q")).by_voter == {}
    assert facts.about(ballots("q2")).by_voter == {voter(ANNA, "q2"): ANSWER_A}
    assert facts.about(standing_choices(ANNA)).questions == {"q2"}


@pytest.mark.parametrize(
    "marks",
    [{"a": True}, {"a": 1.0}, {"a": "1"}, {"a": None}, {"a": 2**53}, {" a": 1}, {"a\n": 1}],
    ids=repr,
)
def test_what_is_no_mark_at_all(marks: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        MakeChoice(citizen=ANNA, question="q", marks=marks)


def test_no_event_can_carry_a_weight() -> None:
    with pytest.raises(ValidationError, match="weight"):
        ChoiceMade(question="q", voter=ANNA_IN_Q, answer=ANSWER_A, weight=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("fields", [{}, {"marks": {"a": 1}, "sealed": "00"}], ids=["none", "both"])
def test_an_answer_holds_marks_or_sealed_marks(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either marks or sealed marks"):
        Answer.model_validate({"area": "aa", **fields})
