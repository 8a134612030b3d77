"""Areas: the tree of places and communities in which people decide together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, Self

from ledger.domain.deciding import Command, Facts, Occasion, Perspective, types
from ledger.domain.event import AreaId, Event, Happened, Title, ancestry
from ledger.domain.refusals import Reason, Refused

AreaKind = Literal["territory", "community"]


class AreaDefined(Event):
    """An area came to be. Its parent is the path above it."""

    type = "civic.area.defined.v1"
    area: AreaId
    name: Title
    kind: AreaKind
    ocd_id: Title | None = None

    @property
    def subject(self) -> str:
        return f"area/{self.area}"


class AreaAmended(Event):
    """An area was renamed, or its roll grew large enough for choices to name it (`publishable`)."""

    type = "civic.area.amended.v1"
    area: AreaId
    name: Title | None = None
    publishable: bool | None = None

    @property
    def subject(self) -> str:
        return f"area/{self.area}"


class AreaRetired(Event):
    """An area is no longer used: nothing new is defined, asked or joined there."""

    type = "civic.area.retired.v1"
    area: AreaId

    @property
    def subject(self) -> str:
        return f"area/{self.area}"


_EVENTS = types(AreaDefined, AreaAmended, AreaRetired)


@dataclass(frozen=True, slots=True)
class Area:
    """One area; `kind` is None until it is defined."""

    kind: AreaKind | None = None
    name: str = ""
    publishable: bool = False
    retired: bool = False

    def evolve(self, event: AreaDefined | AreaAmended | AreaRetired) -> "Area":
        match event:
            case AreaDefined():
                return replace(self, kind=event.kind, name=event.name)
            case AreaAmended():
                return replace(
                    self,
                    name=event.name or self.name,
                    publishable=self.publishable
                    if event.publishable is None
                    else event.publishable,
                )
            case AreaRetired():
                return replace(self, retired=True)


@dataclass(frozen=True, slots=True)
class Areas:
    """All areas by id."""

    by_id: Mapping[str, Area] = field(default_factory=dict)

    def evolve(self, event: AreaDefined | AreaAmended | AreaRetired) -> Self:
        known = self.by_id.get(event.area, Area())
        return replace(self, by_id={**self.by_id, event.area: known.evolve(event)})

    def smallest_publishable(self, area: str, within: str) -> str:
        """The smallest area from `area` up to `within` that a public entry may name; at the least, `within`,
        which is also all that is said of an `area` outside it."""
        outside, candidate = within + "/", area
        while candidate.startswith(outside):
            known = self.by_id.get(candidate)
            if known is not None and known.publishable:
                return candidate
            candidate = candidate.rpartition("/")[0]
        return within


def area(area_id: str) -> Perspective[Area]:
    return Perspective(Area, _EVENTS, (f"area:{area_id}",), shared=True)


@cache
def areas() -> Perspective[Areas]:
    return Perspective(Areas, _EVENTS, shared=True)


def living_area(facts: Facts, area_id: str, field: str = "area") -> Area:
    """The area, which must be defined and not retired. Raises `Refused`."""
    found = facts.about(area(area_id))
    if found.kind is None:
        raise Refused(Reason.UNKNOWN_AREA, f"There is no area {area_id!r}; define it first.", field)
    if found.retired:
        raise Refused(Reason.AREA_RETIRED, f"The area {area_id!r} is no longer used.", field)
    return found


class DefineArea(Command):
    """Define an area below one that exists (or a first, topmost one). A territory lies in a territory."""

    verb = "define-area"
    area: AreaId
    name: Title
    kind: AreaKind = "territory"
    ocd_id: Title | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(area(self.area)).kind is not None:
            raise Refused(Reason.AREA_EXISTS, f"The area {self.area!r} is defined already.", "area")
        chain = ancestry(self.area)
        if len(chain) > 1:
            parent = living_area(facts, chain[1])
            if self.kind == "territory" and parent.kind != "territory":
                raise Refused(
                    Reason.WRONG_KIND_OF_AREA, "A territory cannot lie inside a community.", "kind"
                )
        event = AreaDefined(area=self.area, name=self.name, kind=self.kind, ocd_id=self.ocd_id)
        return [Happened(event, (f"area:{self.area}",))]


class RenameArea(Command):
    """Give an area another name."""

    verb = "rename-area"
    area: AreaId
    name: Title

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        living_area(facts, self.area)
        return [Happened(AreaAmended(area=self.area, name=self.name), (f"area:{self.area}",))]


class RetireArea(Command):
    """Take an area out of use. What was decided there stays."""

    verb = "retire-area"
    area: AreaId

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        living_area(facts, self.area)
        return [Happened(AreaRetired(area=self.area), (f"area:{self.area}",))]
