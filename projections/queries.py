"""The questions that readers put to the read models. SQL that every store understands; no writing."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from ledger.domain.event import ancestry
from ledger.domain.questions import QuestionOpened
from projections.answers import (
    AreaDay,
    AreaList,
    AreaOption,
    AreaQuestion,
    AreaResult,
    AreaSummary,
    AreaView,
    CitizenArrangement,
    CitizenChoice,
    CitizenRequest,
    CitizenView,
    DayView,
    DecisionAnswer,
    OptionTally,
    OptionView,
    OutcomeView,
    QuestionList,
    QuestionSummary,
    QuestionTally,
    QuestionView,
    RequestCount,
    TimelineEntry,
)
from projections.stores.port import Row, Snapshot, Store

TIMELINE = 200
"""Entries of a citizen's timeline that are given, the latest first."""

_QUESTION = "SELECT stage, asked FROM question WHERE question = ?"
_QUESTIONS = "SELECT stage, asked FROM question WHERE (? IS NULL OR area = ?) ORDER BY position"
_WITHIN = "(area = ? OR (area > ? AND area < ?))"
_CELLS = (
    "SELECT option, mark, sum(count) FROM question_cell"
    f" WHERE question = ? AND {_WITHIN} GROUP BY option, mark HAVING sum(count) <> 0"
    " ORDER BY option, mark"
)
_VOTERS = f"SELECT coalesce(sum(voters), 0) FROM question_voters WHERE question = ? AND {_WITHIN}"
_ALL_VOTERS = "SELECT question, sum(voters) FROM question_voters GROUP BY question"
_DAYS = (
    "SELECT day, made, changed, withdrawn, lapsed FROM question_day WHERE question = ? ORDER BY day"
)
_DECISION = (
    "SELECT decision FROM question_decision WHERE question = ? ORDER BY position DESC LIMIT 1"
)
_OUTCOMES = (
    "SELECT option, stage, percent, time, report FROM question_outcome"
    " WHERE question = ? ORDER BY position"
)
_AREA = (
    "SELECT a.area, a.name, a.kind, coalesce(r.size, 0), a.retired, a.publishable FROM area a"
    " LEFT JOIN area_roll r ON r.area = a.area"
)
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
_TO_PUBLISH = f"{_AREA} WHERE a.publishable = 0 AND a.retired = 0 AND coalesce(r.size, 0) >= ? ORDER BY a.area"
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


class NotFound(Exception):
    """There is nothing of that name in the read models, at the position that they stand for."""


class StillSealed(Exception):
    """The question's results are published after it closed."""


