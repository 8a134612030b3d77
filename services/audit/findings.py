"""What an audit can find, each in words for people who did not build the ledger."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

KEPT = 1_000
"""Findings of one kind that are listed; further ones are only counted."""

_SHOWN = 300


class Kind(StrEnum):
    """What is wrong. The names are stable: other programs read them in the report."""

    def __new__(cls, name: str, title: str = "") -> "Kind":
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.title_ = title
        return kind

    title_: str
    """In plain words, for the report."""

    SIGNATURE = "signature", "The log's statement is not signed as it must be"
    FORK = "fork", "There are two different logs of one size"
    REWRITTEN = "rewritten", "History was rewritten"
    WENT_BACK = "went-back", "The log is shorter than it was"
    HEAD = "head", "The entries are not those that were signed"
    ENTRY = "entry", "An entry is not the one that was recorded"
    TILE = "tile", "A file of hashes does not follow from the entries"
    MISSING_FILE = "missing-file", "A file is missing"
    MALFORMED_FILE = "malformed-file", "A file is not of its format"
    FORM = "form", "An entry is not well formed"
    ID = "id", "An event has the id of another one"
    SOURCE = "source", "An event names another ledger as its source"
    TIME = "time", "Time goes backwards"
    UNKNOWN = "unknown", "An event is about something that was never defined"
    AGAIN = "again", "Something was defined a second time"
    AREA = "area", "An area was changed against the rules"
    ROLL = "roll", "The roll was changed against the rules"
    QUESTION = "question", "A question was asked or changed against the rules"
    NOT_OPEN = "not-open", "A choice was recorded while the question was not open"
    SECOND_CHOICE = "second-choice", "A voter has a second standing choice"
    PREVIOUS = "previous", "A change does not replace what stood before"
    MARKS = "marks", "A choice is not a legal answer"
    CHOICE_AREA = "choice-area", "A choice names an area that it may not name"
    MORE_VOTERS = "more-voters", "More people have chosen than are on the roll"
    SEAL = "seal", "Sealed choices do not open with the published key"
    DECISION = "decision", "A decision does not follow from the count"
    OUTCOME = "outcome", "A reported outcome has no decision behind it"
    SERVICE = "service", "A service was changed or used against the rules"
    STAGE = "stage", "A request skipped a stage"
    KEY = "key", "The key of the checkpoints was changed against the rules"
    DIGEST = "digest", "A statement about the ledger's own tables cannot be"
    TALLY = "tally", "A published figure is not what the log gives"


class Finding(NamedTuple):
    """One thing that is wrong, and where. A position counts events from 1."""

    kind: Kind
    position: int | None
    """None: it concerns the log as a whole."""
    last: int | None
    """The end of a range of positions, where it concerns several events."""
    found: str
    expected: str
    file: str | None = None

    @property
    def place(self) -> str:
        """Where, in words."""
        if self.position is None:
            return "the whole log"
        if self.last is None or self.last == self.position:
            return f"position {self.position:,}"
        return f"positions {self.position:,} to {self.last:,}"


class Findings:
    """All findings of an audit: the first `KEPT` of each kind, and how many there are."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._kept: list[Finding] = []

    def __bool__(self) -> bool:
        return bool(self.counts)

    def add(
        self,
        kind: Kind,
        position: int | None,
        found: str,
        expected: str,
        *,
        last: int | None = None,
        file: str | None = None,
    ) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= KEPT:
            self._kept.append(Finding(kind, position, last, _cut(found), _cut(expected), file))

    def extend(self, found: Iterable[Finding]) -> None:
        for one in found:
            self.add(one.kind, one.position, one.found, one.expected, last=one.last, file=one.file)

    def listed(self) -> list[Finding]:
        """Those about the log as a whole first, then by position."""
        return sorted(self._kept, key=lambda one: (one.position or 0, list(Kind).index(one.kind)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
