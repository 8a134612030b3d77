"""What the ledger publishes as its results: the answers of `/api/v1`, or a folder of such documents.

Every document says for which position it stands. In a folder: `tallies.json` (as `civic-ledger export tallies --format
json` writes it), `questions.json` with `questions/ID.json`, `areas.json` with `areas/ID.json` and
`areas/ID/questions.json`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from services.audit.source import CannotRead, open_source

API = "api/v1/"

PAGE = 1_000
"""Items of a list that are asked for in one go."""


class Document(NamedTuple):
    """One published document: `tally`, `question`, `area` or `area-questions`, and where it was read."""

    kind: str
    content: dict[str, Any]
    file: str
    whole: bool = True
    """Whether a list holds all that there are."""

    @property
    def position(self) -> int:
        return int(self.content["position"])


def read_published(place: str) -> list[Document]:
    """All results, as far as they are there. Raises `CannotRead` where there are none, or nothing of the kind."""
    reader = _Reader(place)
    try:
        found = [*reader.tallies(), *reader.questions(), *reader.areas()]
        positions = [one.position for one in found]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise CannotRead(f"{place} does not hold results as the ledger publishes them") from None
    if not positions:
        raise CannotRead(
            f"there are no published results at {place}: no tallies.json, no questions"
        )
    return found


class _Reader:
    def __init__(self, place: str) -> None:
        self._place = place
        self._source = open_source(place)
        is_web = "://" in place
        self._under = API if is_web and API.strip("/") not in urlsplit(place).path else ""
        self._ending = "" if is_web else ".json"

    def tallies(self) -> Iterator[Document]:
        file = f"{self._under}tallies.json"
        tallies = self._get(file) or []
        for one in tallies if isinstance(tallies, list) else tallies["tallies"]:
            yield Document("tally", one, file)

    def questions(self) -> Iterator[Document]:
        for page in self._pages("questions"):
            for one in page["items"]:
                yield from self._one("question", f"questions/{one['question']}")

    def areas(self) -> Iterator[Document]:
        for page in self._pages("areas"):
            for one in page["items"]:
                path = f"areas/{one['area']}"
                yield from self._one("area", path)
                yield from self._list(f"{path}/questions")

    def _one(self, kind: str, path: str) -> Iterator[Document]:
        file = f"{self._under}{path}{self._ending}"
        if (content := self._get(file)) is not None:
            yield Document(kind, content, file)

    def _list(self, path: str) -> Iterator[Document]:
        """One document, if all pages are of one position; else one for each, none of which is the whole."""
        pages = list(self._pages(path))
        file = f"{self._under}{path}{self._ending}"
        if len({page["position"] for page in pages}) == 1:
            items = [item for page in pages for item in page["items"]]
            pages = [{**pages[0], "items": items}]
        for page in pages:
            yield Document("area-questions", page, file, whole=len(page["items"]) == page["total"])

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            query = f"limit={PAGE}&offset={offset}"
            page = self._get(f"{self._under}{path}{self._ending}", query)
            if page is None:
                return
            yield page
            offset += len(page["items"])
            if offset >= page["total"] or not page["items"]:
                return

    def _get(self, file: str, query: str = "") -> Any:
        data = self._source.read(file, query)
        try:
            return None if data is None else orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise CannotRead(f"{self._place}: {file} is not JSON: {error}") from None


def by_position(documents: list[Document]) -> Iterator[tuple[int, list[Document]]]:
    """The positions at which there is something to compare, from the first on."""
    for position in sorted({one.position for one in documents}):
        yield position, [one for one in documents if one.position == position]
