"""The count of every question in every area, as far as the rules have come."""

from collections.abc import Mapping
from itertools import chain

from services.audit.counting import AreaCount, Counted, Job
from services.audit.findings import Findings, Kind
from services.audit.recount import DuckDBRecount, Recount
from services.audit.rules.asked import Question
from services.audit.rules.rulebook import Rulebook

Counts = dict[str, dict[str, AreaCount]]
"""Question → area → the count of those who answered from there, without the areas below it."""


class Tallies:
    """Counts when asked, and remembers the last count."""

    def __init__(self, rulebook: Rulebook, recount: Recount, findings: Findings) -> None:
        self._rulebook = rulebook
        self._recount = recount
        self._findings = findings
        self._told: set[tuple[str, str, str]] = set()
        self._last: tuple[int, Counts] | None = None
        self._rolled_up: Counts | None = None
        if isinstance(recount, DuckDBRecount):
            rulebook.choices.tell = recount.tell

    def counts(self) -> Counts:
        """The counts at the rulebook's position. Answers that are not legal are found, and do not count."""
        position = self._rulebook.position
        if self._last is not None and self._last[0] == position:
            return self._last[1]
        questions = self._rulebook.questions.by_id
        counts: Counts = {name: _start(one) for name, one in questions.items()}
        past = self._rulebook.past
        counted = list[tuple[str, Counted]]()
        jobs = list[Job]()
        for name, one in questions.items():
            if one.counted is not None and not isinstance(self._recount, DuckDBRecount):
                counts[name] = {}
                counted.append((name, one.counted.get().counted))
            elif one.places or one.full:
                jobs.append(one.job(past))
        for name, found in chain(counted, self._recount.count(jobs)):
            for area, count in found.areas.items():
                counts[name].setdefault(area, AreaCount()).add(count)
            for answer in found.illegal:
                self._tell(questions[name], *answer)
        self._last, self._rolled_up = (position, counts), None
        return counts

    def rolled_up(self) -> Counts:
        """The same, each area with all areas below it, up to the topmost."""
        counts = self.counts()
        if self._rolled_up is None:
            self._rolled_up = {name: _rolled_up(one) for name, one in counts.items()}
        return self._rolled_up

    def _tell(self, question: Question, area: str, marks: str, why: str) -> None:
        if (question.name, area, marks) in self._told:
            return
        self._told.add((question.name, area, marks))
        place = question.places.get(area)
        answer = None if place is None else place.answers.get(marks)
        at = answer.first if answer is not None and answer.first else None
        others = answer.count - 1 if answer is not None else 0
        found = why + (f" ({others:,} more voters have the same marks)" if others > 0 else "")
        kind = Kind.SEAL if "open with" in why else Kind.MARKS
        self._findings.add(kind, at, found, f"a legal answer to {question.name!r}")


def _start(question: Question) -> dict[str, AreaCount]:
    """What an earlier audit had counted; nothing, where all is counted anew."""
    found: dict[str, AreaCount] = {}
    if not question.full:
        for area, count in question.base.items():
            found.setdefault(area, AreaCount()).add(count)
    return found


def _rolled_up(counts: Mapping[str, AreaCount]) -> dict[str, AreaCount]:
    found: dict[str, AreaCount] = {}
    for area, count in counts.items():
        above = area
        while above:
            found.setdefault(above, AreaCount()).add(count)
            above = above.rpartition("/")[0]
    return found
