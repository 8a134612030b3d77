"""The area model: roll, choices, decisions, outcomes and requests of every area, rolled up through the levels."""

from collections import Counter
from collections.abc import Sequence

from ledger.domain.areas import AreaAmended, AreaDefined, AreaRetired
from ledger.domain.choices import (
    Answer,
    ChoiceChanged,
    ChoiceEvent,
    ChoiceLapsed,
    ChoiceMade,
    ChoiceWithdrawn,
)
from ledger.domain.event import ancestry
from ledger.domain.outcomes import DecisionRecorded, OutcomeReported
from ledger.domain.questions import QuestionOpened, QuestionUnsealed
from ledger.domain.requests import REQUEST_EVENTS, RequestMade
from ledger.domain.roll import CitizenJoined, CitizenLeft, CitizenMoved, CitizenRegistered
from projections.counting import SealedAnswers, canonical, recounted, sealed_table
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
ASKED = Table("area_asked", ("question",), ("area",))
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

_Cell = tuple[str, str, str, int]


class AreaProjection(Projection):
    name = "area"
    version = 1
    tables = (AREA, ROLL, QUESTION, OPTION, DAY, SEALED, ASKED, RESULT, REQUEST, REQUESTS)

    def __init__(self) -> None:
        self._sealed = SealedAnswers(SEALED)

    def fold(self, events: Sequence[Folded], rows: Rows) -> None:
        batch = _Batch()
        for one in events:
            match one.event:
                case ChoiceMade() | ChoiceChanged() | ChoiceWithdrawn() | ChoiceLapsed() as choice:
                    if batch.choice(choice, one.day):
                        self._sealed.keep(rows, choice)
                case CitizenRegistered() as registered:
                    batch.lives(registered.home, 1)
                case CitizenMoved() as moved:
                    if moved.origin is not None:
                        batch.lives(moved.origin, -1)
                    batch.lives(moved.home, 1)
                case CitizenJoined() as joined:
                    rows.add(ROLL, (joined.area,), 1)
                case CitizenLeft() as left:
                    self._left(rows, batch, left)
                case AreaDefined() | AreaAmended() | AreaRetired() as changed:
                    _area(rows, changed)
                case QuestionOpened() as opened:
                    rows.put(ASKED, (opened.question,), opened.area)
                case QuestionUnsealed() as unsealed:
                    for answer in self._sealed.open(rows, unsealed.question, unsealed.key):
                        batch.answer(unsealed.question, answer, 1)
                case DecisionRecorded() as decision:
                    _result(rows, one, decision.question, "decision", decision)
                case OutcomeReported() as outcome:
                    _result(rows, one, outcome.question, "outcome", outcome)
                case RequestMade() as made:
                    rows.put(REQUEST, (made.request,), made.area, made.service, "made")
                    _requests(rows, made.area, made.service, "made", 1)
                case event if isinstance(event, REQUEST_EVENTS) and event.stage is not None:
                    _stage(rows, event.request, event.stage)
        batch.roll_up(rows)

    def _left(self, rows: Rows, batch: "_Batch", left: CitizenLeft) -> None:
        row = rows.get(AREA, (left.area,))
        if row is not None and row[2] == "community":
            rows.add(ROLL, (left.area,), -1)
        else:
            batch.lives(left.area, -1)


class _Batch:
    """The changes to the smallest areas, which are carried up through the levels once for the whole batch."""

    def __init__(self) -> None:
        self._residents: Counter[str] = Counter()
        self._voters: Counter[tuple[str, str]] = Counter()
        self._cells: Counter[_Cell] = Counter()
        self._days: Counter[tuple[str, str]] = Counter()
        self._day_voters: Counter[tuple[str, str]] = Counter()

    def lives(self, area: str, change: int) -> None:
        self._residents[area] += change

    def choice(self, choice: ChoiceEvent, day: str) -> bool:
        """Count a choice. Whether its marks are sealed."""
        sealed = False
        for answer, change in recounted(choice):
            area = answer.area
            self._voters[area, choice.question] += change
            self._day_voters[area, day] += change
            if answer.marks is None:
                sealed = True
            else:
                self.answer(choice.question, answer, change)
        self._days[area, day] += 1
        return sealed

    def answer(self, question: str, answer: Answer, change: int) -> None:
        assert answer.marks is not None
        area, cells = answer.area, self._cells
        for option, mark in answer.marks.items():
            cells[area, question, option, mark] += change

    def roll_up(self, rows: Rows) -> None:
        for area, residents in self._residents.items():
            for level in ancestry(area):
                rows.add(ROLL, (level,), residents)
        for (area, question), voters in self._voters.items():
            for level in ancestry(area):
                rows.add(QUESTION, (level, question), voters)
        for (area, question, option, mark), count in self._cells.items():
            for level in ancestry(area):
                rows.add(OPTION, (level, question, option), count, count * mark)
        for (area, day), choices in self._days.items():
            for level in ancestry(area):
                rows.add(DAY, (level, day), choices, 0)
        for (area, day), voters in self._day_voters.items():
            for level in ancestry(area):
                rows.add(DAY, (level, day), 0, voters)


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


def _result(
    rows: Rows, one: Folded, question: str, kind: str, event: DecisionRecorded | OutcomeReported
) -> None:
    row = rows.get(ASKED, (question,))
    if row is None:
        raise LookupError(f"the question {question!r} was never opened")
    document = canonical(event.model_dump(exclude_none=True, exclude={"question"}))
    rows.put(RESULT, (row[0], one.position), question, kind, one.time, document)


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
