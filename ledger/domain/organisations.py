"""Organisations: public bodies, companies, associations and single citizens, all by the same rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ledger.domain.areas import living_area
from ledger.domain.deciding import Command, Facts, Occasion, Perspective, types
from ledger.domain.event import AreaId, Event, Happened, Id, Title, Words
from ledger.domain.refusals import Reason, Refused

OrganisationKind = Literal["public-body", "company", "association", "party", "person"]


class OrganisationRegistered(Event):
    """An organisation may now offer programmes and services."""

    type = "civic.organisation.registered.v1"
    organisation: Id
    name: Title
    kind: OrganisationKind
    area: AreaId
    about: Words | None = None

    @property
    def subject(self) -> str:
        return f"organisation/{self.organisation}"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation; `name` is None until it is registered."""

    name: str | None = None

    def evolve(self, event: OrganisationRegistered) -> "Organisation":
        return Organisation(event.name)


def organisation(organisation_id: str) -> Perspective[Organisation]:
    return Perspective(
        Organisation,
        types(OrganisationRegistered),
        (f"organisation:{organisation_id}",),
        shared=True,
    )


def known_organisation(facts: Facts, organisation_id: str, field: str = "organisation") -> None:
    """Check that the organisation is registered. Raises `Refused`."""
    if facts.about(organisation(organisation_id)).name is None:
        raise Refused(
            Reason.UNKNOWN_ORGANISATION,
            f"There is no organisation {organisation_id!r}; register it first.",
            field,
        )


class RegisterOrganisation(Command):
    """Register an organisation in the area that it is at home in."""

    verb = "register-organisation"
    organisation: Id
    name: Title
    kind: OrganisationKind
    area: AreaId
    about: Words | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(organisation(self.organisation)).name is not None:
            raise Refused(
                Reason.ORGANISATION_EXISTS,
                f"The organisation {self.organisation!r} is registered already.",
                "organisation",
            )
        living_area(facts, self.area)
        event = OrganisationRegistered(**self.model_dump())
        return [Happened(event, (f"organisation:{self.organisation}", f"area:{self.area}"))]
