"""Requests: one citizen's case under a service, from asked to confirmed. Words about it stay in the vault."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ledger.domain.areas import areas
from ledger.domain.deciding import (
    CitizenCommand,
    Command,
    Facts,
    Occasion,
    Perspective,
    Private,
    types,
)
from ledger.domain.event import AreaId, Digest, Event, Happened, Id, Pseudonym, Title, Words
from ledger.domain.refusals import Reason, Refused
from ledger.domain.roll import citizen
from ledger.domain.services import known_service, open_offer, user_of

RequestStage = Literal[
    "made", "acknowledged", "assigned", "delivered", "declined", "confirmed", "disputed", "rated"
]


class _RequestEvent(Event):
    stage: ClassVar[RequestStage | None]
    """The stage that the event leads to; None leaves it as it is."""

    request: Id

    @property
    def subject(self) -> str:
        return f"request/{self.request}"


class RequestMade(_RequestEvent):
    """A citizen asked for a service under an offer. `requester` is their pseudonym in this request alone."""

    type = "civic.request.made.v1"
    stage = "made"
    service: Id
    offer: Id
    organisation: Id
    area: AreaId
    requester: Pseudonym
    private: Digest | None = None


class _Noted(_RequestEvent):
    private: Digest | None = None


class RequestAcknowledged(_Noted):
    """The provider has seen the request."""

    type = "civic.request.acknowledged.v1"
    stage = "acknowledged"


class RequestAssigned(_Noted):
    """The provider gave the request to one of its units."""

    type = "civic.request.assigned.v1"
    stage = "assigned"
    unit: Title


class RequestUpdated(_Noted):
    """The provider said something about the request."""

    type = "civic.request.updated.v1"
    stage = None


class RequestDelivered(_Noted):
    """The provider says that it is done."""

    type = "civic.request.delivered.v1"
    stage = "delivered"


class RequestDeclined(_Noted):
    """The provider will not do it."""

    type = "civic.request.declined.v1"
    stage = "declined"


class RequestConfirmed(_Noted):
    """The citizen agrees that it is done."""

    type = "civic.request.confirmed.v1"
    stage = "confirmed"


class RequestDisputed(_Noted):
    """The citizen does not agree with the provider's answer; the request is open again."""

    type = "civic.request.disputed.v1"
    stage = "disputed"


