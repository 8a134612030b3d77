"""Reads a file of Pabulib, the library of participatory budgets (https://pabulib.org/format).

Cells may have blanks around them, as the examples of the format have; all else is read strictly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast

from services.importers.area_paths import AreaLevel, area_path
from services.importers.pabulib_ballots import Ballot, read_ballots
from services.importers.pabulib_projects import (
    Project,
    cost_of,
    in_units,
    project_of,
    require_columns,
)
from services.importers.pabulib_sections import Meta, Section, read_sections
from services.importers.reading import BadRow, ExactDecimal, ImportFileError, quoted

VoteType = Literal["approval", "choose-1", "ordinal", "cumulative", "scoring"]
_VOTE_TYPES = ("approval", "choose-1", "ordinal", "cumulative", "scoring")

_LIMITS = (
    ("min_length", "max_length", 0),
    ("min_points", "max_points", None),
    ("min_sum_points", "max_sum_points", 0),
)
"""Limits of a ballot, the least and the most, and below what they make no sense."""
_MONEY = ("budget", "min_sum_cost", "max_sum_cost")


@dataclass(frozen=True, slots=True)
class PabulibFile:
    """A whole file. Its money is in whole units, `money_scale` of which make one of the currency.

    `meta` holds every key as it is written; a key that is absent or empty is None here. A
    `date_begin` that is a year alone is its first day, such a `date_end` its last.
    """

    path: Path
    name: str
    meta: Mapping[str, str]
    description: str
    country: str
    unit: str
    district: str | None
    subunit: str | None
    instance: str
    vote_type: VoteType
    rule: str
    language: str | None
    currency: str | None
    money_scale: int
    budget: int
    min_sum_cost: int | None
    max_sum_cost: int | None
    date_begin: date | None
    date_end: date | None
    min_length: int | None
    max_length: int | None
    min_points: int | None
    max_points: int | None
    min_sum_points: int | None
    max_sum_points: int | None
    default_score: int | None
    min_project_score_threshold: int | None
    num_projects: int
    num_votes: int
    projects: tuple[Project, ...]
    ballots: tuple[Ballot, ...]
    bad_rows: tuple[BadRow, ...]

    @property
    def areas(self) -> list[AreaLevel]:
        """The areas from the country down to the one whose people are asked."""
        return area_path(self.country, self.unit, self.district, self.subunit)


def read_pabulib(path: Path) -> PabulibFile:
    """Read a .pb file. Raises ImportFileError for one that is damaged or contradicts itself."""
    bad: list[BadRow] = []
    bad_ballots: list[BadRow] = []
    meta, projects_section, votes_section = read_sections(path, bad_ballots)
    vote_type = _vote_type(meta)
    begin, end = meta.day("date_begin", False, bad), meta.day("date_end", True, bad)
    if begin is not None and end is not None and end < begin:
        raise meta.refusal(
            "date_end", "META date_end is before date_begin.", "Correct one of them."
        )
    limits: dict[str, int | None] = {}
    for least, most, floor in _LIMITS:
        limits[least], limits[most] = meta.whole(least, floor), meta.whole(most, floor)
        _ordered(meta, least, most, limits[least], limits[most])
    places, money, projects = _money_and_projects(meta, projects_section, bad)
    names = frozenset(project.id for project in projects)
    ballots = read_ballots(path, votes_section, vote_type, names, bad_ballots)
    num_votes = _count(meta, "num_votes")
    _require_all_ballots(meta, num_votes, len(ballots), bad_ballots)
    return PabulibFile(
        path=path,
        name=path.name.removesuffix(".pb"),
        meta=meta.values,
        description=meta.text("description") or "",
        country=meta.required("country"),
        unit=meta.required("unit"),
        district=meta.text("district"),
        subunit=meta.text("subunit"),
        instance=meta.required("instance"),
        vote_type=vote_type,
        # Files from before 2024 may lack the rule; "unknown" is the format's own word for that.
        rule=meta.text("rule") or "unknown",
        language=meta.text("language"),
        currency=meta.text("currency"),
        money_scale=10**places,
        budget=money["budget"],
        min_sum_cost=money.get("min_sum_cost"),
        max_sum_cost=money.get("max_sum_cost"),
        date_begin=begin,
        date_end=end,
        **limits,
        default_score=meta.whole("default_score", least=None),
        min_project_score_threshold=meta.whole("min_project_score_threshold"),
        num_projects=len(projects),
        num_votes=num_votes,
        projects=projects,
        ballots=ballots,
        bad_rows=tuple(sorted((*bad, *bad_ballots), key=lambda row: row.line)),
    )


def _vote_type(meta: Meta) -> VoteType:
    vote_type = meta.required("vote_type").lower()
    if vote_type not in _VOTE_TYPES:
        problem = f"META vote_type {quoted(vote_type)} is unknown."
        raise meta.refusal("vote_type", problem, f"Known are {', '.join(_VOTE_TYPES)}.")
    return cast(VoteType, vote_type)


def _count(meta: Meta, key: str) -> int:
    meta.required(key)
    return meta.whole(key) or 0


def _ordered(meta: Meta, least: str, most: str, low: int | None, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        raise meta.refusal(most, f"META {most} is below {least}.", "Correct one of them.")


def _money_and_projects(
    meta: Meta, section: Section, bad: list[BadRow]
) -> tuple[int, dict[str, int], tuple[Project, ...]]:
    """The decimal places that all money of the file needs, the money of META, and the projects."""
    meta.required("budget")
    require_columns(meta.path, section)
    amounts: dict[str, ExactDecimal] = {}
    for key in _MONEY:
        amount = meta.amount(key)
        if amount is not None:
            amounts[key] = amount
    costs = [cost_of(meta.path, section, row) for row in section.rows]
    places = max(amount.places for amount in (*costs, *amounts.values()))
    money = {
        key: in_units(meta.path, meta.lines[key], amount, places) for key, amount in amounts.items()
    }
    _ordered(
        meta, "min_sum_cost", "max_sum_cost", money.get("min_sum_cost"), money.get("max_sum_cost")
    )
    projects = tuple(project_of(meta.path, section, row, places, bad) for row in section.rows)
    seen: dict[str, int] = {}
    for project in projects:
        if project.id in seen:
            problem = f"The project {quoted(project.id)} is on line {seen[project.id]} already."
            raise ImportFileError(meta.path, project.line, problem, "Keep one of them.")
        seen[project.id] = project.line
    announced = _count(meta, "num_projects")
    if announced != len(projects):
        problem = f"META num_projects is {announced}, but the file has {len(projects)} projects."
        raise meta.refusal("num_projects", problem, "Get the file again, or correct the number.")
    return places, money, projects


def _require_all_ballots(meta: Meta, announced: int, good: int, bad: list[BadRow]) -> None:
    problem = f"META num_votes is {announced}, but the file has"
    if good + len(bad) < announced:
        hint = (
            f" The first that cannot be read is on line {min(row.line for row in bad)}."
            if bad
            else ""
        )
        problem = f"{problem} {good + len(bad)} ballots: it is cut off or damaged.{hint}"
        raise meta.refusal("num_votes", problem, "Get the file again.")
    if good > announced:
        problem = f"{problem} {good} good ballots."
        raise meta.refusal("num_votes", problem, "Get the file again, or correct the number.")
