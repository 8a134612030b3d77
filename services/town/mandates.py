"""The standing mandates: for each policy area and territory, the programme that a citizen backs."""

from collections.abc import Iterator, Sequence
from random import Random

from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.cofog import DIVISIONS
from ledger.domain.counting.rules import Plurality
from ledger.domain.event import ancestry
from ledger.domain.methods import Single
from ledger.domain.outcomes import RecordDecision
from ledger.domain.questions import OpenQuestion
from services.town.people import Person
from services.town.places import TERRITORIES, TOWN
from services.town.programmes import PROGRAMMES, programmes
from services.town.story import Story

INTEREST = 0.3
"""The share of their mandates that a citizen has used."""


def mandate(area: str, policy: str) -> str:
    """The id of a standing mandate."""
    return f"{area}/mandate/{policy}"


def open_mandates() -> Iterator[OpenQuestion]:
    for area, place in TERRITORIES.items():
        for policy, name in DIVISIONS.items():
            yield OpenQuestion(
                question=mandate(area, policy),
                title=f"{name} in {place}: whose programme do you back?",
                area=area,
                policy=policy,
                mandate=True,
                method=Single(),
                options=programmes(policy),
                rule=Plurality(),
            )


def back_programmes(story: Story, people: Sequence[Person], rng: Random) -> None:
    """Everybody has views on some policy areas at some levels, and may change them at any time."""
    leaning = {person.citizen: rng.randrange(3) for person in people}
    for area in TERRITORIES:
        for policy in DIVISIONS:
            roll = [person for person in people if area in ancestry(person.home)]
            for person in rng.sample(roll, max(2, round(len(roll) * INTEREST))):
                loyal = rng.random() < 0.6
                first = leaning[person.citizen] if loyal else rng.randrange(3)
                story.on(rng.randint(-55, -13), back(person, area, policy, first))
                if not person.settled:
                    continue
                if rng.random() < 0.1:
                    other = (first + 1) % len(PROGRAMMES[policy])
                    story.on(rng.randint(-12, -2), back(person, area, policy, other))
                elif rng.random() < 0.03:
                    withdrawal = WithdrawChoice(
                        citizen=person.citizen, question=mandate(area, policy)
                    )
                    story.on(rng.randint(-12, -2), withdrawal)


def count_mandates(story: Story) -> None:
    """The town council counts the town's mandates once a month, and acts on them."""
    for day in (-31, -1):
        for policy in DIVISIONS:
            decision = RecordDecision(question=mandate(TOWN, policy), by="town-of-lindhaven")
            story.on(day, decision)


def back(person: Person, area: str, policy: str, programme: int) -> MakeChoice:
    """One person backs one of the programmes."""
    organisation, _ = PROGRAMMES[policy][programme]
    return MakeChoice(
        citizen=person.citizen, question=mandate(area, policy), marks={organisation: 1}
    )