class RequestRated(_RequestEvent):
    """The citizen rated what was delivered, from 1 to 5."""

    type = "civic.request.rated.v1"
    stage = "rated"
    rating: Annotated[int, Field(ge=1, le=5)]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it stands; `stage` is None until it is made."""

    stage: RequestStage | None = None
    citizen: str = ""
    made: RequestMade | None = None

    def evolve(self, happened: Happened) -> "Request":
        event = happened.event
        assert isinstance(event, _RequestEvent)
        if isinstance(event, RequestMade):
            citizen_tag = next(tag for tag in happened.tags if tag.startswith("citizen:"))
            return Request("made", citizen_tag.removeprefix("citizen:"), event)
        return replace(self, stage=event.stage or self.stage)


REQUEST_EVENTS = (
    RequestMade,
    RequestAcknowledged,
    RequestAssigned,
    RequestUpdated,
    RequestDelivered,
    RequestDeclined,
    RequestConfirmed,
    RequestDisputed,
    RequestRated,
)


def request(request_id: str) -> Perspective[Request]:
    return Perspective(Request, types(*REQUEST_EVENTS), (f"request:{request_id}",), tagged=True)


class MakeRequest(CitizenCommand):
    """Ask for a service under an offer. `about` says what is needed; it stays in the vault."""

    verb = "make-request"
    request: Id
    offer: Id
    about: Words | None = None

    def private(self) -> Private | None:
        return {"about": self.about} if self.about else None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        if facts.about(request(self.request)).stage is not None:
            raise Refused(
                Reason.REQUEST_EXISTS, f"The request {self.request!r} exists already.", "request"
            )
        found = open_offer(facts, self.offer)
        assert found.organisation is not None
        within = known_service(facts, found.service)
        user_of(facts, self.citizen, within)
        home = facts.about(citizen(self.citizen)).home
        event = RequestMade(
            request=self.request,
            service=found.service,
            offer=self.offer,
            organisation=found.organisation,
            area=facts.about(areas()).smallest_publishable(home or within, within),
            requester=at.secrets.pseudonym(self.citizen, f"request/{self.request}"),
            private=at.commitment,
        )
        return [Happened(event, _tags(self.request, self.citizen, event))]


class _RequestCommand(Command):
    """A step of a request: whose it is, from which stages it may be taken, and what happens."""

    allowed: ClassVar[frozenset[RequestStage]]

    request: Id

    def _step(self, facts: Facts, event: _RequestEvent) -> Sequence[Happened]:
        found = facts.about(request(self.request))
        if found.made is None:
            raise Refused(
                Reason.UNKNOWN_REQUEST, f"There is no request {self.request!r}.", "request"
            )
        self._check_owner(found)
        if found.stage not in self.allowed:
            raise Refused(
                Reason.WRONG_STAGE,
                f"The request is {found.stage}; this needs it to be {' or '.join(sorted(self.allowed))}.",
                "request",
            )
        return [Happened(event, _tags(self.request, found.citizen, found.made))]

    def _check_owner(self, found: Request) -> None:
        raise NotImplementedError


class _ProvidersStep(_RequestCommand):
    organisation: Id
    note: Words | None = None

    def private(self) -> Private | None:
        return {"note": self.note} if self.note else None

    def _check_owner(self, found: Request) -> None:
        assert found.made is not None
        if found.made.organisation != self.organisation:
            raise Refused(
                Reason.NOT_YOURS, f"The request is not with {self.organisation!r}.", "organisation"
            )


class AcknowledgeRequest(_ProvidersStep):
    """Say that a request has been seen."""

    verb = "acknowledge-request"
    allowed = frozenset({"made"})

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestAcknowledged(request=self.request, private=at.commitment))


class AssignRequest(_ProvidersStep):
    """Give a request to a unit of the organisation (never to a named person)."""

    verb = "assign-request"
    allowed = frozenset({"made", "acknowledged", "assigned", "disputed"})
    unit: Title

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        event = RequestAssigned(request=self.request, unit=self.unit, private=at.commitment)
        return self._step(facts, event)


class UpdateRequest(_ProvidersStep):
    """Tell the citizen something about a request that is being worked on."""

    verb = "update-request"
    allowed = frozenset({"made", "acknowledged", "assigned", "disputed"})

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestUpdated(request=self.request, private=at.commitment))


class DeliverRequest(_ProvidersStep):
    """Say that it is done."""

    verb = "deliver-request"
    allowed = frozenset({"made", "acknowledged", "assigned", "disputed"})

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestDelivered(request=self.request, private=at.commitment))


class DeclineRequest(_ProvidersStep):
    """Say that it will not be done; `note` says why, to the citizen."""

    verb = "decline-request"
    allowed = frozenset({"made", "acknowledged", "assigned", "disputed"})

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestDeclined(request=self.request, private=at.commitment))


class _CitizensStep(_RequestCommand, CitizenCommand):
    def _check_owner(self, found: Request) -> None:
        if found.citizen != self.citizen:
            raise Refused(Reason.NOT_YOURS, "This is another person's request.", "request")


class ConfirmRequest(_CitizensStep):
    """Agree that it is done."""

    verb = "confirm-request"
    allowed = frozenset({"delivered"})

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestConfirmed(request=self.request))


class DisputeRequest(_CitizensStep):
    """Disagree with the provider's answer, and say why; the request is open again."""

    verb = "dispute-request"
    allowed = frozenset({"delivered", "declined"})
    note: Words | None = None

    def private(self) -> Private | None:
        return {"note": self.note} if self.note else None

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestDisputed(request=self.request, private=at.commitment))


class RateRequest(_CitizensStep):
    """Rate what was delivered and confirmed, once, from 1 to 5."""

    verb = "rate-request"
    allowed = frozenset({"confirmed"})
    rating: Annotated[int, Field(ge=1, le=5)]

    def decide(self, facts: Facts, at: Occasion) -> Sequence[Happened]:
        return self._step(facts, RequestRated(request=self.request, rating=self.rating))


def _tags(request_id: str, citizen_id: str, made: RequestMade) -> tuple[str, ...]:
    return (
        f"request:{request_id}",
        f"citizen:{citizen_id}",
        f"service:{made.service}",
        f"organisation:{made.organisation}",
    )