class Queries:
    """Reads the models of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def position(self) -> int:
        """The position that all models have reached."""
        with self._store.snapshot() as at:
            return min(at.position(model) for model in ("citizen", "question", "area"))

    def tally(self, question: str, area: str | None = None) -> QuestionTally:
        """The count of a question among the people of an area (the whole electorate, unless given).

        Raises `NotFound`, and `StillSealed` for a question whose results come after its close.
        """
        with self._store.snapshot() as at:
            asked, _ = _asked(at, question)
            if area is not None:
                _area_row(at, area)
            if _sealed(at, asked):
                raise StillSealed(
                    f"The results of {question!r} are published after it has closed and been unsealed."
                )
            return _tally(at, asked, area)

    def tallies(self) -> Iterator[QuestionTally]:
        """The counts of all questions, in the order in which they were opened; none of a sealed one."""
        with self._store.snapshot() as at:
            for _, document in at.rows(_QUESTIONS, None, None):
                asked = QuestionOpened.model_validate_json(str(document))
                if not _sealed(at, asked):
                    yield _tally(at, asked, None)

    def decision(self, question: str) -> DecisionAnswer:
        """What was decided; where nothing was, an answer without a rule that says so. Raises `NotFound`."""
        with self._store.snapshot() as at:
            _asked(at, question)
            return _decision(at, question) or DecisionAnswer(
                position=at.position("question"),
                question=question,
                rule=None,
                adopted=[],
                tied=[],
                reason="No decision is recorded.",
            )

    def question(self, question: str) -> QuestionView:
        """Everything about a question. Raises `NotFound`."""
        with self._store.snapshot() as at:
            asked, stage = _asked(at, question)
            sealed = _sealed(at, asked)
            return QuestionView(
                position=at.position("question"),
                question=question,
                title=asked.title,
                about=asked.about,
                area=asked.area,
                electorate=asked.electorate,
                policy=asked.policy,
                mandate=asked.mandate,
                stage=stage,
                opens=asked.opens,
                closes=asked.closes,
                results=asked.results,
                sealed=sealed,
                method=asked.method.model_dump(exclude_none=True),
                rule=None if asked.rule is None else asked.rule.model_dump(exclude_none=True),
                options=[OptionView(**option.model_dump()) for option in asked.options],
                roll=_roll(at, asked.electorate),
                voters=_voters(at, question, asked.electorate),
                tally=None if sealed else _tally(at, asked, None),
                days=[
                    DayView(day=day, made=made, changed=changed, withdrawn=withdrawn, lapsed=lapsed)
                    for day, made, changed, withdrawn, lapsed in _any(at.rows(_DAYS, question))
                ],
                decision=_decision(at, question),
                outcomes=_outcomes(at, question),
            )

    def questions(self, area: str | None = None) -> QuestionList:
        """All questions, or those that one area asks. Raises `NotFound` for an unknown area."""
        with self._store.snapshot() as at:
            if area is not None:
                _area_row(at, area)
            voters = dict(_any(at.rows(_ALL_VOTERS)))
            return QuestionList(
                position=at.position("question"),
                questions=[
                    _summary(at, stage, document, voters)
                    for stage, document in _any(at.rows(_QUESTIONS, area, area))
                ],
            )

    def areas(self) -> AreaList:
        """All areas, in the order of their ids."""
        with self._store.snapshot() as at:
            rows = at.rows(f"{_AREA} ORDER BY a.area")
            return AreaList(
                position=at.position("area"), areas=[_area_summary(row) for row in rows]
            )

    def area(self, area: str) -> AreaView:
        """One area, with all below it rolled up into it. Raises `NotFound`."""
        with self._store.snapshot() as at:
            row = _area_row(at, area)
            summary = _area_summary(row)
            above = [_area_summary(_area_row(at, one)) for one in reversed(ancestry(area)[1:])]
            below = at.rows(f"{_AREA} WHERE a.parent = ? ORDER BY a.area", area)
            return AreaView(
                position=at.position("area"),
                **summary.model_dump(),
                publishable=bool(row[5]),
                above=above,
                below=[_area_summary(one) for one in below],
                days=[
                    AreaDay(day=day, choices=choices, voters=voters)
                    for day, choices, voters in _any(at.rows(_AREA_DAYS, area))
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
                    for question, kind, time, position, text in _any(at.rows(_AREA_RESULTS, area))
                ],
                requests=[
                    RequestCount(service=service, stage=stage, requests=requests)
                    for service, stage, requests in _any(at.rows(_AREA_REQUESTS, area))
                ],
            )

    def areas_to_publish(self, at_least: int) -> list[str]:
        """Areas whose roll has reached this size and that choices may not name yet."""
        with self._store.snapshot() as at:
            return [str(row[0]) for row in at.rows(_TO_PUBLISH, at_least)]

    def citizen(self, citizen: str) -> CitizenView:
        """One person's own view, by citizen id. Raises `NotFound`."""
        with self._store.snapshot() as at:
            rows = _any(at.rows(_CITIZEN, citizen))
            if not rows:
                raise NotFound("This person is not on the roll.")
            ((home, memberships),) = rows
            return CitizenView(
                position=at.position("citizen"),
                home=home,
                memberships=orjson.loads(memberships),
                choices=[_citizen_choice(at, row) for row in _any(at.rows(_CHOICES, citizen))],
                arrangements=[
                    CitizenArrangement(service=service, offer=offer, time=time)
                    for service, offer, time in _any(at.rows(_ARRANGEMENTS, citizen))
                ],
                requests=[
                    CitizenRequest(
                        request=request, service=service, offer=offer, stage=stage, time=time
                    )
                    for request, service, offer, stage, time in _any(at.rows(_REQUESTS, citizen))
                ],
                timeline=[
                    TimelineEntry(at=position, time=time, type=type_, subject=subject)
                    for position, time, type_, subject in _any(
                        at.rows(_TIMELINE, citizen, TIMELINE)
                    )
                ],
            )


