"""The town's questions: every topic at every stage of its life, and the standing mandates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from itertools import count, cycle
from random import Random

from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.cofog import DIVISIONS
from ledger.domain.counting.rules import EqualShares, Plurality, Rule, Schulze
from ledger.domain.methods import Single
from ledger.domain.outcomes import Evidence, RecordDecision, ReportOutcome, Stage, decision
from ledger.domain.questions import AmendQuestion, CloseQuestion, OpenQuestion, UnsealQuestion
from services.town.ballots import level_pair, marks, words
from services.town.people import Person
from services.town.places import COUNTRY, LIVING_AREAS, TERRITORIES, TOWN
from services.town.programmes import PROGRAMMES, programmes
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
_SEALED = {"sealed", "unsealed"}
_DECIDED = {"decided", "tied", "planned", "under-way", "implemented", "abandoned"}
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
_LIBRARIES = {EqualShares: "pabutools", Schulze: "pref_voting"}
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
    def decided(self) -> bool:
        """Some rules need a library that may not be installed; then nothing is decided."""
        needed = _LIBRARIES.get(type(self.rule))
        return self.stage in _DECIDED and (needed is None or find_spec(needed) is not None)


def questions() -> Iterator[Asked]:
    """Every topic at every stage, in turn in all areas."""
    places = cycle(LIVING_AREAS)
    for topic in TOPICS:
        for stage in STAGES:
            area = next(places)
            edition = "/next" if stage == "next" else ""
            yield Asked(f"{area.rpartition('/')[2]}/{topic.id}{edition}", area, topic, stage)
        next(places)  # so that a topic is not always at the same stage in an area


def ask(story: Story) -> None:
    """Open all questions, close and unseal those that are over, record decisions."""
    for one in questions():
        over = one.stage == "unsealed" or one.stage == "closed" or one.stage in _DECIDED
        day = -50 if over else -6 if one.stage == "next" else -14
        opens, closes = (60, 90) if one.stage == "next" else (None, -30 if over else 45)
        story.on(
            day,
            OpenQuestion(
                question=one.id,
                title=one.topic.title,
                area=one.area,
                policy=one.topic.policy,
                method=one.topic.method,
                options=one.topic.options,
                opens=None if opens is None else story.instant(opens),
                closes=story.instant(closes),
                results="after_close" if one.stage in _SEALED else "live",
                rule=one.rule,
            ),
        )
        if one.stage == "next":
            about = "A first draft; what is missing can still be added until the question opens."
            story.on(-5, AmendQuestion(question=one.id, about=about))
        if over:
            story.on(-29, CloseQuestion(question=one.id))
        if one.stage == "unsealed":
            story.on(-28, UnsealQuestion(question=one.id))
        if one.decided:
            story.on(-27, RecordDecision(question=one.id))


def answer(story: Story, people: Sequence[Person], rng: Random) -> None:
    """Let people answer every question that has opened; some think again."""
    for one in questions():
        if one.stage == "next":
            continue
        electors = [person for person in people if person.belongs_to(one.area)]
        voters = rng.sample(electors, min(VOTERS, len(electors)) // 2 * 2)
        if one.stage == "tied":
            _answer_level(story, one, voters)
        else:
            _answer(story, one, voters, rng)


def _answer(story: Story, one: Asked, voters: Sequence[Person], rng: Random) -> None:
    live = one.stage in ("open", "sealed")
    first, last = (-13, -13) if live else (-49, -40)  # some of the people move on day −12
    favourite = one.topic.options[len(one.id) % 2]
    for number, voter in enumerate(voters):
        mine = favourite if number % 5 < 3 else None
        story.on(rng.randint(first, last), _choice(voter, one, rng, mine))
        if number % 8 == 0 and voter.settled:
            story.on(-7 if live else -35, _choice(voter, one, rng, favourite))
        elif number % 15 == 1 and voter.settled:
            story.on(-6 if live else -34, WithdrawChoice(citizen=voter.citizen, question=one.id))


def _choice(voter: Person, one: Asked, rng: Random, favourite: object) -> MakeChoice:
    return MakeChoice(
        citizen=voter.citizen,
        question=one.id,
        marks=marks(one.topic.method, one.topic.options, rng, favourite),
        comment=words(rng),
    )
