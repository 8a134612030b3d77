"""The town's places, communities and organisations. All of it is invented."""

from collections.abc import Iterator

from ledger.domain.areas import DefineArea, RenameArea, RetireArea
from ledger.domain.cofog import DIVISIONS, GROUPS, division_of
from ledger.domain.deciding import Command
from ledger.domain.organisations import OrganisationKind, RegisterOrganisation
from ledger.domain.policies import DefinePolicy, RenamePolicy

COUNTRY = "velmora"
TOWN = "velmora/lindhaven"
SCHOOL = "velmora/lindhaven/birch-lane-school"
COOPERATIVE = "velmora/lindhaven/tidewater-yard"
ISLAND = "velmora/lindhaven/heron-island"
OLD_WARD = "velmora/lindhaven/harbour-ward"
"""Retired: its streets belong to the Old Quay now."""

TERRITORIES = {
    COUNTRY: "Velmora",
    TOWN: "Lindhaven",
    "velmora/ostrel": "Ostrel",
    "velmora/lindhaven/old-quay": "Old Quay",
    "velmora/lindhaven/millfield": "Mill Field",
    "velmora/lindhaven/northgate": "Northgate",
    "velmora/lindhaven/station-side": "Station Side",
    ISLAND: "Heron Island",
}
COMMUNITIES = {SCHOOL: "Birch Lane School", COOPERATIVE: "Tidewater Yard Housing Cooperative"}
LIVING_AREAS = (*TERRITORIES, *COMMUNITIES)

HOMES = {
    "velmora/lindhaven/old-quay": 80,
    "velmora/lindhaven/millfield": 75,
    "velmora/lindhaven/northgate": 60,
    "velmora/lindhaven/station-side": 50,
    "velmora/ostrel": 29,
    ISLAND: 6,
}
"""How many people live where. The island is too small for entries to name it."""

_ORGANISATIONS: tuple[tuple[str, str, OrganisationKind, str, str], ...] = (
    (
        "town-of-lindhaven",
        "Town of Lindhaven",
        "public-body",
        TOWN,
        "The town's own departments: works, libraries, care.",
    ),
    (
        "velmora-health-office",
        "Velmora Health Office",
        "public-body",
        COUNTRY,
        "Clinics and public health in the whole country.",
    ),
    (
        "tidewater-works",
        "Tidewater Works",
        "company",
        TOWN,
        "Builders and repairers on the quay since 1962.",
    ),
    ("greenline-buses", "Greenline Buses", "company", COUNTRY, "Buses, and bicycles on the side."),
    (
        "neighbours-help",
        "Neighbours' Help",
        "association",
        TOWN,
        "Volunteers who look in on people, cook and mind children.",
    ),
    (
        "commons-alliance",
        "Commons Alliance",
        "party",
        COUNTRY,
        "What all of us need should belong to all of us.",
    ),
    (
        "clear-water-list",
        "Clear Water List",
        "party",
        COUNTRY,
        "Careful with money, with rivers and with promises.",
    ),
    (
        "quay-street-bicycles",
        "Quay Street Bicycle Repairs",
        "person",
        "velmora/lindhaven/old-quay",
        "One citizen with a workshop in a garden shed.",
    ),
)
ORGANISATIONS = {id_: name for id_, name, *_ in _ORGANISATIONS}


def definitions() -> Iterator[Command]:
    """All areas, policy areas and organisations, in an order in which each finds what it needs."""
    for area, name in TERRITORIES.items():
        yield DefineArea(area=area, name=name)
    for area, name in COMMUNITIES.items():
        yield DefineArea(area=area, name=name, kind="community")
    yield DefineArea(area=OLD_WARD, name="Harbour Ward")
    for code, name in DIVISIONS.items():
        yield DefinePolicy(policy=code, name=name)
    for code, name in GROUPS.items():
        yield DefinePolicy(policy=code, name=name, parent=division_of(code))
    yield DefinePolicy(policy="harbour", name="Harbour", parent="04.5")
    for id_, name, kind, area, about in _ORGANISATIONS:
        yield RegisterOrganisation(organisation=id_, name=name, kind=kind, area=area, about=about)


def corrections() -> Iterator[Command]:
    """What was put differently, or taken out of use, soon afterwards."""
    yield RenameArea(area="velmora/lindhaven/millfield", name="Millfield")
    yield RenamePolicy(policy="harbour", name="Harbour and ferries")
    yield RetireArea(area=OLD_WARD)
