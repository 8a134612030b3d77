"""Questions: what was asked, the count, what was decided and what came of it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from ledger.domain.questions import QuestionOpened
from projections.answers import (
    DayView,
    DecisionAnswer,
    OptionTally,
    OptionView,
    OutcomeView,
    QuestionList,
    QuestionSummary,
    QuestionTally,
    QuestionView,
)
from projections.queries.lookups import NotFound, StillSealed, area_row, roll_of, typed
from projections.stores.port import Snapshot

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
_KEY = "SELECT 1 FROM question_key WHERE question = ?"


def tally(at: Snapshot, question: str, area: str | None) -> QuestionTally:
    """The count among the people of an area. Raises `NotFound`, `StillSealed`."""
    asked, _ = asked_question(at, question)
    if area is not None:
        area_row(at, area)
    if is_sealed(at, asked):
        raise StillSealed(
            f"The results of {question!r} are published after it has closed and been unsealed."
        )
    return tally_of(at, asked, area)


def tallies(at: Snapshot) -> Iterator[QuestionTally]:
    """The counts of all questions but sealed ones."""
    for _, document in at.rows(_QUESTIONS, None, None):
        asked = QuestionOpened.model_validate_json(str(document))
        if not is_sealed(at, asked):
            yield tally_of(at, asked, None)


def decision(at: Snapshot, question: str) -> DecisionAnswer:
    """What was decided, or that nothing was. Raises `NotFound`."""
    asked_question(at, question)
    return decision_of(at, question) or DecisionAnswer(
        position=at.position("question"),
        question=question,
        rule=None,
        adopted=[],
        tied=[],
        reason="No decision is recorded.",
    )


def question_view(at: Snapshot, question: str) -> QuestionView:
    """Everything about a question. Raises `NotFound`."""
    asked, stage = asked_question(at, question)
    sealed = is_sealed(at, asked)
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
        roll=roll_of(at, asked.electorate),
        voters=voters_of(at, question, asked.electorate),
        tally=None if sealed else tally_of(at, asked, None),
        days=[
            DayView(day=day, made=made, changed=changed, withdrawn=withdrawn, lapsed=lapsed)
            for day, made, changed, withdrawn, lapsed in typed(at.rows(_DAYS, question))
        ],
        decision=decision_of(at, question),
        outcomes=outcomes_of(at, question),
    )


def question_list(at: Snapshot, area: str | None) -> QuestionList:
    """All questions, or those of one area. Raises `NotFound`."""
    if area is not None:
        area_row(at, area)
    voters = dict(typed(at.rows(_ALL_VOTERS)))
    return QuestionList(
        position=at.position("question"),
        questions=[
            summary_of(at, stage, document, voters)
            for stage, document in typed(at.rows(_QUESTIONS, area, area))
        ],
    )


def asked_question(at: Snapshot, question: str) -> tuple[QuestionOpened, Any]:
    rows = at.rows(_QUESTION, question)
    if not rows:
        raise NotFound(f"There is no question {question!r}.")
    stage, document = rows[0]
    return QuestionOpened.model_validate_json(str(document)), stage


def is_sealed(at: Snapshot, asked: QuestionOpened) -> bool:
    if asked.seal is None:
        return False
    return not at.rows(_KEY, asked.question)


def within(area: str) -> tuple[str, str, str]:
    """The values of `_WITHIN`: an area's id, and the bounds of all ids below it ("0" comes after "/")."""
    return area, area + "/", area + "0"


def tally_of(at: Snapshot, asked: QuestionOpened, area: str | None) -> QuestionTally:
    area = area or asked.electorate
    marks: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for option, mark, count in typed(at.rows(_CELLS, asked.question, *within(area))):
        marks[option][mark] = count
    return QuestionTally(
        position=at.position("question"),
        question=asked.question,
        title=asked.title,
        area=area,
        method=asked.method.kind,
        voters=voters_of(at, asked.question, area),
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


def voters_of(at: Snapshot, question: str, area: str) -> int:
    return int(at.rows(_VOTERS, question, *within(area))[0][0] or 0)


def decision_of(at: Snapshot, question: str) -> DecisionAnswer | None:
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


def outcomes_of(at: Snapshot, question: str) -> list[OutcomeView]:
    found = []
    for option, stage, percent, time, text in typed(at.rows(_OUTCOMES, question)):
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


def summary_of(at: Snapshot, stage: Any, document: str, voters: dict[str, int]) -> QuestionSummary:
    asked = QuestionOpened.model_validate_json(document)
    return QuestionSummary(
        question=asked.question,
        title=asked.title,
        area=asked.area,
        policy=asked.policy,
        mandate=asked.mandate,
        stage=stage,
        sealed=is_sealed(at, asked),
        voters=voters.get(asked.question, 0),
    )
