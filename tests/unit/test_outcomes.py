"""Decisions and outcomes: what follows from a count, by which rule; and how far it is done."""

import pytest
from pydantic import ValidationError

from ledger.domain.choices import MakeChoice
from ledger.domain.counting.rules import Greedy, Plurality, Share, Threshold
from ledger.domain.deciding import Command
from ledger.domain.methods import Approval
from ledger.domain.outcomes import (
    Decision,
    DecisionRecorded,
    Evidence,
    OutcomeReported,
    RecordDecision,
    ReportOutcome,
    decision,
    profile,
)
from ledger.domain.questions import Option
from ledger.domain.refusals import Reason
from ledger.domain.roll import RegisterCitizen
from tests.unit.asking import CLOSE, UNSEAL, mandate, question, sealed
from tests.unit.domain import (
    ANNA,
    BEN,
    CORA,
    LATER,
    NOW,
    WORLD,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
)

PEOPLE = tuple(RegisterCitizen(citizen=one, home="aa/bb/dd") for one in (BEN, CORA))
ASKED = (*WORLD, *PEOPLE, question(rule=Plurality()))
UNRULED = (*WORLD, *PEOPLE, question())
DECIDE = RecordDecision(question="q")
BY_COUNCIL = RecordDecision(question="q", by="parents", adopted=("a",), reason="It is time.")
DECIDED = (*UNRULED, CLOSE, BY_COUNCIL)


def choose(citizen: str, *options: str, question: str = "q") -> MakeChoice:
    return MakeChoice(citizen=citizen, question=question, marks=dict.fromkeys(options, 1))


def outcome(option: str = "a", **fields: object) -> ReportOutcome:
    report = {"question": "q", "option": option, "stage": "planned", "percent": 0, **fields}
    return ReportOutcome.model_validate(report)


