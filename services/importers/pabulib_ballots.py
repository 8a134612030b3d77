"""The VOTES of a .pb file. One ballot that cannot be read is reported, and stops no other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from services.importers.pabulib_sections import Section
from services.importers.reading import (
    BadRow,
    ImportFileError,
    fits,
    quoted,
    require_end,
    whole_number,
)

Mark = tuple[str, int | None]
"""A project id and what a ballot gives it: points, or the rank from 1 (ordinal), or None."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's ballot. Of a project that it names more than once, the first mention counts.

    So it is for points too: whether a second number adds to the first or replaces it, the format
    does not say, and readers differ (Pabulib's checker adds, pabutools replaces). `further` holds
    the other mentions in file order, an ordinal one with its place in the file, so that a
    difference from published figures can be explained.
    """

    line: int
    voter_id: str
    marks: tuple[Mark, ...]
    further: tuple[Mark, ...]
    details: Mapping[str, str]

    @property
    def repeated(self) -> tuple[str, ...]:
        """The projects named more than once, each once."""
        return tuple(dict.fromkeys(project for project, _ in self.further))


def read_ballots(
    path: Path, section: Section, vote_type: str, projects: frozenset[str], bad: list[BadRow]
) -> tuple[Ballot, ...]:
    """All ballots that can be read; the others go to `bad`. Raises ImportFileError."""
    with_points = vote_type in ("cumulative", "scoring")
    if with_points and "points" not in section.columns:
        remedy = "Add it, or correct vote_type."
        raise ImportFileError(path, None, f"A {vote_type} ballot needs a column 'points'.", remedy)
    voter_at, vote_at = section.columns["voter_id"], section.columns["vote"]
    points_at = section.columns["points"] if with_points else None
    used = (voter_at, vote_at, points_at)
    personal = [(name, at) for name, at in section.columns.items() if at not in used]
    width = section.width
    if section.rows:
        require_end(path, section.rows[-1], width)
    lines: dict[str, int] = {}
    ballots = []
    for line, cells in section.rows:
        try:
            if len(cells) != width and not fits(cells, width):
                raise ValueError(f"The ballot has {len(cells)} columns, the header {width}")
            voter = cells[voter_at].strip()
            if not voter:
                raise ValueError("The voter id is empty")
            if voter in lines:
                raise ValueError(f"The voter of line {lines[voter]} votes again")
            named = _items(cells[vote_at])
            if not projects.issuperset(named):
                unknown = next(project for project in named if project not in projects)
                raise ValueError(f"There is no project {quoted(unknown)}")
            given: Iterable[int | None] = repeat(None)
            if points_at is not None:
                given = _points(cells[points_at], len(named))
            elif vote_type == "ordinal":
                given = range(1, len(named) + 1)
        except ValueError as error:
            bad.append(BadRow(path, line, f"{error}."))
            continue
        lines[voter] = line
        marks: tuple[Mark, ...] = tuple(zip(named, given, strict=False))
        further: tuple[Mark, ...] = ()
        if len(set(named)) < len(named):
            marks, further = _mentions(marks, ranked=vote_type == "ordinal")
        details = {name: value for name, at in personal if (value := cells[at].strip())}
        ballots.append(Ballot(line, voter, marks, further, details))
    return tuple(ballots)


def _items(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    return [] if items == [""] else items


def _points(text: str, expected: int) -> list[int]:
    points = [whole_number(item) for item in _items(text)]
    if len(points) != expected:
        raise ValueError(
            f"The ballot names {expected} projects, but gives {len(points)} numbers of points"
        )
    return points


def _mentions(marks: Iterable[Mark], ranked: bool) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """The first mentions, ranked anew without gaps where they are ranks, and the further ones."""
    first: dict[str, int | None] = {}
    further = []
    for project, mark in marks:
        if project in first:
            further.append((project, mark))
        else:
            first[project] = len(first) + 1 if ranked else mark
    return tuple(first.items()), tuple(further)
