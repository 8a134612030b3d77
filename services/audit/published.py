"""What the ledger publishes as its results (`/api/v1`, or a folder of such documents), set beside our own count.

Every document says for which position it stands; it is compared when the rules have come exactly that far.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from services.audit.counting import AreaCount
from services.audit.findings import Findings, Kind
from services.audit.rules.rulebook import Rulebook
from services.audit.source import CannotRead, open_source
from services.audit.tallies import Tallies

API = "api/v1/"


class Document(NamedTuple):
    """One published document: `tally`, `question` or `area`, and the address below the place where it was read."""

    kind: str
    content: dict[str, Any]
    file: str

    @property
    def position(self) -> int:
        return int(self.content["position"])


def read_published(place: str) -> list[Document]:
    """All results: tallies.json, questions and each question, areas and each area, as far as they are there.

    In a folder the names end in `.json`. Raises `CannotRead` where there are none, or they are not such documents.
    """
    is_web = "://" in place
    under = API if is_web and API.strip("/") not in urlsplit(place).path else ""
    source, ending = open_source(place), "" if is_web else ".json"

    def get(path: str) -> Any:
        data = source.read(path)
        try:
            return None if data is None else orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise CannotRead(f"{place}: {path} is not JSON: {error}") from None

    found = []
    try:
        tallies = get(f"{under}tallies.json") or []
        for one in tallies if isinstance(tallies, list) else tallies["tallies"]:
            found.append(Document("tally", one, "tallies.json"))
        for kind in ("question", "area"):
            listed = get(f"{under}{kind}s{ending}") or {}
            for one in listed.get(f"{kind}s", ()):
                file = f"{under}{kind}s/{one[kind]}{ending}"
                if content := get(file):
                    found.append(Document(kind, content, file))
        positions = [one.position for one in found]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise CannotRead(f"{place} does not hold results as the ledger publishes them") from None
    if not positions:
        raise CannotRead(
            f"there are no published results at {place}: no tallies.json, no questions"
        )
    return found


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
        shown = {one["question"]: one for one in view["questions"]}
        for name, one in shown.items():
            ours = self._count(name, id_)
            self._same(document, f"voters of {name!r} in {id_!r}", one["voters"], ours.voters)
            for option in one["options"]:
                marks = [(m, n) for (o, m), n in ours.cells.items() if o == option["id"]]
                of = f"option {option['id']!r} of {name!r} in {id_!r}"
                count, total = sum(n for _, n in marks), sum(m * n for m, n in marks)
                self._same(document, f"choices of {of}", option["count"], count)
                self._same(document, f"sum of {of}", option["total"], total)
        for name in self._rulebook.questions.by_id.keys() - shown.keys():
            if voters := self._count(name, id_).voters:
                self._same(document, f"voters of {name!r} in {id_!r}", None, voters)
        requests = {(r["service"], r["stage"]): r["requests"] for r in view["requests"]}
        self._same(document, f"requests in {id_!r}", requests, self._requests(id_))

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


def by_position(documents: list[Document]) -> Iterator[tuple[int, list[Document]]]:
    """The positions at which there is something to compare, from the first on."""
    for position in sorted({one.position for one in documents}):
        yield position, [one for one in documents if one.position == position]


def _stage(closed: bool) -> str:
    return "closed" if closed else "open"


def _told(value: Any) -> str:
    return f"{value:,}" if type(value) is int else str(value)
