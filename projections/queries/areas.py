"""Areas: the tree, and everything about one area with all below it rolled up into it."""

from collections.abc import Iterable
from typing import Any

import orjson

from ledger.domain.event import ancestry
from projections.answers import (
    AreaDay,
    AreaDays,
    AreaDayView,
    AreaList,
    AreaQuestion,
    AreaQuestions,
    AreaResult,
    AreaView,
    Figures,
    LiveCounts,
    RequestCount,
)
from projections.queries import results
from projections.queries.lookups import (
    EVERYWHERE,
    Page,
    Where,
    area_row,
    area_rows,
    area_summary,
    check_area,
    check_page,
    check_policy,
    figures,
    figures_columns,
    order_of,
    page_of,
    position_of,
    roll_of,
    typed,
)
from projections.stores.port import Snapshot

MOST_BELOW = 1_000
MOST_QUESTIONS = 20
MOST_DAYS = 366
MOST_RESULTS = 100
"""What the view of one area holds of each list; the rest is read by pages."""

AREA_ORDERS = {"area": "a.area", "name": "a.name", "roll": "coalesce(r.size, 0)"}
AREA_QUESTION_ORDERS = {
    "position": "q.position",
    "title": "q.title",
    "voters": "coalesce(v.voters, 0)",
}
_OWN_FIRST = "foreign_one, closed_one, q.position"

_FIGURES = f"SELECT f.scope, {figures_columns('f')} FROM area_figures f WHERE f.area = ?"
_DAYS = "SELECT day, choices, voters FROM area_day WHERE area = ? ORDER BY day"
_LAST_DAYS = "SELECT day, choices, voters FROM area_day WHERE area = ? ORDER BY day DESC LIMIT ?"
_ROLL_DAYS = "SELECT day, change FROM area_roll_day WHERE area = ? ORDER BY day"
_QUESTIONS = (
    "SELECT q.question, q.title, q.area, q.policy, q.mandate, q.stage, q.sealed, q.options, q.position,"
    " coalesce(v.voters, 0) AS voters, CASE WHEN q.area = ? THEN 0 ELSE 1 END AS foreign_one,"
    " CASE WHEN q.stage = 'open' THEN 0 ELSE 1 END AS closed_one"
    " FROM question q LEFT JOIN area_question v ON v.question = q.question AND v.area = ?"
)
_ANSWERED = (
    "q.question IN (SELECT question FROM question WHERE area = ?"
    " UNION SELECT question FROM area_question WHERE area = ?)"
)
_OPTIONS = "SELECT question, option, count, total FROM area_option"
_RESULTS = (
    "SELECT question, kind, time, position, document FROM area_result"
    " WHERE area = ? ORDER BY position DESC LIMIT ?"
)
_REQUESTS = (
    "SELECT service, stage, requests FROM area_requests WHERE area = ? AND requests <> 0"
    " ORDER BY service, stage"
)
_NOBODY = (0, 0)
_TO_PUBLISH = (
    "SELECT a.area FROM area a JOIN area_roll r ON r.area = a.area"
    " WHERE a.publishable = 0 AND a.retired = 0 AND r.size >= ? ORDER BY a.area"
)


