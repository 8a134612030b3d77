"""The question model: what was asked, how it is answered where and when, what was decided and came of it.

What is counted is kept twice: as it stands, and as changes by block of positions and day, so that it can be told
how it stood at a position or on a day (`projections.queries.history`).
"""

from collections.abc import Sequence

from ledger.domain.choices import (
    ChoiceChanged,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.outcomes import DecisionRecorded, OutcomeReported
from ledger.domain.questions import (
    QuestionAmended,
    QuestionClosed,
    QuestionOpened,
    QuestionUnsealed,
    amended,
)
from projections.counting import ChangesByPlace, SealedAnswers, canonical, sealed_table
from projections.projection import Folded, Projection, Rows, Table, Value

BLOCK = 16_384
"""Positions in a block. So many events of a question, at most, are read from the log to tell how it stood at a
position; the smaller it is, the more rows there are."""

QUESTION = Table(
    "question",
    ("question",),
    (
        "area",
        "electorate",
        "policy",
        "mandate",
        "stage",
        "sealed",
        "method",
        "title",
        "options",
        "asked",
        "position",
    ),
    frozenset({"mandate", "sealed", "position"}),
    indexes=(("area",), ("policy",), ("position",)),
)
"""`sealed`: 1 until it is unsealed. JSON: `options`, `[[id, title, organisation], …]`, and `asked`, all of it."""

VERSION = Table(
    "question_version", ("question", "position"), ("day", "asked"), frozenset({"position"})
)
CELL = Table(
    "question_cell",
    ("question", "area", "option", "mark"),
    ("count",),
    frozenset({"mark", "count"}),
)
CELL_CHANGE = Table(
    "question_cell_change",
    ("question", "block", "day", "area", "option", "mark"),
    ("count",),
    frozenset({"block", "mark", "count"}),
)
VOTERS = Table("question_voters", ("question", "area"), ("voters",), frozenset({"voters"}))
VOTERS_CHANGE = Table(
    "question_voters_change",
    ("question", "block", "day", "area"),
    ("voters",),
    frozenset({"block", "voters"}),
)
DAY = Table(
    "question_day",
    ("question", "day"),
    ("made", "changed", "withdrawn", "lapsed"),
    frozenset({"made", "changed", "withdrawn", "lapsed"}),
)
SEALED = sealed_table("question_sealed")
KEY = Table("question_key", ("question",), ("key", "day", "position"), frozenset({"position"}))
DECISION = Table(
    "question_decision", ("question", "position"), ("time", "decision"), frozenset({"position"})
)
OUTCOME = Table(
    "question_outcome",
    ("question", "option"),
    ("stage", "percent", "time", "report", "position"),
    frozenset({"percent", "position"}),
)

_When = tuple[int, str]
"""A block of positions and a day."""


class QuestionProjection(Projection):
    name = "question"
    version = 2
    tables = (
        QUESTION,
        VERSION,
        CELL,
        CELL_CHANGE,
        VOTERS,
        VOTERS_CHANGE,
        DAY,
        SEALED,
        KEY,
        DECISION,
        OUTCOME,
    )

    def __init__(self) -> None:
        self._sealed = SealedAnswers(SEALED)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        changed: ChangesByPlace[_When] = ChangesByPlace()
        for one in events:
            match one.event:
                case ChoiceMade() | ChoiceChanged() | ChoiceWithdrawn() | ChoiceLapsed() as choice:
                    if changed.choice(choice, _when(one)):
                        self._sealed.keep(rows, choice)
                case QuestionOpened() as opened:
                    rows.put(QUESTION, (opened.question,), *_asked(opened, "open", one.position))
                    _version(rows, opened, one)
                case QuestionAmended() as change:
                    asked, position = _question(rows, change.question)
                    asked = amended(asked, change)
                    rows.put(QUESTION, (asked.question,), *_asked(asked, "open", position))
                    _version(rows, asked, one)
                case QuestionClosed() as closed:
                    asked, position = _question(rows, closed.question)
                    rows.put(QUESTION, (asked.question,), *_asked(asked, "closed", position))
                case QuestionUnsealed() as unsealed:
                    self._unseal(rows, changed, unsealed, one)
                case DecisionRecorded() as decision:
                    document = canonical(decision.model_dump(exclude={"question"}))
                    rows.put(DECISION, (decision.question, one.position), one.time, document)
                case OutcomeReported() as outcome:
                    document = canonical(outcome.model_dump(exclude={"question", "option"}))
                    rows.put(
                        OUTCOME,
                        (outcome.question, outcome.option),
                        outcome.stage,
                        outcome.percent,
                        one.time,
                        document,
                        one.position,
                    )
        _add(changed, rows)

    def _unseal(
        self,
        rows: Rows,
        changed: ChangesByPlace[_When],
        unsealed: QuestionUnsealed,
        one: Folded,
    ) -> None:
        asked, position = _question(rows, unsealed.question)
        rows.put(KEY, (unsealed.question,), unsealed.key, one.day, one.position)
        rows.put(QUESTION, (unsealed.question,), *_asked(asked, "closed", position, unsealed=True))
        answers = self._sealed.open(rows, unsealed.question, unsealed.key)
        changed.unsealed(unsealed.question, answers, _when(one))


def _add(changed: ChangesByPlace[_When], rows: Rows) -> None:
    for (question, area, (block, day)), changes in changed.items():
        if changes.by_choices:
            rows.add(VOTERS, (question, area), changes.voters)
            rows.add(VOTERS_CHANGE, (question, block, day, area), changes.voters)
            rows.add(DAY, (question, day), *changes.kinds)
        for (option, mark), count in changes.marks.items():
            rows.add(CELL, (question, area, option, mark), count)
            rows.add(CELL_CHANGE, (question, block, day, area, option, mark), count)


def block_of(position: int) -> int:
    """The block that a position belongs to; block n begins at position n × `BLOCK`."""
    return position // BLOCK


def _when(one: Folded) -> _When:
    return one.position // BLOCK, one.time[:10]


def end_before(position: int) -> int:
    """The last position before the block that a position belongs to; 0 if it belongs to the first."""
    return max(0, block_of(position) * BLOCK - 1)


def _question(rows: Rows, question: str) -> tuple[QuestionOpened, int]:
    """What was asked last, and the position at which it was opened."""
    row = rows.get(QUESTION, (question,))
    if row is None:
        raise LookupError(f"the question {question!r} was never opened")
    asked, position = row[-2:]
    return QuestionOpened.model_validate_json(str(asked)), int(position or 0)


def _asked(
    asked: QuestionOpened, stage: str, position: int, *, unsealed: bool = False
) -> tuple[Value, ...]:
    """The row of a question, in the order of its columns."""
    return (
        asked.area,
        asked.electorate,
        asked.policy,
        int(asked.mandate),
        stage,
        int(asked.seal is not None and not unsealed),
        asked.method.kind,
        asked.title,
        canonical([[one.id, one.title, one.organisation] for one in asked.options]),
        _document(asked),
        position,
    )


def _version(rows: Rows, asked: QuestionOpened, one: Folded) -> None:
    rows.put(VERSION, (asked.question, one.position), one.day, _document(asked))


def _document(asked: QuestionOpened) -> str:
    return canonical(asked.model_dump(exclude_none=True))
