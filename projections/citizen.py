"""The citizen model: one person's own view. It rests on tags, which only the operator's systems hold."""

from collections.abc import Sequence

import orjson

from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.requests import REQUEST_EVENTS, RequestMade
from ledger.domain.roll import CitizenJoined, CitizenLeft, CitizenMoved, CitizenRegistered
from ledger.domain.services import ArrangementChosen, ArrangementEnded
from projections.counting import canonical
from projections.projection import Folded, Projection, Rows, Table

CITIZEN = Table("citizen", ("citizen",), ("home", "memberships"), personal=True)
EVENT = Table(
    "citizen_event",
    ("citizen", "position"),
    ("time", "type", "subject"),
    frozenset({"position"}),
    personal=True,
)
CHOICE = Table(
    "citizen_choice",
    ("citizen", "question"),
    ("voter", "area", "marks", "time", "position"),
    frozenset({"position"}),
    personal=True,
)
ARRANGEMENT = Table(
    "citizen_arrangement",
    ("citizen", "service"),
    ("offer", "time", "position"),
    frozenset({"position"}),
    personal=True,
)
REQUEST = Table(
    "citizen_request",
    ("citizen", "request"),
    ("service", "offer", "stage", "time", "position"),
    frozenset({"position"}),
    personal=True,
)


class CitizenProjection(Projection):
    name = "citizen"
    version = 1
    tables = (CITIZEN, EVENT, CHOICE, ARRANGEMENT, REQUEST)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        for one in events:
            citizen = one.tagged("citizen")
            if citizen is not None:
                rows.put(EVENT, (citizen, one.position), one.time, one.type, one.subject)
                _fold(citizen, one, rows)


def _fold(citizen: str, one: Folded, rows: Rows) -> None:
    match one.event:
        case ChoiceMade() | ChoiceChanged() as choice:
            key = (citizen, choice.question)
            answer = choice.answer
            rows.put(CHOICE, key, choice.voter, answer.area, _marks(answer), one.time, one.position)
        case ChoiceWithdrawn() | ChoiceLapsed() as ended:
            rows.delete(CHOICE, (citizen, ended.question))
        case CitizenRegistered() as registered:
            rows.put(CITIZEN, (citizen,), registered.home, "[]")
        case CitizenMoved() as moved:
            rows.put(CITIZEN, (citizen,), moved.home, canonical(_memberships(rows, citizen)))
        case CitizenJoined() as joined:
            memberships = sorted({*_memberships(rows, citizen), joined.area})
            rows.put(CITIZEN, (citizen,), _home(rows, citizen), canonical(memberships))
        case CitizenLeft() as left:
            home = _home(rows, citizen)
            memberships = [area for area in _memberships(rows, citizen) if area != left.area]
            rows.put(
                CITIZEN, (citizen,), None if home == left.area else home, canonical(memberships)
            )
        case ArrangementChosen() as chosen:
            rows.put(ARRANGEMENT, (citizen, chosen.service), chosen.offer, one.time, one.position)
        case ArrangementEnded() as over:
            rows.delete(ARRANGEMENT, (citizen, over.service))
        case RequestMade() as made:
            key = (citizen, made.request)
            rows.put(REQUEST, key, made.service, made.offer, "made", one.time, one.position)
        case event if isinstance(event, REQUEST_EVENTS) and event.stage is not None:
            row = rows.get(REQUEST, (citizen, event.request))
            if row is None:
                raise LookupError(f"the request {event.request!r} was never made")
            service, offer = row[:2]
            key = (citizen, event.request)
            rows.put(REQUEST, key, service, offer, event.stage, one.time, one.position)


def _marks(answer: Answer) -> str | None:
    return None if answer.marks is None else canonical(answer.marks)


def _memberships(rows: Rows, citizen: str) -> list[str]:
    row = rows.get(CITIZEN, (citizen,))
    memberships: list[str] = [] if row is None else orjson.loads(str(row[1]))
    return memberships


def _home(rows: Rows, citizen: str) -> str | None:
    row = rows.get(CITIZEN, (citizen,))
    return None if row is None or row[0] is None else str(row[0])
