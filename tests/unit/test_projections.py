"""What the read models answer, where it takes more than counting choices (that is `tests/models`)."""

from collections.abc import Iterator

import pytest

from ledger.domain.areas import RenameArea, RetireArea
from ledger.domain.choices import WithdrawChoice
from ledger.domain.counting.rules import Plurality
from ledger.domain.outcomes import Evidence, RecordDecision, ReportOutcome
from ledger.domain.questions import AmendQuestion, Option
from ledger.domain.roll import (
    JoinCommunity,
    LeaveArea,
    MakeAreaPublishable,
    MoveCitizen,
)
from ledger.domain.services import ChooseOffer, EndArrangement
from projections.queries import NotFound, StillSealed
from tests.unit.asking import CLOSE, UNSEAL, mandate, question, sealed
from tests.unit.places import Place
from tests.unit.test_requests import COURSE_TO
from tests.unit.test_services import BAKERS_OFFER, BREAD, PARENTS_OFFER

LEVELS = ("aa/bb/cc", "aa/bb", "aa")


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.ledger.close()


# Areas and rolls


def rolls(place: Place) -> dict[str, int]:
    return {one.area: one.roll for one in place.queries.areas().items if one.roll}


def test_rolls_follow_moves_through_the_levels(place: Place) -> None:
    assert rolls(place) == {"aa": 2, "aa/bb": 2, "aa/bb/cc": 1, "aa/bb/dd": 1}
    place.does(MoveCitizen(citizen=place.anna, home="aa/bb/dd"))
    assert rolls(place) == {"aa": 2, "aa/bb": 2, "aa/bb/dd": 2}
    place.does(MoveCitizen(citizen=place.anna, home="aa"))
    assert rolls(place) == {"aa": 2, "aa/bb": 1, "aa/bb/dd": 1}
    place.does(JoinCommunity(citizen=place.anna, area="aa/bb/club"))
    assert rolls(place) == {"aa": 2, "aa/bb": 1, "aa/bb/dd": 1, "aa/bb/club": 1}
    place.does(LeaveArea(citizen=place.anna, area="aa"))
    assert rolls(place) == {"aa": 1, "aa/bb": 1, "aa/bb/dd": 1, "aa/bb/club": 1}
    place.does(LeaveArea(citizen=place.anna, area="aa/bb/club"))
    place.does(MoveCitizen(citizen=place.anna, home="aa/bb/cc"))
    assert rolls(place) == {"aa": 2, "aa/bb": 2, "aa/bb/cc": 1, "aa/bb/dd": 1}


def test_an_area_shows_the_levels_above_and_below_it(place: Place) -> None:
    town = place.area("aa/bb")
    assert [one.area for one in town.above] == ["aa"]
    assert [one.area for one in town.below] == ["aa/bb/cc", "aa/bb/club", "aa/bb/dd"]
    place.does(RenameArea(area="aa/bb", name="Bé"), RetireArea(area="aa/bb/dd"))
    town = place.area("aa/bb")
    assert (town.name, town.publishable, town.retired) == ("Bé", False, False)
    assert [one.retired for one in town.below] == [False, False, True]
    with pytest.raises(NotFound):
        place.area("aa/b")


def test_which_areas_choices_may_name_next(place: Place) -> None:
    assert place.queries.areas_to_publish(2) == ["aa", "aa/bb"]
    place.does(MakeAreaPublishable(area="aa", at_least=2), RetireArea(area="aa/bb/cc"))
    assert place.queries.areas_to_publish(1) == ["aa/bb", "aa/bb/dd"]
    assert place.area("aa").publishable


