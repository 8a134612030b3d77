"""Questions: what was asked, the count, what was decided and what came of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ledger.domain.questions import QuestionOpened
from projections.answers import (
    AreaTallies,
    AreaTally,
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
from projections.queries.lookups import (
    EVERYWHERE,
    NotFound,
    Page,
    StillSealed,
    Where,
    check_area,
    check_policy,
    order_of,
    page_of,
    position_of,
    roll_of,
    typed,
)
from projections.stores.port import Snapshot

VOTERS = "(SELECT coalesce(sum(v.voters), 0) FROM question_voters v WHERE v.question = q.question)"
_QUESTION = "SELECT stage, asked, sealed FROM question WHERE question = ?"
_QUESTIONS = "SELECT asked FROM question WHERE sealed = 0 ORDER BY position"
_SUMMARIES = (
    "SELECT q.question, q.title, q.area, q.policy, q.mandate, q.stage, q.sealed, q.position,"
    f" {VOTERS} AS voters FROM question q"
)
QUESTION_ORDERS = {"position": "q.position", "title": "q.title", "voters": "voters"}

_CELLS = "SELECT option, mark, sum(count) AS answers FROM question_cell"
_MARKED = " GROUP BY option, mark HAVING sum(count) <> 0 ORDER BY option, mark"
_VOTERS_WITHIN = "SELECT coalesce(sum(voters), 0) FROM question_voters"
_AREA_VOTERS = "SELECT area, voters FROM question_voters"
_AREA_CELLS = "SELECT area, option, mark, count FROM question_cell"
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

Marks = Mapping[tuple[str, int], int]
"""How many voters gave an option a mark."""


def tally(at: Snapshot, question: str, area: str | None) -> QuestionTally:
    """The count among the people of an area. Raises `NotFound`, `StillSealed`."""
    asked = public_question(at, question)
    check_area(at, area)
    return _tally_of(at, asked, area or asked.electorate)


def tallies(at: Snapshot) -> Iterator[QuestionTally]:
    """The counts of all questions but sealed ones."""
    for (document,) in at.rows(_QUESTIONS):
        asked = QuestionOpened.model_validate_json(str(document))
        yield _tally_of(at, asked, asked.electorate)


def area_tallies(at: Snapshot, question: str, page: Page) -> AreaTallies:
    """The count by the areas that choices name. Raises `NotFound`, `NoSuchPage`, `StillSealed`."""
    asked = public_question(at, question)
    of_question = EVERYWHERE.equal(question=question)
    total, rows = page_of(at, _AREA_VOTERS, of_question, "area", page)
    marks: defaultdict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    if rows:
        cells = of_question.one_of("area", [area for area, _ in rows])
        for area, option, mark, count in typed(at.rows(_AREA_CELLS + cells.sql, *cells.values)):
            if count:
                marks[area][option, mark] = count
    return AreaTallies(
        position=at.position("question"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        question=question,
        title=asked.title,
        method=asked.method.kind,
        items=[
            AreaTally(area=area, voters=voters, options=option_tallies(asked, marks[area]))
            for area, voters in rows
        ],
    )


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
    asked, stage, sealed = asked_question(at, question)
    return QuestionView(
        position=position_of(at, "question", "area"),
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
        tally=None if sealed else _tally_of(at, asked, asked.electorate),
        days=[
            DayView(day=day, made=made, changed=changed, withdrawn=withdrawn, lapsed=lapsed)
            for day, made, changed, withdrawn, lapsed in typed(at.rows(_DAYS, question))
        ],
        decision=decision_of(at, question),
        outcomes=outcomes_of(at, question),
    )


def question_list(
    at: Snapshot,
    page: Page,
    sort: str,
    *,
    area: str | None = None,
    policy: str | None = None,
    mandate: bool | None = None,
    stage: str | None = None,
) -> QuestionList:
    """A page of all questions, or of those that match. Raises `NotFound`, `NoSuchPage`."""
    check_area(at, area)
    check_policy(at, policy)
    where = Where().equal(
        q__area=area,
        q__policy=policy,
        q__mandate=None if mandate is None else int(mandate),
        q__stage=stage,
    )
    order = order_of(QUESTION_ORDERS, sort, then="q.question")
    total, rows = page_of(at, _SUMMARIES, where, order, page)
    return QuestionList(
        position=position_of(at, "question", "area", "policy"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            QuestionSummary(
                question=question,
                title=title,
                area=area_,
                policy=policy_,
                mandate=bool(mandate_),
                stage=stage_,
                sealed=bool(sealed),
                voters=voters,
            )
            for question, title, area_, policy_, mandate_, stage_, sealed, _, voters in rows
        ],
    )


def asked_question(at: Snapshot, question: str) -> tuple[QuestionOpened, Any, bool]:
    """What was asked, the stage, and whether it is still sealed. Raises `NotFound`."""
    rows = at.rows(_QUESTION, question)
    if not rows:
        raise NotFound(f"There is no question {question!r}.")
    stage, document, sealed = rows[0]
    return QuestionOpened.model_validate_json(str(document)), stage, bool(sealed)


def public_question(at: Snapshot, question: str) -> QuestionOpened:
    """What was asked, if its count may be told. Raises `NotFound`, `StillSealed`."""
    asked, _, sealed = asked_question(at, question)
    if sealed:
        raise StillSealed(
            f"The results of {question!r} are published after it has closed and been unsealed."
        )
    return asked


def option_tallies(asked: QuestionOpened, marks: Marks) -> list[OptionTally]:
    """The count of each option, in the order in which they were asked."""
    by_option: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for (option, mark), count in sorted(marks.items()):
        by_option[option][mark] = count
    return [
        OptionTally(
            id=option.id,
            title=option.title,
            count=by_option[option.id].total(),
            total=sum(mark * count for mark, count in by_option[option.id].items()),
            by_mark=by_option[option.id],
        )
        for option in asked.options
    ]


def voters_of(at: Snapshot, question: str, area: str) -> int:
    where = EVERYWHERE.equal(question=question).within("area", area)
    return int(at.rows(_VOTERS_WITHIN + where.sql, *where.values)[0][0] or 0)


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


def _tally_of(at: Snapshot, asked: QuestionOpened, area: str) -> QuestionTally:
    where = EVERYWHERE.equal(question=asked.question).within("area", area)
    cells = typed(at.rows(_CELLS + where.sql + _MARKED, *where.values))
    marks = {(option, mark): count for option, mark, count in cells}
    return QuestionTally(
        position=position_of(at, "question", "area"),
        question=asked.question,
        title=asked.title,
        area=area,
        method=asked.method.kind,
        voters=voters_of(at, asked.question, area),
        options=option_tallies(asked, marks),
    )