def _any(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows whose columns are checked by the answer that they become part of."""
    return rows


def _asked(at: Snapshot, question: str) -> tuple[QuestionOpened, Any]:
    rows = at.rows(_QUESTION, question)
    if not rows:
        raise NotFound(f"There is no question {question!r}.")
    stage, document = rows[0]
    return QuestionOpened.model_validate_json(str(document)), stage


def _sealed(at: Snapshot, asked: QuestionOpened) -> bool:
    if asked.seal is None:
        return False
    return not at.rows("SELECT 1 FROM question_key WHERE question = ?", asked.question)


def _within(area: str) -> tuple[str, str, str]:
    """The values of `_WITHIN`: an area's id, and the bounds of all ids below it ("0" comes after "/")."""
    return area, area + "/", area + "0"


def _tally(at: Snapshot, asked: QuestionOpened, area: str | None) -> QuestionTally:
    area = area or asked.electorate
    marks: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for option, mark, count in _any(at.rows(_CELLS, asked.question, *_within(area))):
        marks[option][mark] = count
    return QuestionTally(
        position=at.position("question"),
        question=asked.question,
        title=asked.title,
        area=area,
        method=asked.method.kind,
        voters=_voters(at, asked.question, area),
        options=[
            OptionTally(
                id=option.id,
                title=option.title,
                count=sum(marks[option.id].values()),
                total=sum(mark * count for mark, count in marks[option.id].items()),
                by_mark=marks[option.id],
            )
            for option in asked.options
        ],
    )


def _voters(at: Snapshot, question: str, area: str) -> int:
    return int(at.rows(_VOTERS, question, *_within(area))[0][0] or 0)


def _roll(at: Snapshot, area: str) -> int:
    rows = at.rows("SELECT size FROM area_roll WHERE area = ?", area)
    return int(rows[0][0] or 0) if rows else 0


def _decision(at: Snapshot, question: str) -> DecisionAnswer | None:
    rows = at.rows(_DECISION, question)
    if not rows:
        return None
    decision = orjson.loads(str(rows[0][0]))
    rule = decision["rule"]
    return DecisionAnswer(
        position=at.position("question"),
        question=question,
        rule=None if rule is None else rule["name"],
        adopted=decision["adopted"],
        tied=decision["tied"],
        reason=decision["reason"],
    )


def _outcomes(at: Snapshot, question: str) -> list[OutcomeView]:
    found = []
    for option, stage, percent, time, text in _any(at.rows(_OUTCOMES, question)):
        report = orjson.loads(text)
        found.append(
            OutcomeView(
                option=option,
                stage=stage,
                percent=percent,
                time=time,
                about=report["about"],
                evidence=report["evidence"],
            )
        )
    return found


def _summary(at: Snapshot, stage: Any, document: str, voters: dict[str, int]) -> QuestionSummary:
    asked = QuestionOpened.model_validate_json(document)
    return QuestionSummary(
        question=asked.question,
        title=asked.title,
        area=asked.area,
        policy=asked.policy,
        mandate=asked.mandate,
        stage=stage,
        sealed=_sealed(at, asked),
        voters=voters.get(asked.question, 0),
    )


def _area_row(at: Snapshot, area: str) -> Row:
    rows = at.rows(f"{_AREA} WHERE a.area = ?", area)
    if not rows:
        raise NotFound(f"There is no area {area!r}.")
    return rows[0]


def _area_summary(row: Row) -> AreaSummary:
    area, name, kind, roll, retired = row[:5]
    return AreaSummary.model_validate(
        {"area": area, "name": name, "kind": kind, "roll": roll, "retired": retired}
    )


def _area_questions(at: Snapshot, area: str, roll: int) -> list[AreaQuestion]:
    counts: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for question, option, count, total in _any(at.rows(_AREA_OPTIONS, area)):
        counts[question][option] = (count, total)
    found = []
    for stage, document, voters in _any(at.rows(_AREA_QUESTIONS, area, area)):
        asked = QuestionOpened.model_validate_json(document)
        sealed = _sealed(at, asked)
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


def _citizen_choice(at: Snapshot, row: tuple[Any, ...]) -> CitizenChoice:
    question, area, marks, time, position = row
    asked, _ = _asked(at, question)
    return CitizenChoice(
        question=question,
        title=asked.title,
        area=area,
        marks=None if marks is None else orjson.loads(marks),
        time=time,
        counted_at=position,
        decision=_decision(at, question),
        outcomes=_outcomes(at, question),
    )
