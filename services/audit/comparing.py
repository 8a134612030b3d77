"""Published results, set beside our own count when the rules have come exactly as far as they stand for."""

from collections.abc import Mapping
from typing import Any

from services.audit.counting import AreaCount
from services.audit.findings import Findings, Kind
from services.audit.published import Document
from services.audit.rules.rulebook import Rulebook
from services.audit.tallies import Tallies


class Comparison:
    """Compares documents with what the rulebook and the count have come to."""

    def __init__(self, rulebook: Rulebook, tallies: Tallies, findings: Findings) -> None:
        self._rulebook = rulebook
        self._tallies = tallies
        self._findings = findings
        self.compared = 0
        """Documents."""
        self.figures = 0
        """Single figures in them."""

    def compare(self, document: Document) -> None:
        self.compared += 1
        content = document.content
        try:
            match document.kind:
                case "tally":
                    self._tally(document, content)
                case "question":
                    self._question(document, content)
                case "area":
                    self._area(document, content)
                case "area-questions":
                    self._area_questions(document, content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found = f"a document of another form ({type(error).__name__}: {error})"
            self._find(document, found, "the form of /api/v1")

    def _tally(self, document: Document, tally: Mapping[str, Any]) -> None:
        name, area = tally["question"], tally["area"]
        question = self._rulebook.questions.by_id.get(name)
        if question is None or question.sealed:
            why = "does not exist" if question is None else "is sealed"
            self._find(document, f"a count of {name!r}, which {why}", "no count")
            return
        ours = self._count(name, area)
        what = f"{name!r} in {area!r}"
        self._same(document, f"voters of {what}", tally["voters"], ours.voters)
        options = {one["id"]: one for one in tally["options"]}
        if options.keys() != {one["id"] for one in question.asked["options"]}:
            self._find(document, f"other options of {what}", "the question's options")
        for id_, one in options.items():
            marks = {mark: n for (option, mark), n in ours.cells.items() if option == id_ and n}
            of = f"option {id_!r} of {what}"
            self._same(document, f"choices of {of}", one["count"], sum(marks.values()))
            self._same(document, f"sum of {of}", one["total"], sum(m * n for m, n in marks.items()))
            published = {int(mark): n for mark, n in one.get("by_mark", {}).items()}
            if "by_mark" in one:
                self._same(document, f"marks of {of}", published, dict(sorted(marks.items())))

    def _question(self, document: Document, view: Mapping[str, Any]) -> None:
        name = view["question"]
        question = self._rulebook.questions.by_id.get(name)
        if question is None:
            self._find(document, f"the question {name!r}", "a question of the log")
            return
        electorate = question.electorate
        voters = self._count(name, electorate.id).voters
        self._same(document, f"voters of {name!r}", view["voters"], voters)
        self._same(document, f"roll of {electorate.id!r}", view["roll"], electorate.roll)
        self._same(document, f"stage of {name!r}", view["stage"], _stage(question.closed))
        if view["tally"] is not None:
            self._tally(document, view["tally"])
        decision = view["decision"]
        adopted = None if decision is None else decision["adopted"]
        self._same(document, f"decision on {name!r}", adopted, question.decided)

    def _area(self, document: Document, view: Mapping[str, Any]) -> None:
        id_ = view["area"]
        area = self._rulebook.places.by_id.get(id_)
        if area is None:
            self._find(document, f"the area {id_!r}", "an area of the log")
            return
        self._same(document, f"roll of {id_!r}", view["roll"], area.roll)
        self._questions(document, id_, view["questions"])
        requests = {(r["service"], r["stage"]): r["requests"] for r in view["requests"]}
        self._same(document, f"requests in {id_!r}", requests, self._requests(id_))

    def _area_questions(self, document: Document, listed: Mapping[str, Any]) -> None:
        area = listed["area"]
        shown = self._questions(document, area, listed["items"])
        if not document.whole:
            return
        for name in self._rulebook.questions.by_id.keys() - shown:
            if voters := self._count(name, area).voters:
                self._same(document, f"voters of {name!r} in {area!r}", None, voters)

    def _questions(self, document: Document, area: str, shown: list[dict[str, Any]]) -> set[str]:
        for one in shown:
            name = one["question"]
            ours = self._count(name, area)
            self._same(document, f"voters of {name!r} in {area!r}", one["voters"], ours.voters)
            for option in one["options"]:
                marks = [(m, n) for (o, m), n in ours.cells.items() if o == option["id"]]
                of = f"option {option['id']!r} of {name!r} in {area!r}"
                count, total = sum(n for _, n in marks), sum(m * n for m, n in marks)
                self._same(document, f"choices of {of}", option["count"], count)
                self._same(document, f"sum of {of}", option["total"], total)
        return {one["question"] for one in shown}

    def _requests(self, area: str) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for (at, service, stage), number in self._rulebook.services.counts.items():
            if (at + "/").startswith(area + "/"):
                found[service, stage] = found.get((service, stage), 0) + number
        return {key: number for key, number in found.items() if number}

    def _count(self, question: str, area: str) -> AreaCount:
        counts = self._tallies.rolled_up().get(question, {})
        return counts.get(area, AreaCount())

    def _same(self, document: Document, what: str, published: Any, ours: Any) -> None:
        self.figures += 1
        if published != ours:
            self._find(document, f"{what}: {_told(published)}", f"{_told(ours)}, by our count")

    def _find(self, document: Document, found: str, expected: str) -> None:
        at = self._rulebook.position
        self._findings.add(Kind.TALLY, at, found, expected, file=document.file)


def _stage(closed: bool) -> str:
    return "closed" if closed else "open"


def _told(value: Any) -> str:
    return f"{value:,}" if type(value) is int else str(value)
