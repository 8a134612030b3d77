"""The area model: roll, choices, decisions, outcomes and requests of every area, rolled up through the levels."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from ledger.domain.areas import AreaAmended, AreaDefined, AreaRetired
from ledger.domain.choices import (
    ChoiceChanged,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.event import ancestry
from ledger.domain.outcomes import DecisionRecorded, OutcomeReported
from ledger.domain.questions import (
    QuestionAmended,
    QuestionClosed,
    QuestionOpened,
    QuestionUnsealed,
)
from ledger.domain.requests import REQUEST_EVENTS, RequestMade
from ledger.domain.roll import CitizenJoined, CitizenLeft, CitizenMoved, CitizenRegistered
from projections.counting import (
    ChangesByPlace,
    MarkCounts,
    SealedAnswers,
    canonical,
    sealed_table,
)
from projections.course import FIGURES, Course, asked_table, promise_table
from projections.projection import Folded, Projection, Rows, Table

AREA = Table(
    "area",
    ("area",),
    ("parent", "name", "kind", "publishable", "retired"),
    frozenset({"publishable", "retired"}),
    indexes=(("parent",),),
)
ROLL = Table("area_roll", ("area",), ("size",), frozenset({"size"}))
QUESTION = Table("area_question", ("area", "question"), ("voters",), frozenset({"voters"}))
OPTION = Table(
    "area_option",
    ("area", "question", "option"),
    ("count", "total"),
    frozenset({"count", "total"}),
)
DAY = Table("area_day", ("area", "day"), ("choices", "voters"), frozenset({"choices", "voters"}))
SEALED = sealed_table("area_sealed")
ROLL_DAY = Table("area_roll_day", ("area", "day"), ("change",), frozenset({"change"}))
FIGURES_OF = Table("area_figures", ("area", "scope"), FIGURES, frozenset(FIGURES))
"""`scope`: `own` for what the area itself asked, `all` for that and what was asked anywhere below it."""

ASKED = asked_table("area_asked")
PROMISE = promise_table("area_promise")
RESULT = Table(
    "area_result",
    ("area", "position"),
    ("question", "kind", "time", "document"),
    frozenset({"position"}),
)
REQUEST = Table("area_request", ("request",), ("area", "service", "stage"))
REQUESTS = Table(
    "area_requests", ("area", "service", "stage"), ("requests",), frozenset({"requests"})
)

_MarksByArea = defaultdict[tuple[str, str], MarkCounts]


class AreaProjection(Projection):
    name = "area"
    version = 2
    tables = (
        AREA,
        ROLL,
        ROLL_DAY,
        QUESTION,
        OPTION,
        DAY,
        SEALED,
        FIGURES_OF,
        ASKED,
        PROMISE,
        RESULT,
        REQUEST,
        REQUESTS,
    )

    def __init__(self) -> None:
        self._sealed = SealedAnswers(SEALED)
        self._course = Course(ASKED, PROMISE)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        batch = _Batch()
        for one in events:
            match one.event:
                case ChoiceMade() | ChoiceChanged() | ChoiceWithdrawn() | ChoiceLapsed() as choice:
                    if batch.choices.choice(choice, one.day):
                        self._sealed.keep(rows, choice)
                case CitizenRegistered() as registered:
                    batch.lives(registered.home, one.day, 1)
                case CitizenMoved() as moved:
                    if moved.origin is not None:
                        batch.lives(moved.origin, one.day, -1)
                    batch.lives(moved.home, one.day, 1)
                case CitizenJoined() as joined:
                    _belongs(rows, joined.area, one.day, 1)
                case CitizenLeft() as left:
                    _left(rows, batch, left.area, one.day)
                case AreaDefined() | AreaAmended() | AreaRetired() as changed:
                    _area(rows, changed)
                case QuestionUnsealed() as unsealed:
                    answers = self._sealed.open(rows, unsealed.question, unsealed.key)
                    batch.choices.unsealed(unsealed.question, answers, one.day)
                case (
                    QuestionOpened()
                    | QuestionAmended()
                    | QuestionClosed()
                    | DecisionRecorded()
                    | OutcomeReported()
                ):
                    self._follow(rows, one)
                case RequestMade() as made:
                    rows.put(REQUEST, (made.request,), made.area, made.service, "made")
                    _requests(rows, made.area, made.service, "made", 1)
                case event if isinstance(event, REQUEST_EVENTS) and event.stage is not None:
                    _stage(rows, event.request, event.stage)
        batch.roll_up(rows)

    def _follow(self, rows: Rows, one: Folded) -> None:
        for step in self._course.follow(one, rows):
            changes = step.changes()
            rows.add(FIGURES_OF, (step.area, "own"), *changes)
            for level in ancestry(step.area):
                rows.add(FIGURES_OF, (level, "all"), *changes)
        match one.event:
            case DecisionRecorded() as decision:
                self._result(rows, one, "decision", decision)
            case OutcomeReported() as outcome:
                self._result(rows, one, "outcome", outcome)

    def _result(
        self, rows: Rows, one: Folded, kind: str, event: DecisionRecorded | OutcomeReported
    ) -> None:
        area = self._course.asked(rows, event.question).area
        document = canonical(event.model_dump(exclude_none=True, exclude={"question"}))
        rows.put(RESULT, (area, one.position), event.question, kind, one.time, document)


class _Batch:
    """The changes to the smallest areas, which are carried up through the levels once for the whole batch."""

    def __init__(self) -> None:
        self._residents: Counter[tuple[str, str]] = Counter()
        self.choices: ChangesByPlace[str] = ChangesByPlace()
        """By question, area and day."""

    def lives(self, area: str, day: str, change: int) -> None:
        self._residents[area, day] += change

    def roll_up(self, rows: Rows) -> None:
        for (area, day), residents in self._residents.items():
            for level in ancestry(area):
                _belongs(rows, level, day, residents)
        marks: defaultdict[int, _MarksByArea] = defaultdict(_marks_by_area)
        for (question, area, day), changes in self.choices.items():
            voters, levels = changes.voters, ancestry(area)
            for level in levels if changes.by_choices else ():
                rows.add(QUESTION, (level, question), voters)
                rows.add(DAY, (level, day), sum(changes.kinds), voters)
            marks[len(levels)][area, question].update(changes.marks)
        _roll_up_marks(marks, rows)


def _marks_by_area() -> _MarksByArea:
    return defaultdict(MarkCounts)


def _roll_up_marks(marks: defaultdict[int, _MarksByArea], rows: Rows) -> None:
    """Level by level from the deepest: what areas have in common is added up before it meets their parent."""
    for level in range(max(marks, default=0), 0, -1):
        for (area, question), counts in marks[level].items():
            for (option, mark), count in counts.items():
                rows.add(OPTION, (area, question, option), count, count * mark)
            if level > 1:
                marks[level - 1][ancestry(area)[1], question].update(counts)


def _area(rows: Rows, event: AreaDefined | AreaAmended | AreaRetired) -> None:
    if isinstance(event, AreaDefined):
        chain = ancestry(event.area)
        parent = chain[1] if len(chain) > 1 else None
        rows.put(AREA, (event.area,), parent, event.name, event.kind, 0, 0)
        return
    row = rows.get(AREA, (event.area,))
    if row is None:
        raise LookupError(f"the area {event.area!r} was never defined")
    parent_, name, kind, publishable, retired = row
    if isinstance(event, AreaRetired):
        retired = 1
    else:
        name = event.name or name
        publishable = publishable if event.publishable is None else int(event.publishable)
    rows.put(AREA, (event.area,), parent_, name, kind, publishable, retired)


def _belongs(rows: Rows, area: str, day: str, change: int) -> None:
    rows.add(ROLL, (area,), change)
    rows.add(ROLL_DAY, (area, day), change)


def _left(rows: Rows, batch: _Batch, area: str, day: str) -> None:
    row = rows.get(AREA, (area,))
    if row is not None and row[2] == "community":
        _belongs(rows, area, day, -1)
    else:
        batch.lives(area, day, -1)


def _stage(rows: Rows, request: str, stage: str) -> None:
    row = rows.get(REQUEST, (request,))
    if row is None:
        raise LookupError(f"the request {request!r} was never made")
    area, service, before = map(str, row)
    rows.put(REQUEST, (request,), area, service, stage)
    _requests(rows, area, service, before, -1)
    _requests(rows, area, service, stage, 1)


def _requests(rows: Rows, area: str, service: str, stage: str, change: int) -> None:
    for level in ancestry(area):
        rows.add(REQUESTS, (level, service, stage), change)
