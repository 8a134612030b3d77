"""Citizens: one person's own view."""

from typing import Any

import orjson

from projections.answers import (
    CitizenArrangement,
    CitizenChoice,
    CitizenRequest,
    CitizenView,
    TimelineEntry,
)
from projections.queries.lookups import NotFound, typed
from projections.queries.questions import asked_question, decision_of, outcomes_of
from projections.stores.port import Snapshot

TIMELINE = 200
"""Entries of a citizen's timeline that are given, the latest first."""

_CITIZEN = "SELECT home, memberships FROM citizen WHERE citizen = ?"
_CHOICES = (
    "SELECT question, area, marks, time, position FROM citizen_choice"
    " WHERE citizen = ? ORDER BY position"
)
_ARRANGEMENTS = (
    "SELECT service, offer, time FROM citizen_arrangement WHERE citizen = ? ORDER BY service"
)
_REQUESTS = (
    "SELECT request, service, offer, stage, time FROM citizen_request"
    " WHERE citizen = ? ORDER BY position"
)
_TIMELINE = (
    "SELECT position, time, type, subject FROM citizen_event"
    " WHERE citizen = ? ORDER BY position DESC LIMIT ?"
)


def citizen_view(at: Snapshot, citizen: str) -> CitizenView:
    """By citizen id. Raises `NotFound`."""
    rows = typed(at.rows(_CITIZEN, citizen))
    if not rows:
        raise NotFound("This person is not on the roll.")
    ((home, memberships),) = rows
    return CitizenView(
        position=at.position("citizen"),
        home=home,
        memberships=orjson.loads(memberships),
        choices=[_citizen_choice(at, row) for row in typed(at.rows(_CHOICES, citizen))],
        arrangements=[
            CitizenArrangement(service=service, offer=offer, time=time)
            for service, offer, time in typed(at.rows(_ARRANGEMENTS, citizen))
        ],
        requests=[
            CitizenRequest(request=request, service=service, offer=offer, stage=stage, time=time)
            for request, service, offer, stage, time in typed(at.rows(_REQUESTS, citizen))
        ],
        timeline=[
            TimelineEntry(at=position, time=time, type=type_, subject=subject)
            for position, time, type_, subject in typed(at.rows(_TIMELINE, citizen, TIMELINE))
        ],
    )


def _citizen_choice(at: Snapshot, row: tuple[Any, ...]) -> CitizenChoice:
    question, area, marks, time, position = row
    asked, _ = asked_question(at, question)
    return CitizenChoice(
        question=question,
        title=asked.title,
        area=area,
        marks=None if marks is None else orjson.loads(marks),
        time=time,
        counted_at=position,
        decision=decision_of(at, question),
        outcomes=outcomes_of(at, question),
    )
