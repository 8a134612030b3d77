"""Areas, policy areas and organisations: what may be defined, and when."""

from ledger.domain.areas import (
    Area,
    AreaAmended,
    AreaDefined,
    AreaRetired,
    Areas,
    DefineArea,
    RenameArea,
    RetireArea,
    area,
    areas,
)
from ledger.domain.event import ancestry, area_tags
from ledger.domain.organisations import OrganisationRegistered, RegisterOrganisation
from ledger.domain.policies import (
    DefinePolicy,
    PolicyAmended,
    PolicyDefined,
    RenamePolicy,
)
from ledger.domain.refusals import Reason
from tests.unit.domain import (
    AREAS,
    BAKERS,
    CLUB,
    COUNTRY,
    HEALTH,
    TOWN,
    KnownFacts,
    Refusal,
    each,
    given,
    happened,
)

RETIRED_TOWN = (COUNTRY, TOWN, RetireArea(area="aa/bb"))
REFUSALS = [
    Refusal("an area twice", [COUNTRY], COUNTRY, Reason.AREA_EXISTS, "area"),
    Refusal("again after it was retired", RETIRED_TOWN, TOWN, Reason.AREA_EXISTS, "area"),
    Refusal("below nothing", [], TOWN, Reason.UNKNOWN_AREA, "area"),
    Refusal(
        "below a retired area",
        RETIRED_TOWN,
        DefineArea(area="aa/bb/x", name="X"),
        Reason.AREA_RETIRED,
        "area",
    ),
    Refusal(
        "a territory in a community",
        [COUNTRY, TOWN, CLUB],
        DefineArea(area="aa/bb/club/x", name="X"),
        Reason.WRONG_KIND_OF_AREA,
        "kind",
    ),
    Refusal(
        "to rename what is not there",
        [],
        RenameArea(area="aa", name="A"),
        Reason.UNKNOWN_AREA,
        "area",
    ),
    Refusal(
        "to rename what is retired",
        RETIRED_TOWN,
        RenameArea(area="aa/bb", name="B"),
        Reason.AREA_RETIRED,
        "area",
    ),
    Refusal("to retire what is not there", [], RetireArea(area="aa"), Reason.UNKNOWN_AREA, "area"),
    Refusal(
        "to retire it twice",
        RETIRED_TOWN,
        RetireArea(area="aa/bb"),
        Reason.AREA_RETIRED,
        "area",
    ),
    Refusal("a policy area twice", [HEALTH], HEALTH, Reason.POLICY_EXISTS, "policy"),
    Refusal(
        "a policy area below nothing",
        [],
        DefinePolicy(policy="07.1", name="Clinics", parent="07"),
        Reason.UNKNOWN_POLICY,
        "parent",
    ),
    Refusal(
        "to rename no policy area",
        [],
        RenamePolicy(policy="07", name="Health"),
        Reason.UNKNOWN_POLICY,
        "policy",
    ),
    Refusal(
        "an organisation twice",
        [*AREAS, BAKERS],
        BAKERS,
        Reason.ORGANISATION_EXISTS,
        "organisation",
    ),
    Refusal("an organisation nowhere", [], BAKERS, Reason.UNKNOWN_AREA, "area"),
    Refusal("an organisation in a retired area", RETIRED_TOWN, BAKERS, Reason.AREA_RETIRED, "area"),
]


@each(REFUSALS)
def test_refused(refusal: Refusal) -> None:
    refusal.check()


def test_a_topmost_area() -> None:
    given().when(COUNTRY).then(
        happened(AreaDefined(area="aa", name="Aa", kind="territory"), "area:aa")
    )


def test_a_territory_and_a_community_lie_in_a_territory() -> None:
    given(COUNTRY).when(DefineArea(area="aa/bb", name="Bb", ocd_id="ocd-division/x")).then(
        happened(
            AreaDefined(area="aa/bb", name="Bb", kind="territory", ocd_id="ocd-division/x"),
            "area:aa/bb",
        )
    )
    given(COUNTRY, TOWN).when(CLUB).then(
        happened(AreaDefined(area="aa/bb/club", name="Club", kind="community"), "area:aa/bb/club")
    )


def test_a_community_may_lie_in_a_community() -> None:
    inner = DefineArea(area="aa/bb/club/choir", name="Choir", kind="community")
    given(COUNTRY, TOWN, CLUB).when(inner).then(
        happened(
            AreaDefined(area="aa/bb/club/choir", name="Choir", kind="community"),
            "area:aa/bb/club/choir",
        )
    )


def test_renaming_and_retiring() -> None:
    given(COUNTRY).when(RenameArea(area="aa", name="Ä")).then(
        happened(AreaAmended(area="aa", name="Ä"), "area:aa")
    )
    given(COUNTRY).when(RetireArea(area="aa")).then(happened(AreaRetired(area="aa"), "area:aa"))


def test_an_area_as_it_stands() -> None:
    past = given(COUNTRY, RenameArea(area="aa", name="Ä"), RetireArea(area="aa")).past
    assert KnownFacts(past).about(area("aa")) == Area("territory", "Ä", retired=True)
    assert KnownFacts(past).about(area("bb")).kind is None


def test_the_smallest_area_that_an_entry_may_name() -> None:
    past = [
        *given(*AREAS).past,
        happened(AreaAmended(area="aa", publishable=True), "area:aa"),
        happened(AreaAmended(area="aa/bb/cc", publishable=True), "area:aa/bb/cc"),
    ]
    known: Areas = KnownFacts(past).about(areas())
    cases = {
        ("aa/bb/cc", "aa"): "aa/bb/cc",
        ("aa/bb/dd", "aa"): "aa",  # neither the district nor the town is large enough
        ("aa/bb/dd", "aa/bb"): "aa/bb",  # what asks may always be named
        ("aa/bb/cc", "aa/bb/cc"): "aa/bb/cc",
        ("aa/bb/cc", "aa/bb/dd"): "aa/bb/dd",  # who is not from inside is not placed at all
        ("aa/bb/cc", "aa/bb/club"): "aa/bb/club",
        ("aa/bb/cc", "aa/b"): "aa/b",  # a path is more than a prefix
        ("zz", "aa"): "aa",
    }
    found = {case: known.smallest_publishable(case[0], within=case[1]) for case in cases}
    assert found == cases


def test_an_area_and_those_above_it() -> None:
    assert ancestry("aa/bb/cc") == ("aa/bb/cc", "aa/bb", "aa")
    assert area_tags("aa/bb", "aa/cc") == ("area:aa/bb", "area:aa", "area:aa/cc")


def test_policy_areas() -> None:
    given().when(HEALTH).then(happened(PolicyDefined(policy="07", name="Health"), "policy:07"))
    given(HEALTH).when(DefinePolicy(policy="07.1", name="Clinics", parent="07")).then(
        happened(PolicyDefined(policy="07.1", name="Clinics", parent="07"), "policy:07.1")
    )
    given(HEALTH).when(RenamePolicy(policy="07", name="Well-being")).then(
        happened(PolicyAmended(policy="07", name="Well-being"), "policy:07")
    )


def test_an_organisation() -> None:
    about = RegisterOrganisation(
        organisation="anna", name="Anna mends", kind="person", area="aa/bb/club", about="Shoes."
    )
    given(*AREAS).when(about).then(
        happened(
            OrganisationRegistered(
                organisation="anna",
                name="Anna mends",
                kind="person",
                area="aa/bb/club",
                about="Shoes.",
            ),
            "organisation:anna",
            "area:aa/bb/club",
        )
    )
