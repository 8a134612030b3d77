"""The course of a question after it was asked: open, decided, and what became of each option that was adopted.

An option that a decision adopts is a promise. `pending`: nothing final is reported of it; `kept`: it was reported
implemented; `broken`: it was reported abandoned; `dropped`: a later decision no longer adopts it, and nothing final
had been reported. A promise is one of the four at any time.
"""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from ledger.domain.outcomes import DecisionRecorded, OutcomeReported
from ledger.domain.questions import (
    Options,
    QuestionAmended,
    QuestionClosed,
    QuestionOpened,
)
from projections.counting import canonical
from projections.projection import Folded, Rows, Table

FIGURES = (
    "questions",
    "open_questions",
    "mandates",
    "decisions",
    "pending",
    "kept",
    "broken",
    "dropped",
)
"""What is counted on the way; `mandates` are those that stand, and are no `questions`."""

COURSE_TYPES = frozenset(
    one.type
    for one in (QuestionOpened, QuestionAmended, QuestionClosed, DecisionRecorded, OutcomeReported)
)
"""The events that a course follows. None of them is a choice: a model of courses costs little."""


class Step(NamedTuple):
    """A change of figures: those of a question's area and policy area, or those of one option's organisation."""

    area: str
    policy: str | None
    organisation: str | None
    figures: Mapping[str, int]

    def changes(self, names: tuple[str, ...] = FIGURES) -> tuple[int, ...]:
        """The changes in the order of the columns of a table."""
        return tuple(self.figures.get(name, 0) for name in names)


class Asked(NamedTuple):
    """What a course keeps of a question; `options` is JSON: each one's title and organisation by its id."""

    area: str
    policy: str | None
    mandate: int
    options: str
    adopted: str

    def choices(self) -> dict[str, tuple[str, str | None]]:
        """The title and the organisation of each option."""
        found: dict[str, tuple[str, str | None]] = orjson.loads(self.options)
        return found


class _Promise(NamedTuple):
    title: str
    area: str
    policy: str | None
    organisation: str | None
    decided_at: int
    standing: int
    stage: str | None
    percent: int | None
    time: str
    position: int

    @property
    def fate(self) -> str:
        return fate(self.stage, standing=bool(self.standing))


def fate(stage: str | None, *, standing: bool) -> str:
    """What became of a promise that was last reported at a stage (None: not at all)."""
    match stage:
        case "implemented":
            return "kept"
        case "abandoned":
            return "broken"
        case _:
            return "pending" if standing else "dropped"


def asked_table(name: str) -> Table:
    """A table in which a course keeps what was asked; one row a question."""
    return Table(name, ("question",), Asked._fields, frozenset({"mandate"}))


def promise_table(name: str) -> Table:
    """A table in which a course keeps promises, with `fate`; one row an adopted option."""
    return Table(
        name,
        ("question", "option"),
        (*_Promise._fields, "fate"),
        frozenset({"decided_at", "standing", "percent", "position"}),
        indexes=(("area",), ("policy",), ("organisation",)),
    )


class Course:
    """Follows questions for one model, in two tables of its own."""

    def __init__(self, asked: Table, promise: Table) -> None:
        self._asked = asked
        self._promise = promise

    def follow(self, one: Folded, rows: Rows) -> list[Step]:
        """Fold one event of `COURSE_TYPES`. The changes of figures that it makes."""
        match one.event:
            case QuestionOpened() as opened:
                asked = Asked(
                    opened.area,
                    opened.policy,
                    int(opened.mandate),
                    _options(opened.options),
                    "[]",
                )
                rows.put(self._asked, (opened.question,), *asked)
                begun = {"mandates": 1} if opened.mandate else {"questions": 1, "open_questions": 1}
                return [_step(asked, begun)]
            case QuestionAmended() as amended:
                if amended.options is not None:
                    asked = self.asked(rows, amended.question)
                    changed = asked._replace(options=_options(amended.options))
                    rows.put(self._asked, (amended.question,), *changed)
                return []
            case QuestionClosed() as closed:
                asked = self.asked(rows, closed.question)
                return [_step(asked, {"mandates" if asked.mandate else "open_questions": -1})]
            case DecisionRecorded() as decision:
                return self._decided(one, decision, rows)
            case OutcomeReported() as outcome:
                return self._reported(one, outcome, rows)
        return []

    def asked(self, rows: Rows, question: str) -> Asked:
        """What is kept of a question. Raises `LookupError` for one that was never opened."""
        row = rows.get(self._asked, (question,))
        if row is None:
            raise LookupError(f"the question {question!r} was never opened")
        return Asked(*row)  # type: ignore[arg-type]  # the columns are those of the table

    def _decided(self, one: Folded, decision: DecisionRecorded, rows: Rows) -> list[Step]:
        asked = self.asked(rows, decision.question)
        options, before = asked.choices(), orjson.loads(asked.adopted)
        rows.put(
            self._asked,
            (decision.question,),
            *asked._replace(adopted=canonical(sorted(decision.adopted))),
        )
        steps = [_step(asked, {"decisions": 1})]
        for option in sorted({*before, *decision.adopted}):
            known = self._promised(rows, decision.question, option)
            standing = int(option in decision.adopted)
            if known is None:
                title, organisation = options[option]
                known = _Promise(
                    title, asked.area, asked.policy, organisation, 0, 0, None, None, "", 0
                )
                old_fate = None
            else:
                old_fate = known.fate
            promise = known._replace(
                decided_at=one.position if standing else known.decided_at,
                standing=standing,
                time=one.time,
                position=one.position,
            )
            steps += self._put(rows, decision.question, option, promise, old_fate)
        return steps

    def _reported(self, one: Folded, outcome: OutcomeReported, rows: Rows) -> list[Step]:
        self.asked(rows, outcome.question)
        known = self._promised(rows, outcome.question, outcome.option)
        if known is None:
            raise LookupError(f"{outcome.option!r} of {outcome.question!r} was never adopted")
        promise = known._replace(
            stage=outcome.stage, percent=outcome.percent, time=one.time, position=one.position
        )
        return self._put(rows, outcome.question, outcome.option, promise, known.fate)

    def _put(
        self, rows: Rows, question: str, option: str, promise: _Promise, old_fate: str | None
    ) -> list[Step]:
        rows.put(self._promise, (question, option), *promise, promise.fate)
        if promise.fate == old_fate:
            return []
        figures = {promise.fate: 1} | ({} if old_fate is None else {old_fate: -1})
        return [Step(promise.area, promise.policy, promise.organisation, figures)]

    def _promised(self, rows: Rows, question: str, option: str) -> _Promise | None:
        row = rows.get(self._promise, (question, option))
        return None if row is None else _Promise(*row[:-1])  # type: ignore[arg-type]


def _step(asked: Asked, figures: Mapping[str, int]) -> Step:
    return Step(asked.area, asked.policy, None, figures)


def _options(options: Options) -> str:
    return canonical({one.id: [one.title, one.organisation] for one in options})
