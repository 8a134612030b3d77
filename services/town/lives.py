"""Who comes, joins, moves and leaves."""

from collections.abc import Sequence
from random import Random

from ledger.domain.cofog import DIVISIONS
from ledger.domain.roll import JoinCommunity, LeaveArea, MoveCitizen
from services.town.mandates import back
from services.town.people import Person
from services.town.places import COOPERATIVE, HOMES, ISLAND, SCHOOL
from services.town.story import DAYS, Story


def arrive(story: Story, residents: Sequence[Person]) -> None:
    """Register everybody who has always been there, with their memberships."""
    story.on(-DAYS, *(person.registration() for person in residents))
    story.on(-DAYS, *_memberships(residents))


def come_later(story: Story, newcomers: Sequence[Person]) -> None:
    """Register people who have come lately; they back a programme or two soon after."""
    story.on(-9, *(person.registration() for person in newcomers))
    story.on(-8, *_memberships(newcomers))
    for number, person in enumerate(newcomers):
        for policy in list(DIVISIONS)[number : number + 2]:
            story.on(-7, back(person, person.home, policy, number % 3))


def move_and_leave(story: Story, residents: Sequence[Person], rng: Random) -> None:
    """Those who are not settled move, leave a community, or leave for good; one comes back."""
    leavers = [person for person in residents if not person.settled]
    gone, moving = leavers[:2], leavers[2:]
    for person in gone:
        story.on(-12, LeaveArea(citizen=person.citizen, area=person.home))
    story.on(-4, MoveCitizen(citizen=gone[0].citizen, home="velmora/ostrel"))
    for person in moving:
        if person.communities:
            story.on(-12, LeaveArea(citizen=person.citizen, area=person.communities[0]))
        else:
            elsewhere = [home for home in HOMES if home not in (person.home, ISLAND)]
            home = rng.choice(elsewhere)
            story.on(-12, MoveCitizen(citizen=person.citizen, home=home))
            story.on(-8, back(person, home, rng.choice(list(DIVISIONS)), rng.randrange(3)))
    staying = [person for person in residents if person.settled and not person.communities]
    joining = rng.sample(staying, 10)
    for person, community in zip(joining, [SCHOOL, COOPERATIVE] * 5, strict=True):
        story.on(-11, JoinCommunity(citizen=person.citizen, area=community))


def _memberships(people: Sequence[Person]) -> list[JoinCommunity]:
    return [
        JoinCommunity(citizen=person.citizen, area=community)
        for person in people
        for community in person.communities
    ]
