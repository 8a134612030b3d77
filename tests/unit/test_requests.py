"""Requests: from asked to rated, declined or disputed. What is said of them stays in the vault."""

from typing import Any

import pytest
from pydantic import ValidationError

from ledger.domain.areas import AreaAmended
from ledger.domain.deciding import Command
from ledger.domain.event import Event
from ledger.domain.refusals import Reason
from ledger.domain.requests import (
    AcknowledgeRequest,
    AssignRequest,
    ConfirmRequest,
    DeclineRequest,
    DeliverRequest,
    DisputeRequest,
    MakeRequest,
    RateRequest,
    RequestAcknowledged,
    RequestAssigned,
    RequestConfirmed,
    RequestDeclined,
    RequestDelivered,
    RequestDisputed,
    RequestMade,
    RequestRated,
    RequestStage,
    RequestUpdated,
    UpdateRequest,
    request,
)
from ledger.domain.roll import JoinCommunity
from ledger.domain.services import DefineService
from tests.unit.domain import (
    ANNA,
    BEN,
    COMMITMENT,
    SECRETS,
    WORLD,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
)
from tests.unit.test_services import BAKERS_OFFER, OFFERED, WITHDRAWN

MADE = MakeRequest(citizen=ANNA, request="r", offer="bread/bakers")
TAGS = ("request:r", f"citizen:{ANNA}", "service:bread", "organisation:bakers")
STEPS: dict[str, tuple[type[Command], dict[str, Any]]] = {
    "acknowledge": (AcknowledgeRequest, {"organisation": "bakers"}),
    "assign": (AssignRequest, {"organisation": "bakers", "unit": "Night shift"}),
    "update": (UpdateRequest, {"organisation": "bakers"}),
    "deliver": (DeliverRequest, {"organisation": "bakers"}),
    "decline": (DeclineRequest, {"organisation": "bakers"}),
    "confirm": (ConfirmRequest, {"citizen": ANNA}),
    "dispute": (DisputeRequest, {"citizen": ANNA}),
    "rate": (RateRequest, {"citizen": ANNA, "rating": 4}),
}


def step(name: str, **fields: Any) -> Command:
    command, usual = STEPS[name]
    return command(request="r", **{**usual, **fields})


def course(*names: str) -> list[Command]:
    return [MADE, *map(step, names)]


COURSE_TO: dict[RequestStage, list[Command]] = {
    "made": course(),
    "acknowledged": course("acknowledge"),
    "assigned": course("assign"),
    "delivered": course("deliver"),
    "declined": course("decline"),
    "confirmed": course("deliver", "confirm"),
    "disputed": course("deliver", "dispute"),
    "rated": course("deliver", "confirm", "rate"),
}
OPEN: set[RequestStage] = {"made", "acknowledged", "assigned", "disputed"}
ALLOWED: dict[str, set[RequestStage]] = {
    "acknowledge": {"made"},
    "assign": OPEN,
    "update": OPEN,
    "deliver": OPEN,
    "decline": OPEN,
    "confirm": {"delivered"},
    "dispute": {"delivered", "declined"},
    "rate": {"confirmed"},
}
HAPPENS: dict[str, Event] = {
    "acknowledge": RequestAcknowledged(request="r"),
    "assign": RequestAssigned(request="r", unit="Night shift"),
    "update": RequestUpdated(request="r"),
    "deliver": RequestDelivered(request="r"),
    "decline": RequestDeclined(request="r"),
    "confirm": RequestConfirmed(request="r"),
    "dispute": RequestDisputed(request="r"),
    "rate": RequestRated(request="r", rating=4),
}