def test_choices_by_day_at_every_level(place: Place) -> None:
    place.does(MakeAreaPublishable(area="aa/bb/cc", at_least=1), question())
    place.chooses(place.anna, "a")
    place.chooses(place.ben, "a")
    place.clock.pass_by(days=1)
    place.chooses(place.anna, "b")
    place.does(WithdrawChoice(citizen=place.ben, question="q"))
    first, second = "2026-03-01", "2026-03-02"
    days = {area: [(d.day, d.choices, d.voters) for d in place.area(area).days] for area in LEVELS}
    assert days["aa"] == days["aa/bb"] == [(first, 2, 2), (second, 2, -1)]
    assert days["aa/bb/cc"] == [(first, 1, 1), (second, 1, 0)]
    assert [
        (d.day, d.made, d.changed, d.withdrawn, d.lapsed) for d in place.queries.question("q").days
    ] == [(first, 2, 0, 0, 0), (second, 0, 1, 1, 0)]


def test_the_share_of_the_roll_that_chose(place: Place) -> None:
    place.does(question(), question("q2", area="aa/bb/dd"))
    place.chooses(place.anna, "a")
    shares = {one.question: one.share_per_mille for one in place.area("aa/bb").questions}
    assert shares == {"q": 500}
    assert [one.question for one in place.area("aa/bb/dd").questions] == ["q2"]


# Sealed questions


def test_a_sealed_question_shows_nothing_but_its_turnout_until_it_is_unsealed(place: Place) -> None:
    place.does(MakeAreaPublishable(area="aa/bb/cc", at_least=1), sealed())
    place.chooses(place.anna, "a")
    place.chooses(place.ben, "a")
    place.chooses(place.ben, "b")
    for closed in (False, True):
        if closed:
            place.does(CLOSE)
        with pytest.raises(StillSealed):
            place.queries.tally("q")
        assert [*place.queries.tallies()] == []
        view = place.queries.question("q")
        assert (view.sealed, view.tally, view.voters) == (True, None, 2)
        assert all(place.counts(area) == {} for area in LEVELS)
        assert place.view(place.anna).choices[0].marks is None
    place.does(UNSEAL)
    assert place.queries.tally("q").position == place.ledger.log.head()
    by_option = {one.id: one.count for one in place.queries.tally("q").options}
    assert by_option == {"a": 1, "b": 1, "c": 0}
    assert place.counts("aa") == place.counts("aa/bb") == {"a": 1, "b": 1}
    assert place.counts("aa/bb/cc") == {"a": 1}
    assert place.queries.tally("q", "aa/bb/cc").voters == 1


def test_a_sealed_choice_that_was_withdrawn_is_not_counted(place: Place) -> None:
    place.does(sealed())
    place.chooses(place.anna, "a")
    place.chooses(place.ben, "b")
    place.does(WithdrawChoice(citizen=place.anna, question="q"), CLOSE, UNSEAL)
    assert place.counts("aa/bb") == {"b": 1}
    assert place.queries.question("q").voters == 1


# Decisions and outcomes


def test_counted_decided_and_implemented_stay_three_facts(place: Place) -> None:
    place.does(question(rule=Plurality()))
    place.chooses(place.anna, "a")
    assert place.queries.decision("q").reason == "No decision is recorded."
    place.does(CLOSE, RecordDecision(question="q"))
    decided = place.queries.decision("q")
    assert (decided.rule, decided.adopted, decided.tied) == ("plurality", ["a"], [])
    assert place.queries.question("q").outcomes == []
    photo = Evidence(title="Photo", address="https://x.example/1")
    for stage, percent, evidence in (("under-way", 30, ()), ("implemented", 100, (photo,))):
        report = ReportOutcome(
            question="q", option="a", stage=stage, percent=percent, about="!", evidence=evidence
        )
        place.does(report)
    (outcome,) = place.queries.question("q").outcomes
    assert (outcome.stage, outcome.percent, outcome.about) == ("implemented", 100, "!")
    assert outcome.evidence[0]["address"] == photo.address
    assert [one.kind for one in place.area("aa/bb").results] == ["decision", "outcome", "outcome"]
    assert place.area("aa").results == []
    (choice,) = place.view(place.anna).choices
    assert choice.decision is not None
    assert choice.decision.adopted == ["a"]
    assert choice.outcomes[0].stage == "implemented"


