"""The town's questions: every topic at every stage of its life."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from itertools import cycle
from random import Random

from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.counting.rules import EqualShares, Rule, Schulze
from ledger.domain.outcomes import Evidence, RecordDecision, ReportOutcome, Stage, decision
from ledger.domain.questions import (
    AmendQuestion,
    CloseQuestion,
    OpenQuestion,
    Option,
    UnsealQuestion,
)
from services.town.ballots import level_pair, marks, words
from services.town.people import Person
from services.town.places import LIVING_AREAS
from services.town.story import Story
from services.town.topics import TOPICS, Topic

STAGES = (
    "next",  # not yet open
    "open",
    "sealed",
    "closed",
    "unsealed",
    "decided",
    "tied",
    "planned",
    "under-way",
    "implemented",
    "abandoned",
)
_SEALED = ("sealed", "unsealed")
_RUNNING = ("next", "open", "sealed")
_UNDECIDED = (*_RUNNING, "closed", "unsealed")
_REPORTS: dict[str, tuple[tuple[int, Stage, int, str], ...]] = {
    "planned": ((-20, "planned", 0, "The money is set aside."),),
    "under-way": (
        (-22, "planned", 0, "Work begins next week."),
        (-10, "under-way", 40, "The ground is prepared."),
    ),
    "implemented": (
        (-24, "planned", 0, "Ordered."),
        (-15, "under-way", 50, "Half of it stands."),
        (-4, "implemented", 100, "Done, and open to everyone."),
    ),
    "abandoned": (
        (-24, "planned", 0, "Ordered."),
        (-9, "abandoned", 5, "The ground turned out to be too wet; a new question will follow."),
    ),
}
_LIBRARIES: dict[type[Rule], str] = {EqualShares: "pabutools", Schulze: "pref_voting"}
VOTERS = 30
"""At most so many answer one question."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the town, and where in its life it is to be seen."""

    id: str
    area: str
    topic: Topic
    stage: str

    @property
    def rule(self) -> Rule:
        return self.topic.tying if self.stage == "tied" else self.topic.rule

    @property
    def sealed(self) -> bool:
        return self.stage in _SEALED

    @property
    def over(self) -> bool:
        return self.stage not in _RUNNING

    @property
    def decided(self) -> bool:
        """Some rules need a library that may not be installed; then nothing is decided."""
        needed = _LIBRARIES.get(type(self.rule))
        return self.stage not in _UNDECIDED and (needed is None or find_spec(needed) is not None)


def questions() -> Iterator[Asked]:
    """Every topic at every stage, in turn in all areas."""
    places = cycle(LIVING_AREAS)
    for topic in TOPICS:
        for stage in STAGES:
            area = next(places)
            edition = "/next" if stage == "next" else ""
            yield Asked(f"{area.rpartition('/')[2]}/{topic.id}{edition}", area, topic, stage)


def ask(story: Story) -> None:
    """Open all questions, close and unseal those that are over, record decisions."""
    for one in questions():
        story.on(-50 if one.over else -14, _opening(story, one))
        if one.stage == "next":
            about = "A first draft: until the question opens, it can still be put better."
            story.on(-5, AmendQuestion(question=one.id, about=about))
        if one.over:
            story.on(-29, CloseQuestion(question=one.id))
        if one.stage == "unsealed":
            story.on(-28, UnsealQuestion(question=one.id))
        if one.decided:
            story.on(-27, RecordDecision(question=one.id))


def answer(story: Story, people: Sequence[Person], rng: Random) -> None:
    """Let people answer every question that has opened; some think again."""
    for one in questions():
        if one.stage != "next":
            electors = [person for person in people if person.belongs_to(one.area)]
            voters = rng.sample(electors, min(VOTERS, len(electors)) // 2 * 2)
            if one.stage == "tied":
                _answer_level(story, one, voters, rng)
            else:
                _answer(story, one, voters, rng)


def report(story: Story) -> None:
    """Tell how far the adopted options of decided questions are implemented."""
    facts = story.ledger.facts()
    for one in questions():
        if not one.decided or one.stage not in _REPORTS:
            continue
        for option in facts.about(decision(one.id)).adopted or ():
            for day, stage, percent, about in _REPORTS[one.stage]:
                story.on(
                    day,
                    ReportOutcome(
                        question=one.id,
                        option=option,
                        stage=stage,
                        percent=percent,
                        by="town-of-lindhaven",
                        about=about,
                        evidence=_evidence(one, option) if percent == 100 else (),
                    ),
                )


def _opening(story: Story, one: Asked) -> OpenQuestion:
    opens, closes = (60, 90) if one.stage == "next" else (None, -30 if one.over else 45)
    return OpenQuestion(
        question=one.id,
        title=one.topic.title,
        area=one.area,
        policy=one.topic.policy,
        method=one.topic.method,
        options=one.topic.options,
        opens=None if opens is None else story.instant(opens),
        closes=story.instant(closes),
        results="after_close" if one.sealed else "live",
        rule=one.rule,
    )


def _answer(story: Story, one: Asked, voters: Sequence[Person], rng: Random) -> None:
    days = (-49, -40) if one.over else (-13, -13)  # some people move on day -12
    favourite = rng.choice(one.topic.options)
    for number, voter in enumerate(voters):
        mine = favourite if number % 5 < 3 else None
        story.on(rng.randint(*days), _choice(voter, one, rng, mine))
        if number % 8 == 0 and voter.settled:
            story.on(-35 if one.over else -7, _choice(voter, one, rng, favourite))
        elif number % 15 == 1 and voter.settled:
            withdrawal = WithdrawChoice(citizen=voter.citizen, question=one.id)
            story.on(-34 if one.over else -6, withdrawal)


def _answer_level(story: Story, one: Asked, voters: Sequence[Person], rng: Random) -> None:
    pair = level_pair(one.topic.method, one.topic.options)
    for number, voter in enumerate(voters):
        choice = MakeChoice(citizen=voter.citizen, question=one.id, marks=pair[number % 2])
        story.on(rng.randint(-49, -40), choice)


def _choice(voter: Person, one: Asked, rng: Random, favourite: Option | None) -> MakeChoice:
    return MakeChoice(
        citizen=voter.citizen,
        question=one.id,
        marks=marks(one.topic.method, one.topic.options, rng, favourite),
        comment=words(rng),
    )


def _evidence(one: Asked, option: str) -> tuple[Evidence, ...]:
    address = f"https://town.example/works/{one.id}/{option}"
    photograph = sha256(address.encode()).hexdigest()
    return (
        Evidence(title="Photographs of the finished work", address=address, sha256=photograph),
        Evidence(title="Final account", address=f"{address}/account"),
    )
