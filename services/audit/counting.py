"""Counting again: from the standing answers to a question, how often each option got each mark, area by area.

A pure function of what is handed to it, so that any process can do it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import Any, Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.audit.marks import ALL_ONES, Marks, all_legal, judge

Cells = Counter[tuple[str, int]]
"""(option, mark) → how many gave it."""

SLICE: Final = 20_000
"""Different answers that are counted in one go."""

_NONCE = 12
_IS_ONE = (1).__eq__
_SORTED = orjson.OPT_SORT_KEYS


class Answers(NamedTuple):
    """Different answers that were given from one area.

    The numbers may be below zero, where an earlier count is to be changed.
    """

    area: str
    marks: str
    """As they are written, one a line: JSON in its canonical form has no other lines."""
    numbers: list[int]
    """How many gave each."""

    def parts(self) -> Iterator["Answers"]:
        """The same, none of them larger than what is counted in one go."""
        if len(self.numbers) <= SLICE:
            yield self
            return
        marks = self.marks.split("\n")
        for start in range(0, len(marks), SLICE):
            some = slice(start, start + SLICE)
            yield Answers(self.area, "\n".join(marks[some]), self.numbers[some])


class Job(NamedTuple):
    """What it takes to count a question: how it may be answered, and its answers."""

    question: str
    method: dict[str, Any]
    costs: dict[str, int | None]
    sealed: bool
    key: str | None
    answers: list[Answers]

    def slices(self) -> Iterator["Job"]:
        some, size = list[Answers](), 0
        for one in chain.from_iterable(answers.parts() for answers in self.answers):
            if some and size + len(one.numbers) > SLICE:
                yield self._replace(answers=some)
                some, size = [], 0
            some.append(one)
            size += len(one.numbers)
        if some:
            yield self._replace(answers=some)


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
    found = Counted({one.area: AreaCount() for one in job.answers}, [])
    if job.sealed and job.key is None:
        for area, _, numbers in job.answers:
            found.areas[area].voters += sum(numbers)
        return found
    parsed = _parsed(job)
    certain = all_legal(job.method, job.costs, [*chain.from_iterable(parsed)])
    for answers, marks in zip(job.answers, parsed, strict=True):
        area, _, numbers = answers
        if not certain:
            marks, numbers = _legal_ones(job, answers, marks, found)
        count = found.areas[area]
        count.voters += sum(numbers)
        _add(count.cells, marks, numbers, ones=certain and job.method["kind"] in ALL_ONES)
        if profile is not None:
            profile.extend([one for one in zip(marks, numbers, strict=True) if one[1]])
    return found


def _add(cells: Cells, marks: Sequence[Marks], numbers: Sequence[int], *, ones: bool) -> None:
    """Add what each of these answers marks, as often as it was given; `ones`: no mark is another than 1."""
    once = [*compress(marks, map(_IS_ONE, numbers))]  # nearly all, and then counted in one go
    if ones:
        for option, number in Counter(chain.from_iterable(once)).items():
            cells[option, 1] += number
    else:
        cells.update(chain.from_iterable([one.items() for one in once]))
    if len(once) < len(marks):
        for one, number in zip(marks, numbers, strict=True):
            if number != 1:
                for cell in one.items():
                    cells[cell] += number


def _legal_ones(
    job: Job, answers: Answers, parsed: Sequence[Any], found: Counted
) -> tuple[list[Marks], list[int]]:
    """Those that are legal, and how many gave each; the others are found."""
    illegal = judge(job.method, job.costs)
    legal, numbers = list[Marks](), list[int]()
    texts = answers.marks.split("\n")
    for text, number, marks in zip(texts, answers.numbers, parsed, strict=True):
        why = _unreadable(job) if marks is None else illegal(marks)
        if why is None:
            legal.append(marks)
            numbers.append(number)
        else:
            found.illegal.append((answers.area, text, why))
    return legal, numbers


def _parsed(job: Job) -> list[list[Any]]:
    """The marks of each answer; None where they are not an object in canonical JSON, or do not open."""
    key = job.key
    if key is not None:
        return [[unsealed(text, key) for text in one.marks.split("\n")] for one in job.answers]
    together = "],[".join([one.marks.replace("\n", ",") for one in job.answers])
    canonical = f"[[{together}]]".encode()
    try:
        marks: list[list[Any]] = orjson.loads(canonical)
        if (
            orjson.dumps(marks, option=_SORTED) == canonical
            and list(map(len, marks)) == [len(one.numbers) for one in job.answers]
            and set(map(type, chain.from_iterable(marks))) <= {dict}
        ):
            return marks
    except (orjson.JSONDecodeError, TypeError):
        pass
    # One of them is wrong.
    return [[_canonical(text) for text in one.marks.split("\n")] for one in job.answers]


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
