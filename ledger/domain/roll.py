"""The roll: who lives where and belongs to what. In entries a person is only a pseudonym of the roll."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field

from ledger.domain.areas import AreaAmended, living_area
from ledger.domain.deciding import (
    PERSPECTIVES,
    CitizenCommand,
    Command,
    Facts,
    Occasion,
    Perspective,
    Private,
    Secrets,
    types,
)
from ledger.domain.event import (
    AreaId,
    Digest,
    Event,
    Happened,
    Pseudonym,
    Title,
    Words,
    ancestry,
    area_tags,
)
from ledger.domain.refusals import Reason, Refused

ROLL_SCOPE = "roll"
"""The scope of the pseudonym that a citizen has on the roll."""


class _RollEvent(Event):
    person: Pseudonym

    @property
    def subject(self) -> str:
        return "roll"


class CitizenRegistered(_RollEvent):
    """Somebody came onto the roll of `home` and of all areas above it."""

    type = "civic.citizen.registered.v1"
    home: AreaId
    private: Digest | None = None


class CitizenMoved(_RollEvent):
    """Somebody's home changed; `origin` is None for one who had left before."""

    type = "civic.citizen.moved.v1"
    origin: AreaId | None = None
    home: AreaId


class CitizenJoined(_RollEvent):
    """Somebody became a member of a community."""

    type = "civic.citizen.joined.v1"
    area: AreaId


class CitizenLeft(_RollEvent):
    """Somebody left a community, or left their home without a new one here."""

    type = "civic.citizen.left.v1"
    area: AreaId


_EVENTS = types(CitizenRegistered, CitizenMoved, CitizenJoined, CitizenLeft)


@dataclass(frozen=True, slots=True)
class Citizen:
    """Where one citizen belongs."""

    registered: bool = False
    home: str | None = None
    memberships: frozenset[str] = frozenset()

    def evolve(
        self, event: CitizenRegistered | CitizenMoved | CitizenJoined | CitizenLeft
    ) -> "Citizen":
        match event:
            case CitizenRegistered():
                return Citizen(registered=True, home=event.home, memberships=self.memberships)
            case CitizenMoved():
                return replace(self, home=event.home)
            case CitizenJoined():
                return replace(self, memberships=self.memberships | {event.area})
            case CitizenLeft() if event.area == self.home:
                return replace(self, home=None)
            case CitizenLeft():
                return replace(self, memberships=self.memberships - {event.area})

    def belongs_to(self, area: str) -> bool:
        """On the roll of `area`: living in it or below it, or a member of it."""
        return area in self.memberships or (
            self.home is not None and (self.home == area or self.home.startswith(area + "/"))
        )


@dataclass(frozen=True, slots=True)
class Roll:
    """How many people are on the roll of one area."""

    area: str
    size: int = 0

    def evolve(
        self, event: CitizenRegistered | CitizenMoved | CitizenJoined | CitizenLeft
    ) -> "Roll":
        match event:
            case CitizenRegistered():
                change = self._covers(event.home)
            case CitizenMoved():
                change = self._covers(event.home) - (
                    event.origin is not None and self._covers(event.origin)
                )
            case CitizenJoined():
                change = int(event.area == self.area)
            case CitizenLeft():
                change = -self._covers(event.area)
        return replace(self, size=self.size + change)

    def _covers(self, home: str) -> int:
        return int(home == self.area or home.startswith(self.area + "/"))


@lru_cache(PERSPECTIVES)
def citizen(citizen_id: str) -> Perspective[Citizen]:
    return Perspective(Citizen, _EVENTS, (f"citizen:{citizen_id}",), shared=True)


def roll(area: str) -> Perspective[Roll]:
    return Perspective(lambda: Roll(area), _EVENTS, (f"area:{area}",))


def _registered(facts: Facts, citizen_id: str) -> Citizen:
    found = facts.about(citizen(citizen_id))
    if not found.registered:
        raise Refused(Reason.NOT_REGISTERED, "This person is not registered; register them first.")
    return found


