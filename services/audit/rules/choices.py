"""Choices: one standing answer to a question for each voter, and no more voters than people."""

from collections.abc import Callable

from services.audit.findings import Findings, Kind
from services.audit.form import LAPSED, MADE, Row
from services.audit.rules.asked import FOREVER, Answer, Cell, Place, Question
from services.audit.rules.places import Places
from services.audit.rules.questions import Questions

Change = Callable[[str, str, str, int], None]
"""(question, area, marks, ±1): what an event adds to the count or takes from it."""


class Choices:
    """Follows the standing choice of every voter. This is where most of an audit's time goes."""

    def __init__(self, findings: Findings, places: Places, questions: Questions) -> None:
        self._findings = findings
        self._places = places
        self._questions = questions.by_id
        self._unknown = questions.known
        self.tell: Change | None = None
        """Told of each change to the count, where somebody counts by them."""

    def apply(self, at: int, row: Row) -> None:
        kind, time, name, voter, given, previous = row
        question = self._questions.get(name)
        if question is None:
            self._unknown(at, name)
            return
        if not question.opens <= time < question.until:
            self._not_open(at, time, question)
            return
        stands: Answer | None = question.standing.get(voter)
        if kind == MADE:
            if stands is not None:
                self._find(
                    Kind.SECOND_CHOICE, at, "a first choice", "a change of the one that stands"
                )
                return
        elif stands is None or not stands.is_(previous):
            found = "no choice stood" if stands is None else "another choice stood"
            self._find(Kind.PREVIOUS, at, found, "the choice that it says it replaces or ends")
            return
        answer: Answer | None = None
        if given is not None:
            area, marks = given
            place = question.places.get(area) or self._place(at, question, area)
            if place is None:
                return
            if not place.is_electorate and not place.area.publishable:
                found = f"the area {area!r}, which is not publishable"
                self._find(Kind.CHOICE_AREA, at, found, "the smallest area with enough people")
                return
            answer = place.answers.get(marks) or self._answer(at, question, place, marks)
            if answer is None:
                return
            question.chosen = True
        question.standing[voter] = answer
        tell = self.tell
        if stands is not None:
            stands.count -= 1
            for cell in stands.cells:
                cell.voters -= 1
                cell.lapsed += kind == LAPSED
            if tell is not None:
                tell(name, stands.area, stands.marks, -1)
        if answer is not None:
            answer.count += 1
            for cell in answer.cells:
                cell.voters += 1
                if cell.voters > cell.area.roll and cell.voters > cell.most:
                    self._too_many(at, stands, cell)
            if tell is not None:
                tell(name, area, marks, 1)

    def _place(self, at: int, question: Question, area_id: str) -> Place | None:
        area = self._places.by_id.get(area_id)
        if area is None or question.electorate not in area.chain:
            found = f"the area {area_id!r}"
            self._find(Kind.CHOICE_AREA, at, found, f"an area in {question.electorate.id!r}")
            return None
        return question.place(area)

    def _answer(self, at: int, question: Question, place: Place, marks: str) -> Answer | None:
        """An answer that nobody gave before. Its marks are judged when they are counted."""
        if marks.startswith('"') != ("seal" in question.asked):
            expected = "sealed" if "seal" in question.asked else "open"
            self._find(Kind.MARKS, at, "marks that are not as the question said", expected)
            return None
        found = place.answers[marks] = Answer(place, marks, at)
        return found

    def _not_open(self, at: int, time: str, question: Question) -> None:
        found = f"a choice on {time}"
        if question.closed:
            found += ", after the question was closed"
        until = question.asked.get("closes", FOREVER)
        end = "until it is closed" if until == FOREVER else f"before {until}"
        self._find(Kind.NOT_OPEN, at, found, f"from {question.opens} on, {end}")

    def _too_many(self, at: int, stands: Answer | None, cell: Cell) -> None:
        if stands is not None and cell in stands.cells:
            return  # as many as before, and told then
        found = f"{cell.voters:,} voters of {cell.area.id!r}"
        self._find(
            Kind.MORE_VOTERS, at, found, f"at most {cell.most:,}, as many as are on its roll"
        )

    def _find(self, kind: Kind, at: int, found: str, expected: str) -> None:
        self._findings.add(kind, at, found, expected)
