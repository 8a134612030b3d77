"""Areas: the tree, and everything about one area with all below it rolled up into it."""

from collections import defaultdict

import orjson

from ledger.domain.event import ancestry
from ledger.domain.questions import QuestionOpened
from projections.answers import (
    AreaDay,
    AreaList,
    AreaOption,
    AreaQuestion,
    AreaResult,
    AreaView,
    RequestCount,
)
from projections.queries.lookups import AREA, area_row, area_summary, typed
from projections.queries.questions import is_sealed
from projections.stores.port import Snapshot

_AREA_DAYS = "SELECT day, choices, voters FROM area_day WHERE area = ? ORDER BY day"
_AREA_QUESTIONS = (
    "SELECT q.stage, q.asked, coalesce(v.voters, 0) FROM question q"
    " LEFT JOIN area_question v ON v.question = q.question AND v.area = ?"
    " WHERE q.area = ? OR v.area IS NOT NULL ORDER BY q.position"
)
_AREA_OPTIONS = "SELECT question, option, count, total FROM area_option WHERE area = ?"
_AREA_RESULTS = "SELECT question, kind, time, position, document FROM area_result WHERE area = ? ORDER BY position"
_AREA_REQUESTS = (
    "SELECT service, stage, requests FROM area_requests WHERE area = ? AND requests <> 0"
    " ORDER BY service, stage"
)
_TO_PUBLISH = (
    f"{AREA} WHERE a.publishable = 0 AND a.retired = 0 AND coalesce(r.size, 0) >= ? ORDER BY a.area"
)


def area_list(at: Snapshot) -> AreaList:
    """All areas, in the order of their ids."""
    rows = at.rows(f"{AREA} ORDER BY a.area")
    return AreaList(position=at.position("area"), areas=[area_summary(row) for row in rows])


def area_view(at: Snapshot, area: str) -> AreaView:
    """One area. Raises `NotFound`."""
    row = area_row(at, area)
    summary = area_summary(row)
    above = [area_summary(area_row(at, one)) for one in reversed(ancestry(area)[1:])]
    below = at.rows(f"{AREA} WHERE a.parent = ? ORDER BY a.area", area)
    return AreaView(
        position=at.position("area"),
        **summary.model_dump(),
        publishable=bool(row[5]),
        above=above,
        below=[area_summary(one) for one in below],
        days=[
            AreaDay(day=day, choices=choices, voters=voters)
            for day, choices, voters in typed(at.rows(_AREA_DAYS, area))
        ],
        questions=_area_questions(at, area, summary.roll),
        results=[
            AreaResult(
                question=question,
                kind=kind,
                time=time,
                at=position,
                document=orjson.loads(text),
            )
            for question, kind, time, position, text in typed(at.rows(_AREA_RESULTS, area))
        ],
        requests=[
            RequestCount(service=service, stage=stage, requests=requests)
            for service, stage, requests in typed(at.rows(_AREA_REQUESTS, area))
        ],
    )


def areas_to_publish(at: Snapshot, at_least: int) -> list[str]:
    """Areas whose roll has reached this size and that choices may not name yet."""
    return [str(row[0]) for row in at.rows(_TO_PUBLISH, at_least)]


def _area_questions(at: Snapshot, area: str, roll: int) -> list[AreaQuestion]:
    counts: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for question, option, count, total in typed(at.rows(_AREA_OPTIONS, area)):
        counts[question][option] = (count, total)
    found = []
    for stage, document, voters in typed(at.rows(_AREA_QUESTIONS, area, area)):
        asked = QuestionOpened.model_validate_json(document)
        sealed = is_sealed(at, asked)
        of_options = counts[asked.question]
        found.append(
            AreaQuestion(
                question=asked.question,
                title=asked.title,
                asked_by=asked.area,
                policy=asked.policy,
                mandate=asked.mandate,
                stage=stage,
                sealed=sealed,
                voters=voters,
                share_per_mille=voters * 1000 // roll if roll else 0,
                options=[]
                if sealed
                else [
                    AreaOption(
                        id=option.id,
                        title=option.title,
                        count=of_options.get(option.id, (0, 0))[0],
                        total=of_options.get(option.id, (0, 0))[1],
                    )
                    for option in asked.options
                ],
            )
        )
    return found
