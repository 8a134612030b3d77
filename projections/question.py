"""The question model: what was asked, how it is answered where and when, what was decided and came of it."""

from collections import Counter
from collections.abc import Sequence

from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceEvent,
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
from projections.counting import SealedAnswers, canonical, recounted, sealed_table
from projections.projection import Folded, Projection, Rows, Table

QUESTION = Table(
    "question",
    ("question",),
    ("area", "policy", "mandate", "stage", "asked", "position"),
    frozenset({"mandate", "position"}),
    indexes=(("area",), ("policy",)),
)
CELL = Table(
    "question_cell",
    ("question", "area", "option", "mark"),
    ("count",),
    frozenset({"mark", "count"}),
)
VOTERS = Table("question_voters", ("question", "area"), ("voters",), frozenset({"voters"}))
DAY = Table(
    "question_day",
    ("question", "day"),
    ("made", "changed", "withdrawn", "lapsed"),
    frozenset({"made", "changed", "withdrawn", "lapsed"}),
)
SEALED = sealed_table("question_sealed")
KEY = Table("question_key", ("question",), ("key",))
DECISION = Table(
    "question_decision", ("question", "position"), ("time", "decision"), frozenset({"position"})
)
OUTCOME = Table(
    "question_outcome",
    ("question", "option"),
    ("stage", "percent", "time", "report", "position"),
    frozenset({"percent", "position"}),
)

_COLUMN = {ChoiceMade: 0, ChoiceChanged: 1, ChoiceWithdrawn: 2, ChoiceLapsed: 3}


class QuestionProjection(Projection):
    name = "question"
    version = 1
    tables = (QUESTION, CELL, VOTERS, DAY, SEALED, KEY, DECISION, OUTCOME)

    def __init__(self) -> None:
        self._sealed = SealedAnswers(SEALED)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        counts = _Counts()
        for one in events:
            match one.event:
                case ChoiceMade() | ChoiceChanged() | ChoiceWithdrawn() | ChoiceLapsed() as choice:
                    if counts.choice(choice, one.day):
                        self._sealed.keep(rows, choice)
                case QuestionOpened() as opened:
                    _put(rows, opened, "open", one.position)
                case QuestionAmended() as change:
                    asked, stage, position = _question(rows, change.question)
                    _put(rows, amended(asked, change), stage, position)
                case QuestionClosed() as closed:
                    asked, _, position = _question(rows, closed.question)
                    _put(rows, asked, "closed", position)
                case QuestionUnsealed() as opened_up:
                    rows.put(KEY, (opened_up.question,), opened_up.key)
                    for answer in self._sealed.open(rows, opened_up.question, opened_up.key):
                        counts.answer(opened_up.question, answer, 1)
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
        counts.add_to(rows)


class _Counts:
    """What a batch changes in the counts, added up before it meets the rows."""

    def __init__(self) -> None:
        self._cells: Counter[tuple[str, str, str, int]] = Counter()
        self._voters: Counter[tuple[str, str]] = Counter()
        self._days: Counter[tuple[str, str, int]] = Counter()

    def choice(self, choice: ChoiceEvent, day: str) -> bool:
        """Count a choice. Whether its marks are sealed."""
        sealed = False
        self._days[choice.question, day, _COLUMN[type(choice)]] += 1
        for answer, change in recounted(choice):
            self._voters[choice.question, answer.area] += change
            if answer.marks is None:
                sealed = True
            else:
                self.answer(choice.question, answer, change)
        return sealed

    def answer(self, question: str, answer: Answer, change: int) -> None:
        assert answer.marks is not None
        area, cells = answer.area, self._cells
        for option, mark in answer.marks.items():
            cells[question, area, option, mark] += change

    def add_to(self, rows: Rows) -> None:
        for cell, change in self._cells.items():
            rows.add(CELL, cell, change)
        for voters, change in self._voters.items():
            rows.add(VOTERS, voters, change)
        for (question, day, column), change in self._days.items():
            rows.add(DAY, (question, day), *(change if one == column else 0 for one in range(4)))


def _question(rows: Rows, question: str) -> tuple[QuestionOpened, str, int]:
    row = rows.get(QUESTION, (question,))
    if row is None:
        raise LookupError(f"the question {question!r} was never opened")
    _, _, _, stage, asked, position = row
    return QuestionOpened.model_validate_json(str(asked)), str(stage), int(position or 0)


def _put(rows: Rows, asked: QuestionOpened, stage: str, position: int) -> None:
    document = canonical(asked.model_dump(exclude_none=True))
    rows.put(
        QUESTION,
        (asked.question,),
        asked.area,
        asked.policy,
        int(asked.mandate),
        stage,
        document,
        position,
    )
