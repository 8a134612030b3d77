"""The sample town: all that the ledger knows can be seen in it, and nothing in it names a person."""

import operator
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ledger.codec import Entry, decode
from ledger.domain.catalogue import EVENT_BY_TYPE, EVENTS
from ledger.domain.choices import CHOICE_TYPES
from ledger.domain.cofog import DIVISIONS, GROUPS, division_of
from ledger.domain.event import instant
from ledger.domain.organisations import OrganisationRegistered
from ledger.domain.requests import REQUEST_EVENTS
from ledger.eventlog.port import EVERYTHING, Record
from projections.catalogue import all_projections
from projections.digest import digest
from projections.queries import StillSealed
from services.assembly import System, assembled
from services.settings import Settings
from services.town import TownTokens, build
from services.town.mandates import mandate
from services.town.places import HOMES, ISLAND, TERRITORIES, TOWN
from services.town.questions import STAGES, Asked, questions
from services.town.topics import TOPICS


@dataclass(frozen=True)
class Town:
    system: System
    tokens: TownTokens
    records: list[Record]
    entries: list[Entry]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    urls = {name: f"sqlite:///{folder}/{name}.sqlite" for name in ("log", "store", "vault")}
    with assembled(Settings(**urls)) as system:
        tokens = build(system)
        records = system.log.select(EVERYTHING)
        yield Town(system, tokens, records, [decode(record.entry) for record in records])


def of_stage(stage: str) -> list[Asked]:
    return [one for one in questions() if one.stage == stage]


def test_every_event_type_of_the_catalogue_happened(town: Town) -> None:
    """All but what a ledger says of itself."""
    of_itself = {event.type for event in EVENTS["transparency"]}
    assert {record.type for record in town.records} == set(EVENT_BY_TYPE) - of_itself


def test_three_levels_of_areas_and_two_communities(town: Town) -> None:
    areas = town.system.queries.areas().items
    levels = {one.area.count("/") for one in areas if one.kind == "territory"}
    communities = [one for one in areas if one.kind == "community"]
    assert levels == {0, 1, 2}
    assert len(communities) == 2
    assert all(one.roll > 0 for one in areas if not one.retired)
    assert sum(one.retired for one in areas) == 1
    registered = sum(one.type == "civic.citizen.registered.v1" for one in town.entries)
    assert registered == 300


def test_organisations_of_every_kind(town: Town) -> None:
    kinds = {
        one.event.kind for one in town.entries if isinstance(one.event, OrganisationRegistered)
    }
    assert kinds == {"public-body", "company", "association", "party", "person"}


def test_policy_areas_are_those_of_cofog(town: Town) -> None:
    names = {
        one.event.policy: one.event.name
        for one in town.entries
        if one.type == "civic.policy.defined.v1"
    }
    assert DIVISIONS.items() | GROUPS.items() <= names.items()
    assert (len(DIVISIONS), len(GROUPS)) == (10, 69)
    assert all(division_of(group) in DIVISIONS for group in GROUPS)


def test_a_standing_mandate_for_every_policy_area_at_every_level(town: Town) -> None:
    for area in TERRITORIES:
        for policy in DIVISIONS:
            view = town.system.queries.question(mandate(area, policy))
            assert view.mandate
            assert (view.policy, view.stage, view.closes) == (policy, "open", None)
            assert view.voters > 0
            assert all(option.organisation for option in view.options)
    assert town.system.queries.question(mandate(TOWN, "09")).decision is not None


def test_every_method_at_every_stage() -> None:
    assert Counter(one.topic.method.kind for one in questions()) == {
        kind: len(STAGES) * times
        for kind, times in {
            "single": 1,
            "approval": 3,
            "ranking": 2,
            "score": 1,
            "points": 1,
            "agreement": 1,
        }.items()
    }
    ids = {one.id for one in questions()}
    assert len(ids) == len(TOPICS) * len(STAGES)
    assert {one.topic.rule.name for one in questions()} >= {
        "plurality",
        "approval",
        "threshold",
        "greedy",
        "equal-shares",
        "instant-runoff",
        "schulze",
    }


@pytest.mark.parametrize("asked", of_stage("next"), ids=operator.attrgetter("id"))
def test_questions_that_are_not_open_yet(town: Town, asked: Asked) -> None:
    view = town.system.queries.question(asked.id)
    now = max(one.time for one in town.entries)
    assert view.opens > now
    assert (view.stage, view.voters) == ("open", 0)


@pytest.mark.parametrize("asked", of_stage("open"), ids=operator.attrgetter("id"))
def test_open_questions_show_a_live_count(town: Town, asked: Asked) -> None:
    view = town.system.queries.question(asked.id)
    assert (view.stage, view.sealed, view.decision) == ("open", False, None)
    assert view.closes is not None
    assert view.closes > max(one.time for one in town.entries)
    assert view.tally is not None
    assert view.tally.voters == view.voters > 0
    assert sum(option.count for option in view.tally.options) >= view.voters


@pytest.mark.parametrize("asked", of_stage("sealed"), ids=operator.attrgetter("id"))
def test_sealed_questions_show_no_count(town: Town, asked: Asked) -> None:
    view = town.system.queries.question(asked.id)
    assert (view.stage, view.sealed, view.tally) == ("open", True, None)
    assert view.voters > 0
    with pytest.raises(StillSealed):
        town.system.queries.tally(asked.id)
    answers = [one.event for one in town.entries if one.subject == f"question/{asked.id}"]
    made = [one.answer for one in answers if one.type == "civic.choice.made.v1"]
    assert made
    assert all(one.marks is None for one in made)


