"""One question, the answers to it, and how many people in which area gave them."""

from typing import Any

from services.audit.counting import Answers, AreaCount, Job
from services.audit.decisions import Decided
from services.audit.held import Held, Past
from services.audit.parallel import Later
from services.audit.rules.places import Area

NEVER = ""
"""A time before all others: the end of a question that is closed."""

FOREVER = "~"
"""A time after all others."""


class Cell:
    """The voters of one area on one question, and what it takes to compare them with the roll."""

    __slots__ = ("area", "departures", "lapsed", "voters")

    def __init__(self, area: Area) -> None:
        self.area = area
        self.voters = 0
        self.lapsed = 0
        self.departures = area.departures
        """How often somebody had left the area when the question first met it."""

    @property
    def most(self) -> int:
        """The most voters that there can be: the roll, and those who left it and whose choices have not lapsed.

        A choice lapses after its citizen left, by a decision of its own (docs/decisions/0005), or never where
        the question has closed in between. Nobody leaves twice on account of one choice.
        """
        return self.area.roll + self.area.departures - self.departures - self.lapsed


class Place:
    """Where answers to a question come from: one area."""

    __slots__ = ("answers", "area", "cells", "is_electorate")

    def __init__(self, area: Area, cells: tuple[Cell, ...]) -> None:
        self.area = area
        self.cells = cells
        """Of the area and of those above it, up to the electorate."""
        self.is_electorate = len(cells) == 1
        self.answers: dict[str, Answer] = {}
        """By their marks."""


class Answer:
    """One answer as any number of voters give it: since the start of this audit, `count` more than before."""

    __slots__ = ("area", "cells", "count", "first", "marks")

    def __init__(self, place: Place, marks: str, first: int) -> None:
        self.area = place.area.id
        self.cells = place.cells
        self.marks = marks
        """As they are written; sealed ones begin with a quotation mark."""
        self.first = first
        """The position where it was first given in this audit; 0 if that was before."""
        self.count = 0

    def is_(self, answer: tuple[str, str]) -> bool:
        return self.marks == answer[1] and self.area == answer[0]


class Question:
    """One question as it stands."""

    __slots__ = (
        "asked", "base", "cells", "chosen", "counted", "decided", "electorate", "full",
        "key", "name", "opens", "places", "standing", "until",
    )  # fmt: skip

    def __init__(self, name: str, electorate: Area, past: Past) -> None:
        self.name = name
        self.electorate = electorate
        self.asked: dict[str, Any] = {}
        self.opens = self.until = NEVER
        self.key: str | None = None
        self.chosen = False
        """Whether anybody ever has."""
        self.decided: list[str] | None = None
        self.standing: Held[Answer] = past.held(f"choice/{name}", self.recall)
        self.places: dict[str, Place] = {}
        self.cells: dict[Area, Cell] = {}
        self.base: dict[str, AreaCount] = {}
        """The count of an earlier audit, to which this one adds its changes."""
        self.counted: Later[Decided] | None = None
        """What a decision after the close was taken again on: nothing has changed in the count since."""
        self.full = False
        """Whether all must be counted anew, since the earlier audit could not read the marks."""

    @property
    def closed(self) -> bool:
        return self.until == NEVER

    @property
    def sealed(self) -> bool:
        """Whether nobody can count yet."""
        return "seal" in self.asked and self.key is None

    def put(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.opens = asked["opens"]
        self.until = asked.get("closes", FOREVER)

    def place(self, area: Area) -> Place:
        """The area as one from where people answer; it lies in the electorate."""
        at = area.chain.index(self.electorate)
        cells = tuple(self.cells.setdefault(one, Cell(one)) for one in area.chain[: at + 1])
        found = self.places[area.id] = Place(area, cells)
        return found

    def recall(self, kept: bytes) -> Answer:
        """The answer that a voter had given before this audit."""
        area_id, _, marks = kept.decode().partition("\n")
        area = next(one for one in self.cells if one.id == area_id)
        place = self.places.get(area.id) or self.place(area)
        return place.answers.get(marks) or place.answers.setdefault(marks, Answer(place, marks, 0))

    def job(self, past: Past, *, whole: bool = False) -> Job:
        """What is to be counted: the changes of this audit; or, with `whole`, all standing answers.

        Answers that nobody stands by any more are among them, so that they are judged too.
        """
        answers = [
            Answers(area, "\n".join(place.answers), [one.count for one in place.answers.values()])
            for area, place in self.places.items()
            if place.answers
        ]
        if whole or self.full:
            before: dict[str, tuple[list[str], list[int]]] = {}
            for kept, number in past.counted(self.standing.space):
                area, _, text = kept.decode().partition("\n")
                marks, numbers = before.setdefault(area, ([], []))
                marks.append(text)
                numbers.append(number)
            answers += [
                Answers(area, "\n".join(one), numbers) for area, (one, numbers) in before.items()
            ]
        asked = self.asked
        costs = {option["id"]: option.get("cost") for option in asked["options"]}
        return Job(self.name, asked["method"], costs, "seal" in asked, self.key, answers)


def kept(answer: Answer) -> bytes:
    """What a state file keeps of it; `Question.recall` is the inverse."""
    return f"{answer.area}\n{answer.marks}".encode()