REFUSALS = [
    Refusal("a request twice", [*OFFERED, MADE], MADE, Reason.REQUEST_EXISTS, "request"),
    Refusal("under no offer", WORLD, MADE, Reason.UNKNOWN_OFFER, "offer"),
    Refusal(
        "under a withdrawn offer", [*OFFERED, WITHDRAWN], MADE, Reason.OFFER_WITHDRAWN, "offer"
    ),
    Refusal(
        "by a stranger",
        OFFERED,
        MADE.model_copy(update={"citizen": BEN}),
        Reason.NOT_ON_THE_ROLL,
        "service",
    ),
    *(
        Refusal(f"to {name} nothing", OFFERED, step(name), Reason.UNKNOWN_REQUEST, "request")
        for name in STEPS
    ),
    *(
        Refusal(
            f"another provider to {name}",
            [*OFFERED, *COURSE_TO[min(ALLOWED[name])]],
            step(name, organisation="parents"),
            Reason.NOT_YOURS,
            "organisation",
        )
        for name in ("acknowledge", "assign", "update", "deliver", "decline")
    ),
    *(
        Refusal(
            f"another citizen to {name}",
            [*OFFERED, *COURSE_TO[min(ALLOWED[name])]],
            step(name, citizen=BEN),
            Reason.NOT_YOURS,
            "request",
        )
        for name in ("confirm", "dispute", "rate")
    ),
    *(
        Refusal(
            f"to {name} what is {stage}",
            [*OFFERED, *COURSE_TO[stage]],
            step(name),
            Reason.WRONG_STAGE,
            "request",
        )
        for name in STEPS
        for stage in COURSE_TO
        if stage not in ALLOWED[name]
    ),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


@pytest.mark.parametrize(
    ("stage", "name"), [(stage, name) for name in STEPS for stage in sorted(ALLOWED[name])]
)
def test_every_step_from_every_stage_that_allows_it(stage: RequestStage, name: str) -> None:
    given(*OFFERED, *COURSE_TO[stage]).when(step(name)).then(happened(HAPPENS[name], *TAGS))


def made(area: str, private: str | None = None) -> RequestMade:
    return RequestMade(
        request="r",
        service="bread",
        offer="bread/bakers",
        organisation="bakers",
        area=area,
        requester=SECRETS.pseudonym(ANNA, "request/r"),
        private=private,
    )


def test_making_a_request() -> None:
    given(*OFFERED).when(MADE).then(happened(made("aa/bb"), *TAGS))


def test_what_is_needed_stays_in_the_vault() -> None:
    asked = MADE.model_copy(update={"about": "No nuts, please."})
    assert asked.private() == {"about": "No nuts, please."}
    given(*OFFERED).when(asked).then(happened(made("aa/bb", COMMITMENT), *TAGS))


@pytest.mark.parametrize(
    "name", ["acknowledge", "assign", "update", "deliver", "decline", "dispute"]
)
def test_a_note_stays_in_the_vault(name: str) -> None:
    noted = step(name, note="We came twice.")
    assert noted.private() == {"note": "We came twice."}
    past = (*OFFERED, *COURSE_TO[min(ALLOWED[name])])
    expected = HAPPENS[name].model_copy(update={"private": COMMITMENT})
    given(*past).when(noted).then(happened(expected, *TAGS))


def test_a_request_names_the_smallest_publishable_area() -> None:
    named = happened(AreaAmended(area="aa/bb/cc", publishable=True), "area:aa/bb/cc")
    given(*OFFERED, named).when(MADE).then(happened(made("aa/bb/cc"), *TAGS))


def test_a_request_to_a_community_says_nothing_of_where_its_member_lives() -> None:
    named = happened(AreaAmended(area="aa/bb/cc", publishable=True), "area:aa/bb/cc")
    joined = JoinCommunity(citizen=ANNA, area="aa/bb/club")
    service = DefineService(service="bread", title="Bread", area="aa/bb/club")
    past = (*WORLD, named, joined, service, BAKERS_OFFER)
    given(*past).when(MADE).then(happened(made("aa/bb/club"), *TAGS))


def test_work_that_was_begun_is_finished_after_the_offer_is_withdrawn() -> None:
    given(*OFFERED, MADE, WITHDRAWN).when(step("deliver")).then(happened(HAPPENS["deliver"], *TAGS))


@pytest.mark.parametrize("stage", COURSE_TO)
def test_a_request_as_it_stands(stage: RequestStage) -> None:
    found = KnownFacts(given(*OFFERED, *COURSE_TO[stage]).past).about(request("r"))
    assert (found.stage, found.citizen) == (stage, ANNA)
    assert found.made == made("aa/bb")


def test_an_update_leaves_the_stage_as_it_is() -> None:
    past = given(*OFFERED, *course("acknowledge", "update")).past
    assert KnownFacts(past).about(request("r")).stage == "acknowledged"


@pytest.mark.parametrize("rating", [0, 6, 4.5, True])
def test_a_rating_is_from_1_to_5(rating: object) -> None:
    with pytest.raises(ValidationError):
        step("rate", rating=rating)
