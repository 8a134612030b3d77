"""What the queries answer about areas, policy areas, organisations and citizens: the same from every store."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.domain.areas import RetireArea
from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.counting.rules import Plurality
from ledger.domain.outcomes import RecordDecision, ReportOutcome
from ledger.domain.policies import DefinePolicy, RenamePolicy
from ledger.domain.questions import AmendQuestion, CloseQuestion, Option, UnsealQuestion
from ledger.domain.roll import JoinCommunity, MakeAreaPublishable, RegisterCitizen
from projections.answers import Figures
from projections.queries import (
    InTheFuture,
    NoSuchPage,
    NotFound,
    Page,
    StillSealed,
    areas,
    citizens,
    organisations,
    policies,
    questions,
    results,
)
from projections.queries.results import Scope
from projections.stores.postgres import PostgresStore
from projections.stores.sqlite import SQLiteStore
from tests.postgres import Server
from tests.unit.asking import mandate, question, sealed
from tests.unit.places import Place

PROGRAMMES = (
    Option(id="bread", title="More bread", organisation="bakers"),
    Option(id="play", title="More play", organisation="parents"),
)
TOWN, DISTRICT = "aa/bb", "aa/bb/cc"
ALL = Page()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "sqlite":
        found = Place(SQLiteStore(None))
    else:
        server: Server = request.getfixturevalue("postgres_server")
        found = Place(PostgresStore(server.new_schema()))
    settle(found)
    yield found
    found.ledger.close()
    found.store.close()


def settle(place: Place) -> None:
    """Two days: mandates in the town and the district, a question that was decided, one that is sealed."""
    carl, dora = (place.ledger.vault.enrol(name) for name in ("carl", "dora"))
    place.does(
        DefinePolicy(policy="07.1", name="Medicine", parent="07"),
        DefinePolicy(policy="09", name="Teaching"),
        RenamePolicy(policy="09", name="Education"),
        RegisterCitizen(citizen=carl, home=DISTRICT),
        RegisterCitizen(citizen=dora, home="aa"),
        JoinCommunity(citizen=carl, area="aa/bb/club"),
        MakeAreaPublishable(area=DISTRICT, at_least=1),
        mandate("m", options=PROGRAMMES, rule=Plurality()),
        mandate("m-cc", options=PROGRAMMES, area=DISTRICT, policy="09"),
        mandate("m-secret", options=PROGRAMMES, area="aa", results="after_close"),
        question("q", policy="07.1", rule=Plurality()),
        question("q2", area="aa", title="Another?"),
        sealed("s"),
        question("amended", area="aa/bb/dd", options=PROGRAMMES),
        AmendQuestion(question="amended", options=(PROGRAMMES[1],)),
    )
    for citizen, id_, option in (
        (place.anna, "m", "bread"),
        (place.ben, "m", "play"),
        (carl, "m", "play"),
        (carl, "m-cc", "bread"),
        (place.anna, "q", "a"),
        (place.ben, "q", "a"),
        (carl, "q", "b"),
        (place.anna, "s", "a"),
        (dora, "q2", "c"),
        (dora, "m-secret", "play"),
    ):
        place.chooses(citizen, option, id_)
    place.does(RecordDecision(question="m", by="parents"))  # play holds
    place.clock.pass_by(days=1)
    place.does(
        ReportOutcome(question="m", option="play", stage="under-way", percent=20, by="parents"),
        WithdrawChoice(citizen=carl, question="m"),
        MakeChoice(citizen=place.ben, question="m", marks={"bread": 1}),
        RecordDecision(question="m"),  # bread holds: play is dropped
        CloseQuestion(question="q"),
        RecordDecision(question="q", by="bakers"),
        ReportOutcome(question="q", option="a", stage="implemented", percent=100, by="bakers"),
        RetireArea(area="aa/bb/dd"),
    )


def ids(found: Any, field: str) -> list[Any]:
    return [getattr(one, field) for one in found.items]


# Areas


def test_an_areas_figures_at_its_level_and_with_all_below(place: Place) -> None:
    town = place.area(TOWN)
    assert town.own == Figures(
        questions=2, open_questions=1, mandates=1, decisions=3, pending=1, kept=1, dropped=1
    )
    assert town.figures == Figures(
        questions=3, open_questions=2, mandates=2, decisions=3, pending=1, kept=1, dropped=1
    )
    country = place.area("aa")
    assert country.own == Figures(questions=1, open_questions=1, mandates=1)
    assert (country.figures.questions, country.figures.mandates, country.figures.kept) == (4, 3, 1)
    assert [(one.area, one.open_questions) for one in town.below] == [
        (DISTRICT, 0),
        ("aa/bb/club", 0),
        ("aa/bb/dd", 1),
    ]


def test_the_mandates_of_an_area_with_who_leads_and_who_holds(place: Place) -> None:
    (found,) = place.area(TOWN).mandates
    assert (found.policy, found.policy_name, found.voters) == ("07", "Health", 2)
    (leading,) = found.leading
    assert (leading.option, leading.organisation_name, leading.backed_by) == ("bread", "Bakers", 2)
    assert found.holding == ["bread"]
    everywhere = place.queries.ask(results.mandates, Scope("aa"), ALL, "policy")
    assert ids(everywhere, "question") == ["m", "m-secret", "m-cc"]
    hidden = everywhere.items[1]
    assert (hidden.sealed, hidden.voters, hidden.leading) == (True, 1, [])


def test_a_mandate_where_programmes_are_level(place: Place) -> None:
    (found,) = place.queries.ask(results.mandates, Scope(DISTRICT), ALL).items
    assert [one.option for one in found.leading] == ["bread"]
    place.chooses(place.anna, "play", "m-cc")
    (found,) = place.queries.ask(results.mandates, Scope(DISTRICT), ALL).items
    assert [(one.option, one.backed_by) for one in found.leading] == [("bread", 1), ("play", 1)]
    place.does(WithdrawChoice(citizen=place.anna, question="m-cc"))


def test_areas_filtered_sorted_and_by_pages(place: Place) -> None:
    def found(page: Page = ALL, sort: str = "area", **filters: Any) -> list[str]:
        return ids(place.queries.ask(areas.area_list, page, sort, **filters), "area")

    below = [DISTRICT, "aa/bb/club", "aa/bb/dd"]
    assert found() == ["aa", TOWN, *below]
    assert found(parent=TOWN) == below
    assert found(parent=TOWN, kind="community") == found(kind="community") == ["aa/bb/club"]
    assert found(retired=True) == ["aa/bb/dd"]
    assert found(sort="-roll")[:3] == ["aa", TOWN, DISTRICT]
    assert found(sort="name", parent=TOWN) == [DISTRICT, "aa/bb/club", "aa/bb/dd"]
    assert found(Page(2, 1)) == [TOWN, DISTRICT]
    assert place.queries.ask(areas.area_list, Page(2, 1), "area").total == 5
    with pytest.raises(NoSuchPage):
        found(Page(2, 5))
    with pytest.raises(NotFound):
        found(parent="nowhere")


def test_the_questions_that_an_areas_people_answer(place: Place) -> None:
    def found(area: str, sort: str = "position", **filters: Any) -> list[str]:
        answer = place.queries.ask(areas.area_questions, area, ALL, sort, **filters)
        return ids(answer, "question")

    assert found(DISTRICT) == ["m", "m-cc", "q", "s"]
    assert found("aa", asked_by="aa") == ["m-secret", "q2"]
    assert found("aa", stage="closed") == ["q"]
    assert found("aa", policy="07.1") == ["q"]
    assert found("aa", mandate=False, sort="-voters") == ["q", "q2", "s"]
    (q,) = place.queries.ask(areas.area_questions, DISTRICT, ALL, "position", policy="07.1").items
    assert (q.voters, q.share_per_mille) == (2, 1000)
    assert {one.id: one.count for one in q.options} == {"a": 1, "b": 1, "c": 0}
    (s,) = place.queries.ask(areas.area_questions, TOWN, Page(1), "-position", stage="open").items
    assert (s.question, s.sealed, s.options) == ("s", True, [])
    for wrong in ({"policy": "99"}, {"asked_by": "nowhere"}):
        with pytest.raises(NotFound):
            found(TOWN, **wrong)


def test_an_areas_days_with_standing_choices_and_the_roll(place: Place) -> None:
    first, second = place.queries.ask(areas.area_days, "aa", ALL).items
    assert (first.day, first.choices, first.standing, first.roll) == ("2026-03-01", 10, 10, 4)
    assert (second.day, second.voters, second.standing, second.roll) == ("2026-03-02", -1, 9, 4)
    assert place.queries.ask(areas.area_days, "aa", ALL, first="2026-03-02").items == [second]
    assert place.queries.ask(areas.area_days, "aa", ALL, last="2026-03-01").items == [first]
    assert place.queries.ask(areas.area_days, "aa/bb/club", ALL).items[0].roll == 1


# What came of it


def test_decisions_with_the_names_of_what_was_adopted(place: Place) -> None:
    found = place.queries.ask(results.decisions, Scope(TOWN), ALL)
    assert [(one.question, one.by_name) for one in found.items] == [
        ("q", "Bakers"),
        ("m", None),
        ("m", "Parents"),
    ]
    last = found.items[0]
    assert (last.rule, last.voters, last.policy) == ("plurality", 3, "07.1")
    assert [one.title for one in last.adopted] == ["A"]
    oldest = place.queries.ask(results.decisions, Scope(TOWN, policy="07"), Page(1), "position")
    assert [one.id for one in oldest.items[0].adopted] == ["play"]
    assert place.queries.ask(results.decisions, Scope("aa", below=False), ALL).items == []


@pytest.mark.parametrize("model", ["area", "policy", "organisation"])
def test_what_became_of_promises(place: Place, model: str) -> None:
    found = place.queries.ask(results.promises, model, Scope(), ALL, "title")
    assert [(one.option, one.fate, one.stage) for one in found.items] == [
        ("a", "kept", "implemented"),
        ("bread", "pending", None),
        ("play", "dropped", "under-way"),
    ]
    kept = place.queries.ask(results.promises, model, Scope(policy="07.1"), ALL, fate="kept")
    assert ids(kept, "option") == ["a"]
    assert place.queries.ask(results.promises, model, Scope(), ALL, fate="broken").items == []


# Policy areas


def test_policy_areas_and_how_far_they_have_come(place: Place) -> None:
    listed = place.queries.ask(policies.policy_list, ALL, "-decisions")
    assert [(one.policy, one.figures.decisions) for one in listed.items] == [
        ("07", 2),
        ("07.1", 1),
        ("09", 0),
    ]
    assert ids(place.queries.ask(policies.policy_list, ALL, "policy", parent="07"), "policy") == [
        "07.1"
    ]
    assert ids(place.queries.ask(policies.policy_list, ALL, "name", top=True), "name") == [
        "Education",
        "Health",
    ]
    health = place.queries.ask(policies.policy_view, "07")
    assert [one.policy for one in health.below] == ["07.1"]
    assert health.figures == Figures(mandates=2, decisions=2, pending=1, dropped=1)
    assert health.areas == 2
    assert [one.name for one in place.queries.ask(policies.policy_view, "07.1").above] == ["Health"]


def test_a_policy_area_across_the_levels(place: Place) -> None:
    found = place.queries.ask(policies.policy_areas, "07", ALL, "area")
    assert [(one.area, one.level, one.roll, one.figures.mandates) for one in found.items] == [
        ("aa", 0, 4, 1),
        (TOWN, 1, 3, 1),
    ]
    below = place.queries.ask(policies.policy_areas, "07", ALL, "-roll", within=TOWN)
    assert ids(below, "area") == [TOWN]
    for unknown in ("08", "0"):
        with pytest.raises(NotFound):
            place.queries.ask(policies.policy_areas, unknown, ALL, "area")
        with pytest.raises(NotFound):
            place.queries.ask(policies.policy_view, unknown)


# Organisations


def test_an_organisation_with_what_it_leads_and_holds(place: Place) -> None:
    bakers = place.queries.ask(organisations.organisation_view, "bakers")
    assert (bakers.name, bakers.kind, bakers.area_name) == ("Bakers", "company", "Bb")
    assert (bakers.programmes, bakers.mandates, bakers.leads, bakers.holds) == (3, 3, 2, 1)
    assert (bakers.decisions, bakers.pending, bakers.kept, bakers.dropped) == (1, 1, 0, 0)
    parents = place.queries.ask(organisations.organisation_view, "parents")
    assert (parents.programmes, parents.leads, parents.holds) == (4, 0, 0)
    assert (parents.decisions, parents.dropped) == (1, 1)
    with pytest.raises(NotFound):
        place.queries.ask(organisations.organisation_view, "nobody")


def test_the_mandates_of_an_organisation(place: Place) -> None:
    def found(sort: str = "area", **filters: Any) -> list[str]:
        answer = place.queries.ask(
            organisations.organisation_mandates, "bakers", ALL, sort, **filters
        )
        return ids(answer, "question")

    assert found() == ["m-secret", "m", "m-cc"]
    assert found(sort="policy") == ["m", "m-secret", "m-cc"]
    assert found(sort="-backed_by") == ["m", "m-cc", "m-secret"]
    assert found(within=TOWN) == ["m", "m-cc"]
    assert found(policy="09") == found(within=DISTRICT) == ["m-cc"]
    assert found(leads=True) == ["m", "m-cc"]
    assert found(holds=True) == ["m"]
    assert found(stage="closed") == []
    secret, town, _ = place.queries.ask(
        organisations.organisation_mandates, "bakers", ALL, "area"
    ).items
    assert (secret.backed_by, secret.leads, secret.holds, secret.voters) == (None, None, False, 1)
    assert (town.programme, town.backed_by, town.leads, town.holds) == ("More bread", 2, True, True)


def test_organisations_filtered_and_sorted(place: Place) -> None:
    def found(sort: str, **filters: Any) -> list[str]:
        answer = place.queries.ask(organisations.organisation_list, ALL, sort, **filters)
        return ids(answer, "organisation")

    assert found("-name") == ["parents", "bakers"]
    assert found("name", kind="company") == found("kept", within=TOWN)[:1] == ["bakers"]
    assert found("name", within=DISTRICT) == []


def test_what_an_organisation_answers_for(place: Place) -> None:
    found = place.queries.ask(organisations.organisation_duties, "parents", ALL, "position")
    assert [(one.kind, one.question) for one in found.items] == [
        ("adopted", "m"),
        ("recorded", "m"),
        ("reported", "m"),
    ]
    adopted = place.queries.ask(
        organisations.organisation_duties, "bakers", ALL, "-position", kind="adopted"
    )
    assert ids(adopted, "question") == ["m"]
    mine = place.queries.ask(organisations.organisation_promises, "parents", ALL, "position")
    assert [(one.option, one.fate) for one in mine.items] == [("play", "dropped")]


# Questions


def test_questions_filtered_sorted_and_by_pages(place: Place) -> None:
    def found(page: Page = ALL, sort: str = "position", **filters: Any) -> list[str]:
        return ids(place.queries.ask(questions.question_list, page, sort, **filters), "question")

    everything = ["m", "m-cc", "m-secret", "q", "q2", "s", "amended"]
    assert found() == everything
    assert found(sort="-position") == everything[::-1]
    assert found(sort="-voters")[0] == "q"
    assert found(mandate=True) == everything[:3]
    assert found(mandate=False, stage="open", area=TOWN) == ["s"]
    assert found(policy="07") == ["m", "m-secret"]
    assert found(Page(3, 6)) == ["amended"]
    assert found(sort="title", area="aa", mandate=False) == ["q2"]


def test_a_count_by_the_areas_that_choices_name(place: Place) -> None:
    found = place.queries.ask(questions.area_tallies, "q", ALL)
    counted = {
        one.area: (one.voters, {o.id: o.count for o in one.options if o.count})
        for one in found.items
    }
    assert counted == {TOWN: (1, {"a": 1}), DISTRICT: (2, {"a": 1, "b": 1})}
    assert found.total == 2
    (second,) = place.queries.ask(questions.area_tallies, "q", Page(1, 1)).items
    assert (second.area, second.options[1].count) == (DISTRICT, 1)
    with pytest.raises(StillSealed):
        place.queries.ask(questions.area_tallies, "s", ALL)


def test_how_a_count_went_by_day(place: Place) -> None:
    found = place.history.by_day("m", None, ALL)
    assert [
        (one.day, one.voters, one.roll, {o.id: o.count for o in one.options}) for one in found.items
    ] == [
        ("2026-03-01", 3, 3, {"bread": 1, "play": 2}),
        ("2026-03-02", 2, 3, {"bread": 2, "play": 0}),
    ]
    assert ids(place.history.by_day("m", DISTRICT, ALL), "voters") == [2, 1]
    assert ids(place.history.by_day("m", None, ALL, first="2026-03-02"), "voters") == [2]
    assert ids(place.history.by_day("m", None, Page(1, 1)), "voters") == [2]
    with pytest.raises(NoSuchPage):
        place.history.by_day("m", None, Page(1, 2))
    with pytest.raises(StillSealed):
        place.history.by_day("s", None, ALL)


def test_a_count_on_a_day_and_at_a_position(place: Place) -> None:
    on = place.history.on("m", None, "2026-03-01")
    assert ({one.id: one.count for one in on.options}, on.voters) == ({"bread": 1, "play": 2}, 3)
    head = place.ledger.log.head()
    assert place.history.at("m", None, head) == place.queries.tally("m")
    with pytest.raises(NotFound):
        place.history.on("m", None, "2026-02-28")
    with pytest.raises(NotFound):
        place.history.at("m", None, 1)
    with pytest.raises(NotFound):
        place.history.at("unheard-of", None, head)
    with pytest.raises(InTheFuture):
        place.history.at("m", None, head + 1)
    for ask in (
        lambda: place.history.at("s", None, head),
        lambda: place.history.on("s", None, "2026-03-02"),
    ):
        with pytest.raises(StillSealed):
            ask()


# Citizens


def test_what_became_of_a_citizens_choices(place: Place) -> None:
    became = {one.question: (one.became, one.adopted) for one in place.view(place.anna).choices}
    assert became == {
        "m": ("decided", ["bread"]),
        "q": ("implemented", ["a"]),
        "s": ("counted", []),
    }
    bens = {one.question: (one.became, one.adopted) for one in place.view(place.ben).choices}
    assert bens == {"m": ("decided", ["bread"]), "q": ("implemented", ["a"])}
    place.chooses(place.ben, "play", "m")  # after the decision, which did not count it
    again = {one.question: one.became for one in place.view(place.ben).choices}
    assert again["m"] == "counted"
    place.chooses(place.ben, "bread", "m")


def test_a_citizens_timeline_by_pages(place: Place) -> None:
    first = place.queries.ask(citizens.timeline, place.ben, Page(2), "position")
    assert [one.type for one in first.items] == [
        "civic.citizen.registered.v1",
        "civic.choice.made.v1",
    ]
    rest = place.queries.ask(citizens.timeline, place.ben, Page(100, 2), "position")
    assert len(rest.items) == rest.total - 2
    assert place.queries.ask(citizens.timeline, place.ben, Page(1)).items == rest.items[-1:]
    with pytest.raises(NotFound):
        place.queries.ask(citizens.timeline, "f" * 32, ALL)


# Last, since they change what the others read


def test_a_mandate_that_was_closed_no_longer_stands(place: Place) -> None:
    place.does(CloseQuestion(question="m-cc"))
    assert place.area(DISTRICT).own.mandates == 0
    assert place.area("aa").figures.open_questions == 3
    assert place.area(DISTRICT).mandates == []
    bakers = place.queries.ask(organisations.organisation_view, "bakers")
    assert (bakers.mandates, bakers.leads) == (2, 1)


def test_an_unsealed_question_has_a_history_from_then_on(place: Place) -> None:
    sealed_at = place.ledger.log.head()
    place.clock.pass_by(days=1)
    place.does(CloseQuestion(question="s"), UnsealQuestion(question="s"))
    unsealed_at = place.ledger.log.head()
    place.clock.pass_by(days=1)
    place.does(DefinePolicy(policy="10", name="Protection"))
    head = place.ledger.log.head()
    for at in (unsealed_at, head):
        assert place.history.at("s", None, at).options[0].count == 1
    assert place.history.on("s", None, "2026-03-03").options[0].count == 1
    for at in (sealed_at, unsealed_at - 1):
        with pytest.raises(StillSealed):
            place.history.at("s", None, at)
    with pytest.raises(StillSealed):
        place.history.on("s", None, "2026-03-02")
    days = place.queries.ask(areas.area_days, "aa", ALL).items
    assert "2026-03-03" not in [one.day for one in days], "an unsealing is no choice"
    shown = place.history.by_day("s", None, ALL).items
    assert [(one.day, one.voters, len(one.options)) for one in shown] == [
        ("2026-03-01", 1, 0),
        ("2026-03-03", 1, 3),
    ]
