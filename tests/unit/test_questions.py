"""Questions and standing mandates: asked, put differently, closed, unsealed."""

from typing import Any

import pytest

from ledger.domain.areas import RetireArea
from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.counting.rules import Plurality
from ledger.domain.methods import Single
from ledger.domain.policies import DefinePolicy
from ledger.domain.questions import (
    AmendQuestion,
    CloseQuestion,
    OpenQuestion,
    Option,
    QuestionAmended,
    QuestionClosed,
    QuestionOpened,
    QuestionUnsealed,
)
from ledger.domain.questions import question as question_perspective
from ledger.domain.refusals import Reason
from tests.unit.asking import ABC, CLOSE, UNSEAL, mandate, question, sealed
from tests.unit.domain import (
    ANNA,
    EARLIER,
    LATER,
    NOW,
    SECRETS,
    WORLD,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
)

ASKED = (*WORLD, question())
CHOSEN = MakeChoice(citizen=ANNA, question="q", marks={"a": 1})
CC_RETIRED = RetireArea(area="aa/bb/cc")

REFUSALS = [
    Refusal("a question twice", ASKED, question(), Reason.QUESTION_EXISTS, "question"),
    Refusal("nowhere", WORLD, question(area="zz"), Reason.UNKNOWN_AREA, "area"),
    Refusal(
        "in a retired area",
        [*WORLD, CC_RETIRED],
        question(area="aa/bb/cc"),
        Reason.AREA_RETIRED,
        "area",
    ),
    Refusal(
        "of an unknown electorate",
        WORLD,
        question(electorate="aa/bb/zz"),
        Reason.UNKNOWN_AREA,
        "electorate",
    ),
    Refusal(
        "of a retired electorate",
        [*WORLD, CC_RETIRED],
        question(electorate="aa/bb/cc"),
        Reason.AREA_RETIRED,
        "electorate",
    ),
    Refusal(
        "about an unknown policy", WORLD, question(policy="99"), Reason.UNKNOWN_POLICY, "policy"
    ),
    Refusal(
        "with the programme of nobody",
        WORLD,
        question(options=(Option(id="x", title="X", organisation="nobody"),)),
        Reason.UNKNOWN_ORGANISATION,
        "options",
    ),
    Refusal(
        "a second mandate for a policy area",
        [*WORLD, mandate("m1")],
        mandate("m2"),
        Reason.MANDATE_EXISTS,
        "policy",
    ),
    Refusal(
        "to close before it is asked",
        WORLD,
        question(closes=NOW),
        Reason.CONTRADICTORY_QUESTION,
        "closes",
    ),
    Refusal("to close nothing", WORLD, CLOSE, Reason.UNKNOWN_QUESTION, "question"),
    Refusal("to close it twice", [*ASKED, CLOSE], CLOSE, Reason.QUESTION_CLOSED, "question"),
    Refusal(
        "to close it early",
        [*WORLD, question(closes=LATER)],
        CLOSE,
        Reason.WINDOW_STILL_OPEN,
        "question",
    ),
    Refusal("to unseal nothing", WORLD, UNSEAL, Reason.UNKNOWN_QUESTION, "question"),
    Refusal("to unseal what never was sealed", [*ASKED, CLOSE], UNSEAL, Reason.NOT_SEALED),
    Refusal(
        "to unseal an open question",
        [*WORLD, sealed()],
        UNSEAL,
        Reason.QUESTION_NOT_CLOSED,
        "question",
    ),
    Refusal(
        "to unseal it twice",
        [*WORLD, sealed(), CLOSE, UNSEAL],
        UNSEAL,
        Reason.NOT_SEALED,
        "question",
    ),
    Refusal(
        "to amend nothing",
        WORLD,
        AmendQuestion(question="q", title="Other"),
        Reason.UNKNOWN_QUESTION,
        "question",
    ),
    Refusal(
        "to amend a closed question",
        [*ASKED, CLOSE],
        AmendQuestion(question="q", title="Other"),
        Reason.QUESTION_CLOSED,
        "question",
    ),
    Refusal(
        "to amend it after a choice",
        [*ASKED, CHOSEN],
        AmendQuestion(question="q", title="Other"),
        Reason.QUESTION_HAS_CHOICES,
        "question",
    ),
    Refusal(
        "to amend it after a choice that was withdrawn",
        [*ASKED, CHOSEN, WithdrawChoice(citizen=ANNA, question="q")],
        AmendQuestion(question="q", title="Other"),
        Reason.QUESTION_HAS_CHOICES,
        "question",
    ),
    Refusal(
        "to amend it into a contradiction",
        ASKED,
        AmendQuestion(question="q", options=(ABC[0], ABC[0])),
        Reason.CONTRADICTORY_QUESTION,
        "question",
    ),
    Refusal(
        "to have closed it already",
        ASKED,
        AmendQuestion(question="q", closes=NOW),
        Reason.CONTRADICTORY_QUESTION,
        "closes",
    ),
    Refusal(
        "to end a mandate in advance",
        [*WORLD, mandate()],
        AmendQuestion(question="m", closes=LATER),
        Reason.CONTRADICTORY_QUESTION,
        "question",
    ),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def opened(command: OpenQuestion, **fields: Any) -> QuestionOpened:
    said = command.model_dump(exclude_none=True)
    return QuestionOpened.model_validate(
        {"electorate": command.area, "opens": NOW, **said, **fields}
    )


def test_a_question_opens_at_once_for_the_whole_area() -> None:
    given(*WORLD).when(question()).then(happened(opened(question()), "question:q", "area:aa/bb"))


def test_a_question_with_everything() -> None:
    whole = question(
        about="Why.",
        electorate="aa/bb/cc",
        policy="07",
        opens="2026-04-01T00:00:00+02:00",
        closes=LATER,
        rule=Plurality(seats=2),
    )
    assert whole.opens == "2026-03-31T22:00:00.000000Z"
    given(*WORLD).when(whole).then(happened(opened(whole), "question:q", "area:aa/bb", "policy:07"))


def test_a_sealed_question_commits_to_its_key() -> None:
    event = opened(sealed(), seal=SECRETS.seal_commitment("q"))
    given(*WORLD).when(sealed()).then(happened(event, "question:q", "area:aa/bb"))


def test_a_standing_mandate() -> None:
    given(*WORLD).when(mandate()).then(
        happened(opened(mandate()), "question:m", "area:aa/bb", "policy:07")
    )


@pytest.mark.parametrize(
    "other",
    [mandate("m2", area="aa"), mandate("m2", policy="08"), question("m2", policy="07")],
    ids=["elsewhere", "for another policy area", "a plain question"],
)
def test_beside_a_mandate_there_may_be(other: OpenQuestion) -> None:
    culture = DefinePolicy(policy="08", name="Culture")
    assert given(*WORLD, culture, mandate("m1")).when(other).event.subject == "question/m2"


def test_a_closed_mandate_makes_room_for_a_new_one() -> None:
    past = (*WORLD, mandate("m1"), CloseQuestion(question="m1"))
    assert given(*past).when(mandate("m2")).event.subject == "question/m2"


def test_closing() -> None:
    closed = happened(QuestionClosed(question="q"), "question:q", "area:aa/bb", "policy:07")
    open_ended, over = question(policy="07"), question(policy="07", closes=NOW)
    given(*WORLD, open_ended).when(CLOSE).then(closed)
    given(*WORLD, over).when(CLOSE, now=NOW).then(closed)  # a window ends before its last moment


def test_unsealing_publishes_the_key() -> None:
    key = SECRETS.question_key("q")
    given(*WORLD, sealed(), CLOSE).when(UNSEAL).then(
        happened(QuestionUnsealed(question="q", key=key), "question:q", "area:aa/bb")
    )


def test_amending_before_the_first_choice() -> None:
    fewer = AmendQuestion(question="q", title="Which one?", options=ABC[:2], closes=LATER)
    event = QuestionAmended(question="q", title="Which one?", options=ABC[:2], closes=LATER)
    given(*ASKED).when(fewer).then(happened(event, "question:q", "area:aa/bb"))
    facts = KnownFacts(given(*ASKED, fewer).past)
    asked = facts.about(question_perspective("q")).asked
    assert asked is not None
    assert (asked.title, asked.options, asked.closes) == ("Which one?", ABC[:2], LATER)
    assert (asked.method, asked.opens, asked.about) == (Single(), EARLIER, None)


def test_a_question_as_it_stands() -> None:
    facts = KnownFacts(given(*WORLD, sealed(), CLOSE, UNSEAL).past)
    found = facts.about(question_perspective("q"))
    assert found.sealed
    assert found.closed
    assert found.key == SECRETS.question_key("q")
    assert found.costs == {"a": None, "b": None, "c": None}
    assert facts.about(question_perspective("other")).asked is None


def test_the_decisions_rest_on_all_that_they_name() -> None:
    """All that another command could change meanwhile is part of the consistency boundary."""
    asked = given(*WORLD).when(mandate(electorate="aa/bb/cc")).asked
    assert {tag for one in asked for tag in one.tags} == {
        "question:m",
        "area:aa/bb",
        "area:aa/bb/cc",
        "policy:07",
        "organisation:bakers",
    }
