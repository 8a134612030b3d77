"""Services: a need people have, providers' offers to meet it, and each citizen's standing choice of an offer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.domain.areas import living_area
from ledger.domain.deciding import CitizenCommand, Command, Facts, Occasion, Perspective, types
from ledger.domain.event import AreaId, Event, Happened, Id, Pseudonym, Title, Words
from ledger.domain.organisations import known_organisation
from ledger.domain.policies import known_policy
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import citizen


class ServiceDefined(Event):
    """A need that people of an area have."""

    type = "civic.service.defined.v1"
    service: Id
    title: Title
    about: Words | None = None
    area: AreaId
    policy: Id | None = None

    @property
    def subject(self) -> str:
        return f"service/{self.service}"


class _OfferEvent(Event):
    service: Id
    offer: Id

    @property
    def subject(self) -> str:
        return f"service/{self.service}"


class OfferPublished(_OfferEvent):
    """One provider's way to meet the need."""

    type = "civic.offer.published.v1"
    organisation: Id
    title: Title
    about: Words | None = None


class OfferAmended(_OfferEvent):
    """The provider put the offer differently."""

    type = "civic.offer.amended.v1"
    title: Title | None = None
    about: Words | None = None


class OfferWithdrawn(_OfferEvent):
    """The offer takes no new arrangements and no new requests."""

    type = "civic.offer.withdrawn.v1"


class _ArrangementEvent(Event):
    service: Id
    offer: Id
    holder: Pseudonym

    @property
    def subject(self) -> str:
        return f"service/{self.service}"


class ArrangementChosen(_ArrangementEvent):
    """A citizen chose an offer until further notice; `previous` is the offer that it replaces."""

    type = "civic.arrangement.chosen.v1"
    previous: Id | None = None


class ArrangementEnded(_ArrangementEvent):
    """A citizen ended their standing choice of an offer."""

    type = "civic.arrangement.ended.v1"


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `area` is None until it is defined."""

    area: str | None = None

    def evolve(self, event: ServiceDefined) -> "Service":
        return Service(event.area)


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer; `organisation` is None until it is published."""

    service: str = ""
    organisation: str | None = None
    withdrawn: bool = False

    def evolve(self, event: OfferPublished | OfferWithdrawn) -> "Offer":
        if isinstance(event, OfferWithdrawn):
            return replace(self, withdrawn=True)
        return Offer(event.service, event.organisation)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The offer of a service that one citizen has chosen, or none."""

    offer: str | None = None

    def evolve(self, event: ArrangementChosen | ArrangementEnded) -> "Arrangement":
        return Arrangement(event.offer if isinstance(event, ArrangementChosen) else None)


def service(service_id: str) -> Perspective[Service]:
    return Perspective(Service, types(ServiceDefined), (f"service:{service_id}",), shared=True)


def offer(offer_id: str) -> Perspective[Offer]:
    return Perspective(
        Offer, types(OfferPublished, OfferWithdrawn), (f"offer:{offer_id}",), shared=True
    )


def arrangement(citizen_id: str, service_id: str) -> Perspective[Arrangement]:
    return Perspective(
        Arrangement,
        types(ArrangementChosen, ArrangementEnded),
        (f"citizen:{citizen_id}", f"service:{service_id}"),
    )


def known_service(facts: Facts, service_id: str) -> str:
    """The area of the service, which must be defined. Raises `Refused`."""
    area = facts.about(service(service_id)).area
    if area is None:
        raise Refused(Reason.UNKNOWN_SERVICE, f"There is no service {service_id!r}.", "service")
    return area


def open_offer(facts: Facts, offer_id: str) -> Offer:
    """The offer, which must be published and not withdrawn. Raises `Refused`."""
    found = facts.about(offer(offer_id))
    if found.organisation is None:
        raise Refused(Reason.UNKNOWN_OFFER, f"There is no offer {offer_id!r}.", "offer")
    if found.withdrawn:
        raise Refused(Reason.OFFER_WITHDRAWN, f"The offer {offer_id!r} was withdrawn.", "offer")
    return found


def user_of(facts: Facts, citizen_id: str, area: str) -> None:
    """Check that the citizen is on the roll of the service's area. Raises `Refused`."""
    if not facts.about(citizen(citizen_id)).belongs_to(area):
        raise Refused(
            Reason.NOT_ON_THE_ROLL, f"This service is for the roll of {area!r}.", "service"
        )