REFUSALS = [
    Refusal("on no question", WORLD, DECIDE, Reason.UNKNOWN_QUESTION, "question"),
    Refusal(
        "while people may choose",
        [*WORLD, question(closes=LATER, rule=Plurality())],
        DECIDE,
        Reason.QUESTION_NOT_CLOSED,
        "question",
    ),
    Refusal(
        "after the window, not yet closed",
        [*WORLD, question(closes=NOW, rule=Plurality())],
        DECIDE,
        Reason.QUESTION_NOT_CLOSED,
        "question",
    ),
    Refusal(
        "while it is sealed",
        [*WORLD, sealed(rule=Plurality())],
        DECIDE,
        Reason.STILL_SEALED,
        "question",
    ),
    Refusal(
        "closed, and not unsealed",
        [*WORLD, sealed(rule=Plurality()), CLOSE],
        DECIDE,
        Reason.STILL_SEALED,
        "question",
    ),
    Refusal("a second time", [*ASKED, CLOSE, DECIDE], DECIDE, Reason.ALREADY_DECIDED, "question"),
    Refusal(
        "by nobody known",
        [*ASKED, CLOSE],
        RecordDecision(question="q", by="nobody"),
        Reason.UNKNOWN_ORGANISATION,
        "by",
    ),
    Refusal(
        "by a body where a rule decides",
        [*ASKED, CLOSE],
        BY_COUNCIL,
        Reason.CONTRADICTORY_QUESTION,
        "adopted",
    ),
    Refusal("without a rule or a word", [*UNRULED, CLOSE], DECIDE, Reason.NO_RULE, "adopted"),
    Refusal(
        "without a reason",
        [*UNRULED, CLOSE],
        RecordDecision(question="q", adopted=("a",)),
        Reason.NO_RULE,
        "adopted",
    ),
    Refusal(
        "for what was not asked",
        [*UNRULED, CLOSE],
        RecordDecision(question="q", adopted=("a", "x"), reason="It is time."),
        Reason.NOT_ADOPTED,
        "adopted",
    ),
    Refusal("an outcome of nothing", WORLD, outcome(), Reason.UNKNOWN_QUESTION, "question"),
    Refusal(
        "an outcome before the decision",
        [*UNRULED, CLOSE],
        outcome(),
        Reason.NOT_DECIDED,
        "question",
    ),
    Refusal(
        "an outcome of what was not adopted", DECIDED, outcome("b"), Reason.NOT_ADOPTED, "option"
    ),
    Refusal(
        "an outcome by nobody known",
        DECIDED,
        outcome(by="nobody"),
        Reason.UNKNOWN_ORGANISATION,
        "by",
    ),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def recorded(*past: Command, command: Command = DECIDE) -> DecisionRecorded:
    event = given(*past).when(command).event
    assert isinstance(event, DecisionRecorded)
    return event


def test_where_there_is_a_rule_it_alone_decides() -> None:
    past = (*ASKED, choose(ANNA, "b"), choose(BEN, "b"), choose(CORA, "a"), CLOSE)
    given(*past).when(DECIDE).then(
        happened(
            DecisionRecorded(
                question="q",
                rule=Plurality(),
                voters=3,
                adopted=("b",),
                reason="3 voters chose for 1 seat: b has 2 votes and a has 1 vote.",
            ),
            "question:q",
            "area:aa/bb",
        )
    )


def test_a_tie_is_reported_and_not_broken() -> None:
    event = recorded(*ASKED, choose(ANNA, "b"), choose(BEN, "a"), CLOSE)
    assert (event.adopted, event.tied, event.voters) == ((), ("a", "b"), 2)
    assert "the rule cannot choose" in event.reason


def test_where_nobody_chose_nothing_is_adopted() -> None:
    event = recorded(*ASKED, CLOSE)
    assert (event.adopted, event.tied, event.voters) == ((), (), 0)


def test_only_what_stands_is_counted() -> None:
    past = (*ASKED, choose(ANNA, "a"), choose(BEN, "a"), choose(ANNA, "b"), choose(BEN, "b"))
    event = recorded(*past, choose(CORA, "c"), CLOSE)
    assert (event.adopted, event.voters) == (("b",), 3)


def test_without_a_rule_the_responsible_body_says_what_and_why() -> None:
    given(*UNRULED, choose(ANNA, "b"), CLOSE).when(BY_COUNCIL).then(
        happened(
            DecisionRecorded(
                question="q", by="parents", voters=1, adopted=("a",), reason="It is time."
            ),
            "question:q",
            "area:aa/bb",
            "organisation:parents",
        )
    )


def test_nothing_may_be_adopted_for_a_reason() -> None:
    nothing = RecordDecision(question="q", adopted=(), reason="It is too early.")
    assert recorded(*UNRULED, CLOSE, command=nothing).adopted == ()


def test_a_question_without_an_end_is_decided_as_often_as_needed() -> None:
    past = (*WORLD, mandate(rule=Plurality()), choose(ANNA, "bakers", question="m"))
    again = RecordDecision(question="m")
    assert recorded(*past, command=again).adopted == ("bakers",)
    assert recorded(*past, again, command=again).adopted == ("bakers",)


def test_sealed_marks_are_counted_once_their_key_is_public() -> None:
    past = (*WORLD, *PEOPLE, sealed(rule=Plurality()), choose(ANNA, "b"), choose(BEN, "c"))
    event = recorded(*past, choose(BEN, "b"), CLOSE, UNSEAL)
    assert (event.adopted, event.voters) == (("b",), 2)


def test_a_quorum_is_a_share_of_the_electorates_roll() -> None:
    half, all_of_it = Share(numerator=1, denominator=2), Share(numerator=1, denominator=1)
    for quorum, adopted in ((Share(numerator=1, denominator=3), ("a",)), (half, ())):
        rule = Threshold(share=all_of_it, quorum=quorum)
        asked = question(electorate="aa/bb", area="aa", rule=rule)
        event = recorded(*WORLD, *PEOPLE, asked, choose(ANNA, "a"), CLOSE)
        assert event.adopted == adopted


def test_the_decision_rests_on_the_choices_and_on_the_roll_if_it_must() -> None:
    quorum = Threshold(
        share=Share(numerator=1, denominator=2), quorum=Share(numerator=1, denominator=2)
    )
    for rule, rests_on_roll in ((Plurality(), False), (quorum, True)):
        asked = given(*WORLD, question(rule=rule), CLOSE).when(DECIDE).asked
        types = {type_ for one in asked for type_ in one.types}
        assert "civic.choice.withdrawn.v1" in types
        assert ("civic.citizen.registered.v1" in types) == rests_on_roll


def test_costs_decide_where_money_is_short() -> None:
    projects = (
        Option(id="a", title="A", cost=60),
        Option(id="b", title="B", cost=50),
        Option(id="c", title="C", cost=40),
    )
    asked = question(method=Approval(), options=projects, rule=Greedy(budget=100))
    past = (*WORLD, *PEOPLE, asked, choose(ANNA, "a", "b"), choose(BEN, "a", "c"))
    assert recorded(*past, choose(CORA, "b", "a"), CLOSE).adopted == ("a", "c")


def test_a_report_of_an_outcome() -> None:
    evidence = Evidence(title="A photograph", address="https://x.example/1", sha256="ab" * 32)
    report = outcome(
        stage="implemented", percent=100, by="bakers", about="Done.", evidence=(evidence,)
    )
    given(*DECIDED).when(report).then(
        happened(
            OutcomeReported(
                question="q",
                option="a",
                stage="implemented",
                percent=100,
                by="bakers",
                about="Done.",
                evidence=(evidence,),
            ),
            "question:q",
            "area:aa/bb",
            "organisation:bakers",
        )
    )


def test_reports_may_go_back_and_forth() -> None:
    past = (*DECIDED, outcome(stage="implemented", percent=100))
    event = given(*past).when(outcome(stage="under-way", percent=60)).event
    assert isinstance(event, OutcomeReported)


@pytest.mark.parametrize(
    "fields", [{"percent": 101}, {"percent": -1}, {"percent": 0.5}, {"stage": "soon"}], ids=str
)
def test_what_is_no_report(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        outcome(**fields)


def test_the_last_decision_is_the_one_that_counts() -> None:
    past = (*WORLD, mandate(rule=Plurality()), RecordDecision(question="m"))
    past = (*past, choose(ANNA, "bakers", question="m"), RecordDecision(question="m"))
    assert KnownFacts(given(*past).past).about(decision("m")) == Decision(("bakers",))


def test_equal_ballots_are_counted_together() -> None:
    past = (*ASKED, choose(ANNA, "a"), choose(BEN, "a"), choose(CORA, "b"))
    answers = {
        one.event.voter: one.event.answer
        for one in given(*past).past
        if one.event.type == "civic.choice.made.v1"
    }
    counted = profile(answers, key=None)
    assert counted.voters == 3
    assert counted.weighted() == [({"a": 1}, 2), ({"b": 1}, 1)]