def area_list(
    at: Snapshot,
    page: Page,
    sort: str,
    *,
    parent: str | None = None,
    kind: str | None = None,
    retired: bool | None = None,
) -> AreaList:
    """A page of all areas, or of those that match. Raises `NotFound`, `NoSuchPage`."""
    check_area(at, parent)
    where = Where().equal(
        a__parent=parent, a__kind=kind, a__retired=None if retired is None else int(retired)
    )
    total, items = area_rows(at, where, order_of(AREA_ORDERS, sort, then="a.area"), page)
    return AreaList(
        position=at.position("area"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=items,
    )


def area_view(at: Snapshot, area: str) -> AreaView:
    """One area. Raises `NotFound`."""
    row = area_row(at, area)
    summary = area_summary(row)
    counted = {scope: figures(values) for scope, *values in typed(at.rows(_FIGURES, area))}
    below = EVERYWHERE.equal(a__parent=area)
    own = results.Scope(area, below=False)
    questions_total, questions = _area_questions(
        at, area, EVERYWHERE, _OWN_FIRST, Page(MOST_QUESTIONS)
    )
    return AreaView(
        position=position_of(at, "area", "question", "policy", "organisation"),
        area=area,
        name=summary.name,
        kind=summary.kind,
        publishable=bool(row[6]),
        retired=summary.retired,
        roll=summary.roll,
        figures=counted.get("all", Figures()),
        own=counted.get("own", Figures()),
        above=[area_summary(area_row(at, one)) for one in reversed(ancestry(area)[1:])],
        below=area_rows(at, below, "a.area", Page(MOST_BELOW))[1],
        days=[
            AreaDay(day=day, choices=choices, voters=voters)
            for day, choices, voters in reversed(typed(at.rows(_LAST_DAYS, area, MOST_DAYS)))
        ],
        mandates=results.mandates(at, own, Page(), stage="open").items,
        questions=questions,
        questions_total=questions_total,
        decisions=results.decisions(at, own, Page(MOST_RESULTS)).items,
        promises=results.promises(at, "area", own, Page()).items,
        results=[
            AreaResult(
                question=question,
                kind=kind,
                time=time,
                at=position,
                document=orjson.loads(text),
            )
            for question, kind, time, position, text in reversed(
                typed(at.rows(_RESULTS, area, MOST_RESULTS))
            )
        ],
        requests=[
            RequestCount(service=service, stage=stage, requests=requests)
            for service, stage, requests in typed(at.rows(_REQUESTS, area))
        ],
    )


def area_questions(
    at: Snapshot,
    area: str,
    page: Page,
    sort: str,
    *,
    asked_by: str | None = None,
    policy: str | None = None,
    mandate: bool | None = None,
    stage: str | None = None,
) -> AreaQuestions:
    """The questions that an area asks or its people have answered. Raises `NotFound`, `NoSuchPage`."""
    area_row(at, area)
    check_area(at, asked_by)
    check_policy(at, policy)
    where = Where().equal(
        q__area=asked_by,
        q__policy=policy,
        q__mandate=None if mandate is None else int(mandate),
        q__stage=stage,
    )
    order = order_of(AREA_QUESTION_ORDERS, sort, then="q.question")
    total, items = _area_questions(at, area, where, order, page)
    return AreaQuestions(
        position=position_of(at, "area", "question", "policy"),
        area=area,
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=items,
    )


def area_days(
    at: Snapshot, area: str, page: Page, *, first: str | None = None, last: str | None = None
) -> AreaDays:
    """The days of an area, from a first to a last one. Raises `NotFound`, `NoSuchPage`."""
    area_row(at, area)
    choices = {day: counts for day, *counts in typed(at.rows(_DAYS, area))}
    rolls: dict[str, int] = dict(typed(at.rows(_ROLL_DAYS, area)))
    days: list[AreaDayView] = []
    standing = roll = 0
    for day in sorted({*choices, *rolls}):
        made, voters = choices.get(day, (0, 0))
        standing += voters
        roll += rolls.get(day, 0)
        if (first is None or first <= day) and (last is None or day <= last):
            days.append(
                AreaDayView(day=day, choices=made, voters=voters, standing=standing, roll=roll)
            )
    check_page(page, len(days))
    return AreaDays(
        position=at.position("area"),
        area=area,
        total=len(days),
        offset=page.offset,
        limit=page.limit,
        items=days[page.offset : page.offset + page.limit],
    )


def live_counts(
    at: Snapshot, area: str, question: str | None, known: Iterable[str] = ()
) -> LiveCounts:
    """The counts of one question, or of all that are open in an area and those that are known already.

    Of a sealed question there is only how many have chosen.
    """
    if question is not None:
        where = EVERYWHERE.equal(q__question=question)
    else:
        where = EVERYWHERE.equal(q__stage="open").and_(_ANSWERED, area, area)
    values = (area, area)
    rows = typed(at.rows(f"{_QUESTIONS}{where.sql} ORDER BY q.position", *values, *where.values))
    closed = sorted(set(known) - {row[0] for row in rows})
    if closed:
        where = EVERYWHERE.one_of("q.question", closed)
        rows += typed(at.rows(_QUESTIONS + where.sql, *values, *where.values))
    return LiveCounts(
        position=position_of(at, "area", "question"),
        area=area,
        questions=_with_counts(at, area, rows),
    )


def areas_to_publish(at: Snapshot, at_least: int) -> list[str]:
    """Areas whose roll has reached this size and that choices may not name yet."""
    return [str(row[0]) for row in at.rows(_TO_PUBLISH, at_least)]


def _area_questions(
    at: Snapshot, area: str, where: Where, order: str, page: Page
) -> tuple[int, list[AreaQuestion]]:
    where = where.and_(_ANSWERED, area, area)
    total, rows = page_of(at, _QUESTIONS, where, order, page, before=(area, area))
    return total, _with_counts(at, area, rows)


def _with_counts(at: Snapshot, area: str, rows: list[tuple[Any, ...]]) -> list[AreaQuestion]:
    counts = _counts(at, area, [row[0] for row in rows if not row[6]])
    roll = roll_of(at, area)
    return [_area_question(row, counts, roll) for row in rows]


def _area_question(
    row: tuple[Any, ...], counts: dict[tuple[str, str], tuple[int, int]], roll: int
) -> AreaQuestion:
    question, title, asked_by, policy, mandate, stage, sealed, options, _, voters, *_ = row
    shown = [] if sealed else orjson.loads(options)
    return AreaQuestion.model_validate(
        {
            "question": question,
            "title": title,
            "asked_by": asked_by,
            "policy": policy,
            "mandate": mandate,
            "stage": stage,
            "sealed": sealed,
            "voters": voters,
            "share_per_mille": voters * 1000 // roll if roll else 0,
            # as dictionaries: there may be thousands, and models made one by one take thrice as long
            "options": [
                {"id": option, "title": option_title, "count": count, "total": total}
                for option, option_title, _ in shown
                for count, total in (counts.get((question, option), _NOBODY),)
            ],
        }
    )


def _counts(
    at: Snapshot, area: str, questions: list[str]
) -> dict[tuple[str, str], tuple[int, int]]:
    """The counts of options in an area, by question and option."""
    if not questions:
        return {}
    where = EVERYWHERE.equal(area=area).one_of("question", questions)
    rows = typed(at.rows(_OPTIONS + where.sql, *where.values))
    return {(question, option): (count, total) for question, option, count, total in rows}