def _home(facts: Facts, area: str, field: str) -> None:
    if living_area(facts, area, field).kind != "territory":
        raise Refused(
            Reason.WRONG_KIND_OF_AREA,
            f"{area!r} is a community: nobody lives there; join it.",
            field,
        )


class RegisterCitizen(CitizenCommand):
    """Put a person onto the roll of their home area."""

    verb = "register-citizen"
    home: AreaId
    details: Annotated[dict[Title, Words], Field(max_length=50)] | None = None

    def private(self) -> Private | None:
        return self.details or None

    def foresees(self, secrets: Secrets) -> Sequence[Perspective[Any]]:
        return (citizen(self.citizen),)

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(citizen(self.citizen)).registered:
            raise Refused(Reason.ALREADY_REGISTERED, "This person is registered already.")
        _home(facts, self.home, "home")
        event = CitizenRegistered(
            person=at.secrets.pseudonym(self.citizen, ROLL_SCOPE),
            home=self.home,
            private=at.commitment,
        )
        return [Happened(event, (f"citizen:{self.citizen}", *area_tags(self.home)))]


class MoveCitizen(CitizenCommand):
    """Change a person's home. Choices in areas that they no longer belong to lapse (`LapseChoice`)."""

    verb = "move-citizen"
    home: AreaId

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        person = _registered(facts, self.citizen)
        if person.home == self.home:
            raise Refused(
                Reason.ALREADY_THERE, f"This person lives in {self.home!r} already.", "home"
            )
        _home(facts, self.home, "home")
        event = CitizenMoved(
            person=at.secrets.pseudonym(self.citizen, ROLL_SCOPE),
            origin=person.home,
            home=self.home,
        )
        where = (self.home,) if person.home is None else (person.home, self.home)
        return [Happened(event, (f"citizen:{self.citizen}", *area_tags(*where)))]


class JoinCommunity(CitizenCommand):
    """Make a person a member of a community."""

    verb = "join-community"
    area: AreaId

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        person = _registered(facts, self.citizen)
        if self.area in person.memberships:
            raise Refused(Reason.ALREADY_THERE, f"Already a member of {self.area!r}.", "area")
        if living_area(facts, self.area).kind != "community":
            raise Refused(
                Reason.WRONG_KIND_OF_AREA,
                f"{self.area!r} is a territory: one lives there; move.",
                "area",
            )
        event = CitizenJoined(person=at.secrets.pseudonym(self.citizen, ROLL_SCOPE), area=self.area)
        return [Happened(event, (f"citizen:{self.citizen}", f"area:{self.area}"))]


class LeaveArea(CitizenCommand):
    """Take a person off the roll of a community, or of their home (and all above it) without a new one."""

    verb = "leave-area"
    area: AreaId

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        person = _registered(facts, self.citizen)
        if self.area == person.home:
            where = area_tags(self.area)
        elif self.area in person.memberships:
            where = (f"area:{self.area}",)
        else:
            raise Refused(
                Reason.NOT_A_MEMBER,
                f"{self.area!r} is neither their home nor a community of theirs.",
                "area",
            )
        event = CitizenLeft(person=at.secrets.pseudonym(self.citizen, ROLL_SCOPE), area=self.area)
        return [Happened(event, (f"citizen:{self.citizen}", *where))]


class MakeAreaPublishable(Command):
    """Let choices name this area, since its roll holds at least `at_least` people (k-anonymity)."""

    verb = "make-area-publishable"
    area: AreaId
    at_least: int = Field(default=10, ge=1)

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if living_area(facts, self.area).publishable:
            raise Refused(Reason.ALREADY_THERE, f"{self.area!r} is publishable already.", "area")
        size = facts.about(roll(self.area)).size
        if size < self.at_least:
            raise Refused(
                Reason.ROLL_TOO_SMALL,
                f"The roll of {self.area!r} holds {size}; choices may name it from {self.at_least} on.",
                "area",
            )
        event = AreaAmended(area=self.area, publishable=True)
        return [Happened(event, (f"area:{self.area}",))]


def levels(person: Citizen) -> tuple[str, ...]:
    """The territories that the citizen belongs to, smallest first."""
    return () if person.home is None else ancestry(person.home)
