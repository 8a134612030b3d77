"""The roll: who lives where and belongs to what."""

import pytest
from pydantic import ValidationError

from ledger.domain.areas import AreaAmended, RetireArea
from ledger.domain.refusals import Reason
from ledger.domain.roll import (
    ROLL_SCOPE,
    Citizen,
    CitizenJoined,
    CitizenLeft,
    CitizenMoved,
    CitizenRegistered,
    JoinCommunity,
    LeaveArea,
    MakeAreaPublishable,
    MoveCitizen,
    RegisterCitizen,
    citizen,
    levels,
    roll,
)
from tests.unit.domain import (
    ANNA,
    ANNA_LIVES_IN_CC,
    AREAS,
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

ANNA_ON_THE_ROLL = SECRETS.pseudonym(ANNA, ROLL_SCOPE)
JOINED = JoinCommunity(citizen=ANNA, area="aa/bb/club")
LEFT_HOME = LeaveArea(citizen=ANNA, area="aa/bb/cc")
CLUB_RETIRED = RetireArea(area="aa/bb/club")
DD_RETIRED = RetireArea(area="aa/bb/dd")


def register(home: str) -> RegisterCitizen:
    return RegisterCitizen(citizen=BEN, home=home)


def move(home: str) -> MoveCitizen:
    return MoveCitizen(citizen=ANNA, home=home)


REFUSALS = [
    Refusal("anna twice", WORLD, ANNA_LIVES_IN_CC, Reason.ALREADY_REGISTERED),
    Refusal("a home nowhere", WORLD, register("zz"), Reason.UNKNOWN_AREA, "home"),
    Refusal(
        "a home in a community",
        WORLD,
        register("aa/bb/club"),
        Reason.WRONG_KIND_OF_AREA,
        "home",
    ),
    Refusal(
        "a home in a retired area",
        [*WORLD, DD_RETIRED],
        register("aa/bb/dd"),
        Reason.AREA_RETIRED,
        "home",
    ),
    Refusal("ben to move", WORLD, MoveCitizen(citizen=BEN, home="aa/bb"), Reason.NOT_REGISTERED),
    Refusal("to move to where one is", WORLD, move("aa/bb/cc"), Reason.ALREADY_THERE, "home"),
    Refusal("to move nowhere", WORLD, move("zz"), Reason.UNKNOWN_AREA, "home"),
    Refusal(
        "to move into a community",
        WORLD,
        move("aa/bb/club"),
        Reason.WRONG_KIND_OF_AREA,
        "home",
    ),
    Refusal(
        "to move into a retired area",
        [*WORLD, DD_RETIRED],
        move("aa/bb/dd"),
        Reason.AREA_RETIRED,
        "home",
    ),
    Refusal(
        "ben to join",
        WORLD,
        JoinCommunity(citizen=BEN, area="aa/bb/club"),
        Reason.NOT_REGISTERED,
    ),
    Refusal("to join twice", [*WORLD, JOINED], JOINED, Reason.ALREADY_THERE, "area"),
    Refusal(
        "to join a territory",
        WORLD,
        JoinCommunity(citizen=ANNA, area="aa/bb/dd"),
        Reason.WRONG_KIND_OF_AREA,
        "area",
    ),
    Refusal(
        "to join nothing",
        WORLD,
        JoinCommunity(citizen=ANNA, area="aa/none"),
        Reason.UNKNOWN_AREA,
        "area",
    ),
    Refusal(
        "to join a retired community", [*WORLD, CLUB_RETIRED], JOINED, Reason.AREA_RETIRED, "area"
    ),
    Refusal("ben to leave", WORLD, LeaveArea(citizen=BEN, area="aa/bb"), Reason.NOT_REGISTERED),
    Refusal(
        "to leave what is only above one's home",
        WORLD,
        LeaveArea(citizen=ANNA, area="aa/bb"),
        Reason.NOT_A_MEMBER,
        "area",
    ),
    Refusal("to leave home twice", [*WORLD, LEFT_HOME], LEFT_HOME, Reason.NOT_A_MEMBER, "area"),
    Refusal(
        "to name an area of one",
        WORLD,
        MakeAreaPublishable(area="aa/bb/cc", at_least=2),
        Reason.ROLL_TOO_SMALL,
        "area",
    ),
    Refusal(
        "to name what may be named",
        [*WORLD, MakeAreaPublishable(area="aa", at_least=1)],
        MakeAreaPublishable(area="aa", at_least=1),
        Reason.ALREADY_THERE,
        "area",
    ),
    Refusal("to name nothing", WORLD, MakeAreaPublishable(area="zz"), Reason.UNKNOWN_AREA, "area"),
    Refusal(
        "to name a retired area",
        [*WORLD, DD_RETIRED],
        MakeAreaPublishable(area="aa/bb/dd", at_least=1),
        Reason.AREA_RETIRED,
        "area",
    ),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def test_registering_tags_every_area_above_the_home() -> None:
    command = RegisterCitizen(citizen=ANNA, home="aa/bb/cc", details={"name": "Anna"})
    given(*AREAS).when(command).then(
        happened(
            CitizenRegistered(person=ANNA_ON_THE_ROLL, home="aa/bb/cc", private=COMMITMENT),
            f"citizen:{ANNA}",
            "area:aa/bb/cc",
            "area:aa/bb",
            "area:aa",
        )
    )
    assert command.private() == {"name": "Anna"}
    assert ANNA_LIVES_IN_CC.private() is None


def test_moving_tags_the_areas_above_both_homes_once() -> None:
    given(*WORLD).when(move("aa/bb/dd")).then(
        happened(
            CitizenMoved(person=ANNA_ON_THE_ROLL, origin="aa/bb/cc", home="aa/bb/dd"),
            f"citizen:{ANNA}",
            "area:aa/bb/cc",
            "area:aa/bb",
            "area:aa",
            "area:aa/bb/dd",
        )
    )


def test_coming_back_after_leaving_home_has_no_origin() -> None:
    given(*WORLD, LEFT_HOME).when(move("aa/bb")).then(
        happened(
            CitizenMoved(person=ANNA_ON_THE_ROLL, origin=None, home="aa/bb"),
            f"citizen:{ANNA}",
            "area:aa/bb",
            "area:aa",
        )
    )


def test_joining_and_leaving_a_community() -> None:
    given(*WORLD).when(JOINED).then(
        happened(
            CitizenJoined(person=ANNA_ON_THE_ROLL, area="aa/bb/club"),
            f"citizen:{ANNA}",
            "area:aa/bb/club",
        )
    )
    left = happened(
        CitizenLeft(person=ANNA_ON_THE_ROLL, area="aa/bb/club"),
        f"citizen:{ANNA}",
        "area:aa/bb/club",
    )
    leave = LeaveArea(citizen=ANNA, area="aa/bb/club")
    given(*WORLD, JOINED).when(leave).then(left)
    given(*WORLD, JOINED, CLUB_RETIRED).when(leave).then(left)  # one may always leave


def test_leaving_home_leaves_all_areas_above_it() -> None:
    given(*WORLD).when(LEFT_HOME).then(
        happened(
            CitizenLeft(person=ANNA_ON_THE_ROLL, area="aa/bb/cc"),
            f"citizen:{ANNA}",
            "area:aa/bb/cc",
            "area:aa/bb",
            "area:aa",
        )
    )


def test_an_area_becomes_publishable_when_its_roll_is_large_enough() -> None:
    given(*WORLD, register("aa/bb/dd")).when(MakeAreaPublishable(area="aa/bb", at_least=2)).then(
        happened(AreaAmended(area="aa/bb", publishable=True), "area:aa/bb")
    )


def test_ten_people_are_enough_by_default() -> None:
    assert MakeAreaPublishable(area="aa").at_least == 10
    with pytest.raises(ValidationError):
        MakeAreaPublishable(area="aa", at_least=0)


def test_where_a_citizen_belongs() -> None:
    past = given(*WORLD, JOINED).past
    anna = KnownFacts(past).about(citizen(ANNA))
    assert anna == Citizen(True, "aa/bb/cc", frozenset({"aa/bb/club"}))
    belongs = {area: anna.belongs_to(area) for area in ("aa", "aa/bb", "aa/bb/cc", "aa/bb/club")}
    assert all(belongs.values())
    assert not any(anna.belongs_to(area) for area in ("aa/bb/dd", "aa/b", "aa/bb/cc/x", "zz"))
    assert levels(anna) == ("aa/bb/cc", "aa/bb", "aa")
    assert levels(Citizen(registered=True)) == ()


@pytest.mark.parametrize(
    ("done", "sizes"),
    [
        ([], {"aa": 1, "aa/bb": 1, "aa/bb/cc": 1, "aa/bb/dd": 0, "aa/bb/club": 0}),
        ([register("aa")], {"aa": 2, "aa/bb": 1, "aa/bb/cc": 1, "aa/bb/dd": 0, "aa/bb/club": 0}),
        ([move("aa/bb/dd")], {"aa": 1, "aa/bb": 1, "aa/bb/cc": 0, "aa/bb/dd": 1, "aa/bb/club": 0}),
        ([move("aa")], {"aa": 1, "aa/bb": 0, "aa/bb/cc": 0, "aa/bb/dd": 0, "aa/bb/club": 0}),
        ([JOINED], {"aa": 1, "aa/bb": 1, "aa/bb/cc": 1, "aa/bb/dd": 0, "aa/bb/club": 1}),
        (
            [JOINED, LeaveArea(citizen=ANNA, area="aa/bb/club")],
            {"aa": 1, "aa/bb": 1, "aa/bb/cc": 1, "aa/bb/dd": 0, "aa/bb/club": 0},
        ),
        (
            [JOINED, LEFT_HOME],
            {"aa": 0, "aa/bb": 0, "aa/bb/cc": 0, "aa/bb/dd": 0, "aa/bb/club": 1},
        ),
        (
            [LEFT_HOME, move("aa/bb/dd")],
            {"aa": 1, "aa/bb": 1, "aa/bb/cc": 0, "aa/bb/dd": 1, "aa/bb/club": 0},
        ),
    ],
)
def test_the_size_of_a_roll(done: list[MoveCitizen], sizes: dict[str, int]) -> None:
    facts = KnownFacts(given(*WORLD, *done).past)
    assert {area: facts.about(roll(area)).size for area in sizes} == sizes