@pytest.mark.parametrize(
    "asked", of_stage("closed") + of_stage("unsealed"), ids=operator.attrgetter("id")
)
def test_closed_questions_are_counted_and_not_decided(town: Town, asked: Asked) -> None:
    view = town.system.queries.question(asked.id)
    assert (view.stage, view.sealed, view.decision) == ("closed", False, None)
    assert view.tally is not None
    assert sum(option.count for option in view.tally.options) >= view.voters > 0


@pytest.mark.parametrize(
    "asked", of_stage("decided") + of_stage("tied"), ids=operator.attrgetter("id")
)
def test_decided_questions(town: Town, asked: Asked) -> None:
    view = town.system.queries.question(asked.id)
    assert view.decision is not None
    assert view.decision.rule == asked.rule.name
    assert view.outcomes == []
    if asked.stage == "tied":
        assert view.decision.tied == [option.id for option in asked.topic.options[:2]]


@pytest.mark.parametrize("stage", ["planned", "under-way", "implemented", "abandoned"])
def test_outcomes(town: Town, stage: str) -> None:
    for asked in of_stage(stage):
        view = town.system.queries.question(asked.id)
        assert view.decision is not None
        assert view.decision.adopted
        assert [one.option for one in view.outcomes] == view.decision.adopted
        assert {one.stage for one in view.outcomes} == {stage}
        if stage == "implemented":
            assert all(one.percent == 100 and one.evidence for one in view.outcomes)


def test_services_with_competing_offers_and_requests_at_every_stage(town: Town) -> None:
    offers = Counter(
        one.event.service for one in town.entries if one.type == "civic.offer.published.v1"
    )
    assert len(offers) == 5
    assert set(offers.values()) == {2}
    counts = town.system.queries.area("velmora").requests
    assert {one.stage for one in counts} == {event.stage for event in REQUEST_EVENTS} - {None}


def test_people_moved_joined_left_and_changed_their_minds(town: Town) -> None:
    number = Counter(record.type for record in town.records)
    for what in ("citizen.moved", "citizen.joined", "citizen.left", "choice.changed"):
        assert number[f"civic.{what}.v1"] >= 3, what
    assert number["civic.choice.lapsed.v1"] > 10
    assert number["civic.choice.withdrawn.v1"] > 10


def test_no_entry_names_a_person_or_says_a_private_word(town: Town) -> None:
    everything = b"\n".join(record.entry for record in town.records)
    vault, secret = town.system.vault, set[str]()
    citizens = {tag[8:] for record in town.records for tag in record.tags if tag[:8] == "citizen:"}
    for entry in town.entries:
        commitment = getattr(entry.event, "private", None)
        if commitment is not None:
            private = vault.private_part(entry.id, commitment)
            assert private is not None
            secret |= set(private.values())
    assert len(citizens) == 300
    assert len(secret) > 300
    for needle in citizens | secret | {vault.identity(one) for one in citizens}:
        assert needle.encode() not in everything, needle


def test_choices_name_only_areas_that_were_publishable(town: Town) -> None:
    publishable, named = set[str](), set[str]()
    for entry in town.entries:
        if entry.type == "civic.area.amended.v1" and entry.event.publishable:
            publishable.add(entry.event.area)
        elif entry.type in CHOICE_TYPES and hasattr(entry.event, "answer"):
            area = entry.event.answer.area
            electorate_asks_itself = area == town.system.queries.question(entry.event.question).area
            assert area in publishable or electorate_asks_itself
            named.add(area)
    assert ISLAND not in publishable
    assert named >= HOMES.keys()


def test_two_choices_of_one_person_have_nothing_in_common(town: Town) -> None:
    voters = Counter(one.event.voter for one in town.entries if one.type == "civic.choice.made.v1")
    questions_of = {
        voter: {
            one.event.question for one in town.entries if getattr(one.event, "voter", "") == voter
        }
        for voter in list(voters)[:50]
    }
    assert all(len(found) == 1 for found in questions_of.values())
    prefixes = Counter(entry.id.partition("/")[0] for entry in town.entries)
    assert max(prefixes.values()) == 1


def test_the_present_is_not_in_the_future(town: Town) -> None:
    times = [entry.time for entry in town.entries]
    assert times == sorted(times)
    assert times[-1] < instant(datetime.now(UTC))


def test_built_again_it_adds_no_event(town: Town) -> None:
    digests = [digest(town.system.store, one) for one in all_projections()]
    build(town.system)
    assert town.system.log.head() == len(town.records)
    assert [digest(town.system.store, one) for one in all_projections()] == digests


def test_the_read_models_answer_for_everything(town: Town) -> None:
    queries, head = town.system.queries, town.system.log.head()
    for area in queries.areas().items:
        assert queries.area(area.area).position == head
    for question in queries.questions().items:
        assert queries.question(question.question).position == head
        assert queries.decision(question.question).position == head
    for record in town.records:
        if record.type == "civic.citizen.registered.v1":
            citizen = next(tag[8:] for tag in record.tags if tag.startswith("citizen:"))
            view = queries.citizen(citizen)
            assert view.position == head
            assert view.timeline[-1].type == record.type


def test_tokens_stand_for_themselves_alone(town: Town) -> None:
    vault, tokens = town.system.vault, town.tokens
    assert len(tokens.citizens) == 6
    for one in tokens.citizens:
        principal = vault.principal(one.token)
        assert principal is not None
        assert principal.role == "citizen"
        assert vault.identity(principal.subject) == one.subject
    for one in tokens.organisations:
        assert vault.principal(one.token) == ("organisation", one.subject)
    assert tokens.to_dict()["citizens"][0].keys() == {"subject", "name", "token"}
