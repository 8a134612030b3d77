"""Counting again: from the standing answers to a question, how often each option got each mark, area by area.

A pure function of what is handed to it, so that any process can do it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.marks import Marks, all_legal, judge

Cells = Counter[tuple[str, int]]
"""(option, mark) → how many gave it."""

SLICE: Final = 20_000
"""Different answers that are counted in one go."""

_NONCE = 12
_SORTED = orjson.OPT_SORT_KEYS


class Job(NamedTuple):
    """What it takes to count a question: how it may be answered, and its answers with the number who gave each.

    The numbers may be below zero, where an earlier count is to be changed.
    """

    question: str
    method: dict[str, Any]
    costs: dict[str, int | None]
    sealed: bool
    key: str | None
    answers: list[tuple[str, str, int]]
    """(area, marks, number)"""

    def slices(self) -> Iterator["Job"]:
        for start in range(0, len(self.answers), SLICE):
            yield self._replace(answers=self.answers[start : start + SLICE])


class AreaCount:
    """The count among those who answered from one area. `cells` stays empty while the marks are sealed."""

    __slots__ = ("cells", "voters")

    def __init__(self) -> None:
        self.voters = 0
        self.cells: Cells = Counter()

    def add(self, other: "AreaCount") -> None:
        self.voters += other.voters
        for cell, number in other.cells.items():
            self.cells[cell] += number

    def dump(self) -> list[Any]:
        return [self.voters, [(*cell, number) for cell, number in self.cells.items() if number]]

    @classmethod
    def load(cls, kept: Sequence[Any]) -> "AreaCount":
        count = cls()
        count.voters = kept[0]
        count.cells = Counter({(option, mark): number for option, mark, number in kept[1]})
        return count


class Counted(NamedTuple):
    """The count by area, each without those below it; and the marks that do not count, each with the reason."""

    areas: dict[str, AreaCount]
    illegal: list[tuple[str, str, str]]
    """(area, marks, why)"""


Profile = list[tuple[Marks, int]]
"""Legal marks, and how many voters gave them: what a rule decides on."""


def counted(job: Job, profile: Profile | None = None) -> Counted:
    """The count of these answers. The marks that count are added to `profile`, where one is given."""
    areas = {area: AreaCount() for area, _, _ in job.answers}
    found = Counted(areas, [])
    if job.sealed and job.key is None:
        for area, _, number in job.answers:
            areas[area].voters += number
        return found
    parsed = _parsed(job)
    answers: Iterable[tuple[tuple[str, str, int], Marks]] = zip(job.answers, parsed, strict=True)
    if not all_legal(job.method, job.costs, parsed):
        answers = _legal_ones(job, parsed, found)
    ones: dict[str, list[Marks]] = {area: [] for area in areas}
    for (area, _, number), marks in answers:
        if number == 1:  # as nearly always, and then counted in one go
            ones[area].append(marks)
        else:
            areas[area].voters += number
            for cell in marks.items():
                areas[area].cells[cell] += number
        if number and profile is not None:
            profile.append((marks, number))
    for area, some in ones.items():
        areas[area].voters += len(some)
        areas[area].cells.update(chain.from_iterable(marks.items() for marks in some))
    return found


def _legal_ones(
    job: Job, parsed: list[Any], found: Counted
) -> Iterator[tuple[tuple[str, str, int], Marks]]:
    illegal = judge(job.method, job.costs)
    for answer, marks in zip(job.answers, parsed, strict=True):
        why = _unreadable(job) if marks is None else illegal(marks)
        if why is None:
            yield answer, marks
        else:
            found.illegal.append((*answer[:2], why))


def _parsed(job: Job) -> list[Any]:
    """The marks of each answer; None where they are not an object in canonical JSON, or do not open."""
    texts = [raw for _, raw, _ in job.answers]
    if job.key is not None:
        return [unsealed(raw, job.key) for raw in texts]
    together = f"[{','.join(texts)}]".encode()
    try:
        marks: list[Any] = orjson.loads(together)
        is_canonical = orjson.dumps(marks, option=_SORTED) == together
        if is_canonical and len(marks) == len(texts) and set(map(type, marks)) <= {dict}:
            return marks
    except orjson.JSONDecodeError:
        pass
    return [_canonical(raw) for raw in texts]  # one of them is wrong


def _canonical(raw: str) -> Any:
    try:
        marks = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    is_canonical = orjson.dumps(marks, option=_SORTED) == raw.encode()
    return marks if is_canonical and type(marks) is dict else None


def _unreadable(job: Job) -> str:
    if job.key is None:
        return "they are not in their canonical form"
    return "they do not open with the published key"


def unsealed(text: str, key: str) -> dict[str, Any] | None:
    """Sealed marks (AES-256-GCM, 12 bytes of nonce in front, in hex), or None if the key does not open them."""
    try:
        blob = bytes.fromhex(orjson.loads(text))
        plain = AESGCM(bytes.fromhex(key)).decrypt(blob[:_NONCE], blob[_NONCE:], None)
        marks = orjson.loads(plain)
    except (InvalidTag, ValueError):
        return None
    return marks if type(marks) is dict else None
