"""The PROJECTS of a .pb file. One that cannot be read refuses the file: it is an option."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.importers.pabulib_sections import Section
from services.importers.reading import (
    LARGEST,
    BadRow,
    ExactDecimal,
    ImportFileError,
    Row,
    exact_decimal,
    fits,
    quoted,
    whole_number,
)

_TYPED = (
    "project_id",
    "name",
    "cost",
    "votes",
    "score",
    "selected",
    "latitude",
    "longitude",
    "category",
)
_MICRO = 6


@dataclass(frozen=True, slots=True)
class Project:
    """One project. `cost` is in the file's unit of money, coordinates are in micro-degrees.

    `votes`, `score` and `selected` are the result that the file publishes; `details` holds all
    other columns. A project without a name goes by its id.
    """

    line: int
    id: str
    name: str
    cost: int
    votes: int | None
    score: int | None
    selected: int | None
    latitude: int | None
    longitude: int | None
    category: str | None
    details: Mapping[str, str]


def require_columns(path: Path, section: Section) -> None:
    """Raises ImportFileError unless every project has the columns of the header."""
    for line, cells in section.rows:
        if not fits(cells, section.width):
            problem = f"The project has {len(cells)} columns, the header {section.width}."
            raise ImportFileError(path, line, problem, "Quote a cell with a semicolon in it.")


def cost_of(path: Path, section: Section, row: Row) -> ExactDecimal:
    """What the project costs, in the currency. Raises ImportFileError."""
    line, cells = row
    text = cells[section.columns["cost"]].strip()
    try:
        cost = exact_decimal(text)
    except ValueError as error:
        raise ImportFileError(
            path, line, f"The cost {error}.", "Write it as in 12345.67."
        ) from error
    if cost.digits < 0:
        raise ImportFileError(path, line, f"The cost {quoted(text)} is negative.", "Correct it.")
    return cost


def in_units(path: Path, line: int | None, amount: ExactDecimal, places: int) -> int:
    """Money in units of 10 ** -`places`. Raises ImportFileError when no record could hold it."""
    units = amount.scaled(places)
    if units > LARGEST:
        raise ImportFileError(path, line, "An amount of money is too large.", "Correct it.")
    return units


def project_of(path: Path, section: Section, row: Row, places: int, bad: list[BadRow]) -> Project:
    """One project; a published figure or a place that cannot be read is reported, and left out."""
    line, cells = row
    values = {name: cells[at].strip() for name, at in section.columns.items()}
    project_id = values["project_id"]
    if not project_id:
        raise ImportFileError(path, line, "The project has no id.", "Give it one.")

    def whole(name: str, least: int | None, most: int = LARGEST) -> int | None:
        text = values.get(name)
        if not text:
            return None
        try:
            number = whole_number(text)
            if (least is not None and number < least) or number > most:
                raise ValueError(f"{quoted(text)} is not between {least} and {most}")
        except ValueError as error:
            bad.append(BadRow(path, line, f"{name}: {error}; it is left out."))
            return None
        return number

    def degrees(name: str, most: int) -> int | None:
        text = values.get(name)
        if not text:
            return None
        try:
            micro_degrees = exact_decimal(text).scaled(_MICRO)
            if abs(micro_degrees) > most * 10**_MICRO:
                raise ValueError(f"{quoted(text)} is beyond {most} degrees")
        except ValueError as error:
            bad.append(BadRow(path, line, f"{name}: {error}; it is left out."))
            return None
        return micro_degrees

    return Project(
        line=line,
        id=project_id,
        name=values.get("name") or project_id,
        cost=in_units(path, line, cost_of(path, section, row), places),
        votes=whole("votes", 0),
        score=whole("score", None),
        selected=whole("selected", 0, 3),
        latitude=degrees("latitude", 90),
        longitude=degrees("longitude", 180),
        category=values.get("category") or None,
        details={name: text for name, text in values.items() if text and name not in _TYPED},
    )