def test_the_last_decision_of_a_mandate_is_the_one_that_is_told(place: Place) -> None:
    place.does(mandate(rule=Plurality()), RecordDecision(question="m"))
    assert place.queries.decision("m").adopted == []
    place.chooses(place.anna, "bakers", "m")
    place.does(RecordDecision(question="m"))
    assert place.queries.decision("m").adopted == ["bakers"]
    assert len(place.area("aa/bb").results) == 2


def test_an_amended_question(place: Place) -> None:
    only = (Option(id="z", title="Z"),)
    place.does(question(), AmendQuestion(question="q", title="Which one?", options=only))
    view = place.queries.question("q")
    assert (view.title, [one.id for one in view.options], view.stage) == (
        "Which one?",
        ["z"],
        "open",
    )
    place.does(CLOSE)
    assert place.queries.question("q").stage == "closed"
    assert [one.question for one in place.queries.questions("aa/bb").items] == ["q"]
    assert place.queries.questions("aa").items == []


# Services


def requests(place: Place, area: str) -> dict[str, int]:
    return {one.stage: one.requests for one in place.area(area).requests}


def course(place: Place, stage: str, number: int, area: str) -> None:
    for command in COURSE_TO[stage]:  # type: ignore[index]
        fields = {"request": f"r{number}"}
        if "citizen" in type(command).model_fields:
            fields["citizen"] = place.anna if area == "aa/bb/cc" else place.ben
        place.does(command.model_copy(update=fields))


def test_requests_by_stage_rolled_up_through_the_levels(place: Place) -> None:
    place.does(BREAD, BAKERS_OFFER, PARENTS_OFFER)
    for area in ("aa/bb/cc", "aa/bb/dd"):
        place.does(MakeAreaPublishable(area=area, at_least=1))
    for number, stage in enumerate(COURSE_TO):
        course(place, stage, number, "aa/bb/cc" if number % 2 else "aa/bb/dd")
    stages = list(COURSE_TO)
    assert requests(place, "aa/bb/cc") == dict.fromkeys(stages[1::2], 1)
    assert requests(place, "aa/bb/dd") == dict.fromkeys(stages[::2], 1)
    assert requests(place, "aa/bb") == requests(place, "aa") == dict.fromkeys(stages, 1)
    mine = {one.request: one.stage for one in place.view(place.anna).requests}
    assert mine == {f"r{number}": stages[number] for number in (1, 3, 5, 7)}


def test_arrangements(place: Place) -> None:
    place.does(BREAD, BAKERS_OFFER, PARENTS_OFFER)
    for offer in ("bread/bakers", "bread/parents"):
        place.does(ChooseOffer(citizen=place.anna, offer=offer))
        (arrangement,) = place.view(place.anna).arrangements
        assert (arrangement.service, arrangement.offer) == ("bread", offer)
    place.does(EndArrangement(citizen=place.anna, service="bread"))
    assert place.view(place.anna).arrangements == []


# Citizens


def test_a_citizen_sees_what_is_theirs_and_nothing_else(place: Place) -> None:
    place.does(question(), JoinCommunity(citizen=place.anna, area="aa/bb/club"))
    place.chooses(place.anna, "a")
    place.chooses(place.ben, "b")
    view = place.view(place.anna)
    assert (view.home, view.memberships) == ("aa/bb/cc", ["aa/bb/club"])
    assert [(one.question, one.marks) for one in view.choices] == [("q", {"a": 1})]
    assert [one.type[6:-3] for one in view.timeline] == [
        "choice.made",
        "citizen.joined",
        "citizen.registered",
    ]
    place.does(LeaveArea(citizen=place.anna, area="aa/bb/cc"))
    view = place.view(place.anna)
    assert (view.home, view.memberships, view.choices) == (None, ["aa/bb/club"], [])
    assert view.timeline[0].type == "civic.choice.lapsed.v1"
    with pytest.raises(NotFound):
        place.view("f" * 32)
