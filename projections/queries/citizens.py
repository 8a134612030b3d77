"""Citizens: one person's own view."""

from typing import Any

import orjson

from projections.answers import (
    CitizenArrangement,
    CitizenChoice,
    CitizenRequest,
    CitizenView,
    Timeline,
    TimelineEntry,
)
from projections.queries.lookups import (
    EVERYWHERE,
    NotFound,
    Page,
    order_of,
    page_of,
    position_of,
    typed,
)
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
_TIMELINE = "SELECT position, time, type, subject FROM citizen_event"
_TIMELINE_ORDERS = {"position": "position"}
_DECIDED_AFTER = "SELECT 1 FROM question_decision WHERE question = ? AND position > ?"


def citizen_view(at: Snapshot, citizen: str) -> CitizenView:
    """By citizen id. Raises `NotFound`."""
    rows = typed(at.rows(_CITIZEN, citizen))
    if not rows:
        raise NotFound("This person is not on the roll.")
    ((home, memberships),) = rows
    return CitizenView(
        position=position_of(at, "citizen", "question"),
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
        timeline=timeline(at, citizen, Page(TIMELINE)).items,
    )


def timeline(at: Snapshot, citizen: str, page: Page, sort: str = "-position") -> Timeline:
    """What happened to one person, by citizen id. Raises `NotFound`, `NoSuchPage`."""
    if not at.rows(_CITIZEN, citizen):
        raise NotFound("This person is not on the roll.")
    where = EVERYWHERE.equal(citizen=citizen)
    order = order_of(_TIMELINE_ORDERS, sort, then="type")
    total, rows = page_of(at, _TIMELINE, where, order, page)
    return Timeline(
        position=at.position("citizen"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            TimelineEntry(at=position, time=time, type=type_, subject=subject)
            for position, time, type_, subject in rows
        ],
    )


def _citizen_choice(at: Snapshot, row: tuple[Any, ...]) -> CitizenChoice:
    question, area, text, time, position = row
    asked, _, _ = asked_question(at, question)
    marks = None if text is None else orjson.loads(text)
    decision, outcomes = decision_of(at, question), outcomes_of(at, question)
    counted = decision is not None and bool(at.rows(_DECIDED_AFTER, question, position))
    adopted = decision.adopted if decision is not None and counted else []
    done = any(one.stage == "implemented" and one.option in adopted for one in outcomes)
    return CitizenChoice(
        question=question,
        title=asked.title,
        area=area,
        marks=marks,
        time=time,
        counted_at=position,
        became="implemented" if done else "decided" if counted else "counted",
        adopted=[option for option in adopted if option in (marks or {})],
        decision=decision,
        outcomes=outcomes,
    )
