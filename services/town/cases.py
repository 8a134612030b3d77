"""What the town's people do for one another: services, offers, arrangements and requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random

from ledger.domain.deciding import Command
from ledger.domain.requests import (
    AcknowledgeRequest,
    AssignRequest,
    ConfirmRequest,
    DeclineRequest,
    DeliverRequest,
    DisputeRequest,
    MakeRequest,
    RateRequest,
    UpdateRequest,
)
from ledger.domain.services import (
    AmendOffer,
    ChooseOffer,
    DefineService,
    EndArrangement,
    PublishOffer,
    WithdrawOffer,
)
from services.town.people import Person
from services.town.places import COUNTRY, SCHOOL, TOWN
from services.town.story import Story


@dataclass(frozen=True, slots=True)
class Need:
    """A service, the offers that compete to meet it, and what people ask for."""

    service: str
    title: str
    area: str
    policy: str
    offers: tuple[tuple[str, str], ...]
    asked: tuple[str, ...]

    def offer_id(self, organisation: str) -> str:
        return f"{self.service}/{organisation}"


NEEDS = (
    Need(
        "pavement-repair",
        "Repair of pavements and streets",
        TOWN,
        "04.5",
        (
            ("town-of-lindhaven", "The works department, within ten days"),
            ("tidewater-works", "Tidewater Works, within three days"),
        ),
        ("A slab rocks before our door and I fell over it.", "The kerb by the crossing is broken."),
    ),
    Need(
        "home-help",
        "Help at home",
        TOWN,
        "10.2",
        (
            ("neighbours-help", "A neighbour looks in, two afternoons a week"),
            ("town-of-lindhaven", "The care service, every morning"),
        ),
        (
            "My mother can no longer carry her shopping.",
            "I need help with the stairs after surgery.",
        ),
    ),
    Need(
        "bicycle-repair",
        "Bicycle repair",
        TOWN,
        "04.5",
        (
            ("quay-street-bicycles", "Brought back the next evening"),
            ("greenline-buses", "At the depot, while you ride the bus"),
        ),
        ("My daughter's rear brake rubs.", "The chain jumps under load."),
    ),
    Need(
        "vaccination",
        "Vaccination",
        COUNTRY,
        "07.4",
        (
            ("velmora-health-office", "At the clinic, with an appointment"),
            ("neighbours-help", "A nurse in the meeting hall, Tuesdays"),
        ),
        ("Two of us need the tetanus booster.", "My son has a fear of needles."),
    ),
    Need(
        "after-school-care",
        "Care after school",
        SCHOOL,
        "09.6",
        (
            ("neighbours-help", "Cooking and homework until five"),
            ("town-of-lindhaven", "The school library until six"),
        ),
        ("I work late on Thursdays.", "He is allergic to nuts, please take care."),
    ),
)
_COURSES = (
    "",
    "acknowledge",
    "acknowledge assign",
    "acknowledge assign update",
    "assign deliver",
    "acknowledge assign deliver confirm",
    "acknowledge assign update deliver confirm rate",
    "acknowledge decline",
    "decline dispute",
    "acknowledge deliver dispute",
    "assign deliver dispute assign deliver confirm rate",
)
"""How a request may go, from asked to rated, declined or disputed."""


def offer_services(story: Story) -> None:
    """Define the services, publish the offers; one is put differently and one is withdrawn."""
    for need in NEEDS:
        service = DefineService(
            service=need.service, title=need.title, area=need.area, policy=need.policy
        )
        story.on(-58, service)
        for organisation, title in need.offers:
            story.on(
                -57,
                PublishOffer(
                    offer=need.offer_id(organisation),
                    service=need.service,
                    organisation=organisation,
                    title=title,
                ),
            )
    story.on(
        -44,
        AmendOffer(
            offer="pavement-repair/tidewater-works",
            organisation="tidewater-works",
            about="Now in the evening too.",
        ),
    )
    story.on(
        -3, WithdrawOffer(offer="bicycle-repair/greenline-buses", organisation="greenline-buses")
    )


def arrange(story: Story, people: Sequence[Person], rng: Random) -> None:
    """Some choose an offer until further notice; a few change to another one, or end it."""
    for need in NEEDS:
        users = [person for person in people if person.settled and person.belongs_to(need.area)]
        first, second = (need.offer_id(organisation) for organisation, _ in need.offers)
        for number, person in enumerate(rng.sample(users, 12)):
            offers = (first, second) if number % 3 else (second, first)
            story.on(-30, ChooseOffer(citizen=person.citizen, offer=offers[0]))
            if number % 4 == 0:
                story.on(-20, ChooseOffer(citizen=person.citizen, offer=offers[1]))
            elif number % 4 == 1:
                story.on(-16, EndArrangement(citizen=person.citizen, service=need.service))


def ask_for_help(story: Story, people: Sequence[Person], rng: Random) -> None:
    """Requests for every service, in every course that a request may take."""
    courses = cycle(_COURSES)
    for need in NEEDS:
        users = [person for person in people if person.settled and person.belongs_to(need.area)]
        for number, person in enumerate(rng.sample(users, 11)):
            organisation, _ = need.offers[number % 2]
            request = f"{need.service}/{number + 1}"
            steps = _course(next(courses), request, organisation, person)
            asking = MakeRequest(
                citizen=person.citizen,
                request=request,
                offer=need.offer_id(organisation),
                about=need.asked[number % len(need.asked)],
            )
            for day, command in enumerate((asking, *steps), start=-25 + number):
                story.on(day, command)


def _course(course: str, request: str, organisation: str, person: Person) -> Iterator[Command]:
    provider = {"request": request, "organisation": organisation}
    requester = {"request": request, "citizen": person.citizen}
    for step in course.split():
        match step:
            case "acknowledge":
                yield AcknowledgeRequest(**provider)
            case "assign":
                yield AssignRequest(**provider, unit="North crew")
            case "update":
                yield UpdateRequest(**provider, note="We have ordered the part that is missing.")
            case "deliver":
                yield DeliverRequest(**provider, note="It is done; please have a look.")
            case "decline":
                yield DeclineRequest(**provider, note="This is not ours to do, we are sorry.")
            case "dispute":
                yield DisputeRequest(**requester, note="It was not done as we had agreed.")
            case "confirm":
                yield ConfirmRequest(**requester)
            case "rate":
                yield RateRequest(**requester, rating=4 if request.endswith("1") else 5)
