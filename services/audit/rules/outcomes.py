"""Decisions and outcomes: what was decided follows from the count, and what was done follows from a decision."""

from typing import Any

from services.audit.decisions import Decided, Given, decide
from services.audit.findings import Findings, Kind
from services.audit.held import Past
from services.audit.parallel import Later, Workers
from services.audit.rules.asked import Question
from services.audit.rules.places import Data
from services.audit.rules.questions import Questions
from services.audit.rules.references import References


class Outcomes:
    """Takes each decision again, in the background, and compares at the end."""

    def __init__(
        self,
        findings: Findings,
        past: Past,
        questions: Questions,
        references: References,
        workers: Workers,
    ) -> None:
        self._findings = findings
        self._past = past
        self._questions = questions
        self._references = references
        self._workers = workers
        self._waiting: list[tuple[int, Data, Later[Decided]]] = []
        self.decisions = 0
        self.unchecked: dict[int, str] = {}
        """Decisions that could not be taken again: position → why."""

    def recorded(self, at: int, data: Data) -> None:
        question = self._questions.known(at, data["question"])
        if question is None:
            return
        self.decisions += 1
        asked = question.asked
        if "by" in data:
            self._references.known(at, "organisation", data["by"])
        self._stage(at, question)
        if data.get("rule") != asked.get("rule"):
            found = "a decision by another rule"
            self._find(Kind.DECISION, at, found, "the rule that the question named beforehand")
        elif question.sealed:
            pass  # nobody can count yet, and `_stage` has said so
        elif "rule" in asked:
            job = question.job(self._past, whole=True)
            given = Given(job, asked["rule"], question.electorate.roll)
            later = self._workers.do(decide, given)
            self._waiting.append((at, data, later))
            question.counted = later if question.closed else None
        else:
            self._without_rule(at, question, data)
        question.decided = list(data["adopted"])

    def reported(self, at: int, data: Data) -> None:
        question = self._questions.known(at, data["question"])
        if question is None:
            return
        if "by" in data:
            self._references.known(at, "organisation", data["by"])
        if question.decided is None:
            self._find(Kind.OUTCOME, at, "an outcome before any decision", "a decision first")
        elif data["option"] not in question.decided:
            found = f"an outcome of {data['option']!r}"
            self._find(Kind.OUTCOME, at, found, "an option that was adopted")

    def compare(self) -> None:
        """Wait for what was decided again, and compare."""
        for at, data, later in self._waiting:
            again = later.get()
            if data["voters"] != again.voters:
                found = f"a decision on {data['voters']:,} voters"
                self._find(Kind.DECISION, at, found, f"{again.voters:,} voters, by our count")
            if again.missing is not None:
                self.unchecked[at] = again.missing
            elif data["adopted"] != again.adopted or data["tied"] != again.tied:
                found, expected = (
                    _told(data["adopted"], data["tied"]),
                    _told(again.adopted, again.tied),
                )
                self._find(Kind.DECISION, at, found, f"by the rule: {expected}")
        self._waiting.clear()

    def _stage(self, at: int, question: Question) -> None:
        if not question.closed and "closes" in question.asked:
            expected = f"a decision after the close, on {question.asked['closes']} or later"
            self._find(Kind.DECISION, at, "a decision while people may choose", expected)
        if question.sealed:
            self._find(Kind.DECISION, at, "a decision on sealed choices", "an unsealed question")
        if question.closed and question.decided is not None:
            self._find(Kind.DECISION, at, "a second decision after the close", "one decision")

    def _without_rule(self, at: int, question: Question, data: Data) -> None:
        unknown = set(data["adopted"]) - {option["id"] for option in question.asked["options"]}
        if unknown:
            found = f"{min(unknown)!r} is adopted"
            self._find(Kind.DECISION, at, found, "an option of the question")
        voters = sum(
            cell.voters for cell in question.cells.values() if cell.area is question.electorate
        )
        if data["voters"] != voters:
            found = f"a decision on {data['voters']:,} voters"
            self._find(Kind.DECISION, at, found, f"{voters:,} voters, by our count")

    def _find(self, kind: Kind, at: int, found: str, expected: str) -> None:
        self._findings.add(kind, at, found, expected)


def _told(adopted: list[Any], tied: list[Any]) -> str:
    told = f"{len(adopted)} adopted ({', '.join(map(str, adopted)) or 'none'})"
    return told if not tied else f"{told}, {len(tied)} tied ({', '.join(map(str, tied))})"
