"""Counting a question in parts gives what counting it as a whole does, and no part is too large."""

from collections import Counter

import pytest

from services.audit import counting
from services.audit.counting import Answers, AreaCount, Job, counted

MARKS = [*(f'{{"{one}":1}}' for one in "abcde"), '{"a":1,"b":1}', '{"c":1,"e":1}']
ANSWERS = [
    Answers("pl", "\n".join(MARKS), [1, 2, 1, 1, 0, -1, 3]),
    Answers("pl/a", "\n".join(MARKS[:2]), [1, 1]),
    Answers("pl/b", "\n".join(MARKS[:3]), [5, 1, 1]),
    Answers("pl", MARKS[0], [4]),
]


def job(maximum: int) -> Job:
    costs: dict[str, int | None] = dict.fromkeys("abcde")
    return Job("q", {"kind": "approval", "maximum": maximum}, costs, False, None, ANSWERS)


def told(areas: dict[str, AreaCount]) -> dict[str, tuple[int, dict[tuple[str, int], int]]]:
    return {area: (one.voters, dict(one.cells)) for area, one in areas.items()}


@pytest.mark.parametrize("maximum", [1, 2], ids=["some are illegal", "all are legal"])
@pytest.mark.parametrize("most", [1, 3, 4, 100])
def test_the_parts_add_up_to_the_whole(
    maximum: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = counted(job(maximum))
    monkeypatch.setattr(counting, "SLICE", most)
    parts = list(job(maximum).slices())
    assert max(sum(len(one.numbers) for one in part.answers) for part in parts) <= most
    areas: dict[str, AreaCount] = {}
    illegal: list[tuple[str, str, str]] = []
    for found in map(counted, parts):
        for area, count in found.areas.items():
            areas.setdefault(area, AreaCount()).add(count)
        illegal += found.illegal
    assert told(areas) == told(whole.areas)
    assert illegal == whole.illegal
    assert len(illegal) == (2 if maximum == 1 else 0)


def test_what_the_whole_comes_to() -> None:
    areas = counted(job(2)).areas
    assert {area: one.voters for area, one in areas.items()} == {"pl": 11, "pl/a": 2, "pl/b": 7}
    cells = Counter({("a", 1): 4, ("b", 1): 1, ("c", 1): 4, ("d", 1): 1, ("e", 1): 3})
    assert +areas["pl"].cells == cells