def _offer_tags(offer_id: str, found: Offer) -> tuple[str, ...]:
    return (f"offer:{offer_id}", f"service:{found.service}", f"organisation:{found.organisation}")


class DefineService(Command):
    """State a need that the people of an area have."""

    verb = "define-service"
    service: Id
    title: Title
    about: Words | None = None
    area: AreaId
    policy: Id | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(service(self.service)).area is not None:
            raise Refused(
                Reason.SERVICE_EXISTS,
                f"The service {self.service!r} is defined already.",
                "service",
            )
        living_area(facts, self.area)
        if self.policy is not None:
            known_policy(facts, self.policy)
        policy = () if self.policy is None else (f"policy:{self.policy}",)
        event = ServiceDefined(**self.model_dump())
        return [Happened(event, (f"service:{self.service}", f"area:{self.area}", *policy))]


class PublishOffer(Command):
    """Offer a way to meet a need."""

    verb = "publish-offer"
    offer: Id
    service: Id
    organisation: Id
    title: Title
    about: Words | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(offer(self.offer)).organisation is not None:
            raise Refused(
                Reason.OFFER_EXISTS, f"The offer {self.offer!r} is published already.", "offer"
            )
        known_service(facts, self.service)
        known_organisation(facts, self.organisation)
        event = OfferPublished(**self.model_dump())
        return [Happened(event, _offer_tags(self.offer, Offer(self.service, self.organisation)))]


class _ProvidersCommand(Command):
    offer: Id
    organisation: Id

    def _own_offer(self, facts: Facts) -> Offer:
        found = open_offer(facts, self.offer)
        if found.organisation != self.organisation:
            raise Refused(
                Reason.NOT_YOURS,
                f"{self.offer!r} is not an offer of {self.organisation!r}.",
                "offer",
            )
        return found


class AmendOffer(_ProvidersCommand):
    """Put an offer differently."""

    verb = "amend-offer"
    title: Title | None = None
    about: Words | None = None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found = self._own_offer(facts)
        event = OfferAmended(
            service=found.service, offer=self.offer, title=self.title, about=self.about
        )
        return [Happened(event, _offer_tags(self.offer, found))]


class WithdrawOffer(_ProvidersCommand):
    """Take no new arrangements and no new requests under an offer. What was begun is finished."""

    verb = "withdraw-offer"

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found = self._own_offer(facts)
        event = OfferWithdrawn(service=found.service, offer=self.offer)
        return [Happened(event, _offer_tags(self.offer, found))]


class ChooseOffer(CitizenCommand):
    """Choose an offer of a service until further notice; an earlier choice is replaced."""

    verb = "choose-offer"
    offer: Id

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        found = open_offer(facts, self.offer)
        user_of(facts, self.citizen, known_service(facts, found.service))
        previous = facts.about(arrangement(self.citizen, found.service)).offer
        event = ArrangementChosen(
            service=found.service,
            offer=self.offer,
            holder=at.secrets.pseudonym(self.citizen, f"service/{found.service}"),
            previous=previous,
        )
        return [Happened(event, (f"citizen:{self.citizen}", *_offer_tags(self.offer, found)))]


class EndArrangement(CitizenCommand):
    """End one's standing choice of an offer."""

    verb = "end-arrangement"
    service: Id

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        known_service(facts, self.service)
        current = facts.about(arrangement(self.citizen, self.service)).offer
        if current is None:
            raise Refused(
                Reason.NO_ARRANGEMENT, f"Nothing is arranged for {self.service!r}.", "service"
            )
        event = ArrangementEnded(
            service=self.service,
            offer=current,
            holder=at.secrets.pseudonym(self.citizen, f"service/{self.service}"),
        )
        tags = _offer_tags(current, facts.about(offer(current)))
        return [Happened(event, (f"citizen:{self.citizen}", *tags))]
