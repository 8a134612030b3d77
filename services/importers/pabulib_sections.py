"""The three sections of a .pb file, and the typed reading of the first one, META."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.importers.reading import (
    BadRow,
    ExactDecimal,
    ImportFileError,
    Row,
    columns_of,
    exact_decimal,
    quoted,
    rows,
    text_lines,
    whole_number,
)

TITLES = ("META", "PROJECTS", "VOTES")


@dataclass(frozen=True, slots=True)
class Section:
    """One section below its title: where its columns stand, and its rows."""

    columns: Mapping[str, int]
    rows: Sequence[Row]

    @property
    def width(self) -> int:
        return max(self.columns.values()) + 1


@dataclass(frozen=True, slots=True)
class Meta:
    """The keys of META. One that matters and cannot be understood is an ImportFileError."""

    path: Path
    lines: Mapping[str, int]
    values: Mapping[str, str]

    def refusal(self, key: str, problem: str, remedy: str) -> ImportFileError:
        return ImportFileError(self.path, self.lines.get(key), problem, remedy)

    def text(self, key: str) -> str | None:
        """The value, or None where the key is absent or its value is empty."""
        return self.values.get(key) or None

    def required(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise self.refusal(
                key, f"META lacks {key!r}.", "Add it; https://pabulib.org/format says how."
            )
        return value

    def whole(self, key: str, least: int | None = 0) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        try:
            number = whole_number(value)
        except ValueError as error:
            raise self.refusal(key, f"META {key}: {error}.", "Write it in digits alone.") from error
        if least is not None and number < least:
            raise self.refusal(key, f"META {key}: {number} is below {least}.", "Correct it.")
        return number

    def amount(self, key: str) -> ExactDecimal | None:
        value = self.text(key)
        if value is None:
            return None
        try:
            number = exact_decimal(value)
        except ValueError as error:
            raise self.refusal(key, f"META {key}: {error}.", "Write it as in 12345.67.") from error
        if number.digits < 0:
            raise self.refusal(key, f"META {key}: {quoted(value)} is negative.", "Correct it.")
        return number

    def day(self, key: str, last: bool, bad: list[BadRow]) -> date | None:
        """A day; of a year alone its first, or its `last`. One that cannot be read is reported."""
        value = self.text(key)
        if value is None:
            return None
        day = _day(value, last)
        if day is None:
            problem = f"META {key}: {quoted(value)} is not a date; it is left out."
            bad.append(BadRow(self.path, self.lines[key], problem))
        return day


def _day(text: str, last: bool) -> date | None:
    """The day written as 16.09.2023, 2023-09-16 or, of a year alone, 2023."""
    for pattern, reordered in (
        ("{0:%d.%m.%Y}", "-".join(reversed(text.split(".")))),
        ("{0:%Y-%m-%d}", text),
        ("{0:%Y}", f"{text}-12-31" if last else f"{text}-01-01"),
    ):
        try:
            day = date.fromisoformat(reordered)
        except ValueError:
            continue
        if pattern.format(day) == text:
            return day
    return None


def read_sections(path: Path, bad_votes: list[BadRow]) -> tuple[Meta, Section, Section]:
    """META, PROJECTS and VOTES. Raises ImportFileError unless they are there in this order.

    A ballot whose quotes are wrong goes to `bad_votes`.
    """
    found: dict[str, list[Row]] = {}
    current: list[Row] = []
    for row in rows(path, text_lines(path), ";", skip_spaces=True):
        if isinstance(row, BadRow):
            if len(found) < len(TITLES):
                raise ImportFileError(path, row.line, row.problem, "Correct its quotes.")
            bad_votes.append(row)
            continue
        line, cells = row
        title = _title(cells)
        if title is None and not found:
            problem = "The file does not begin with META."
            raise ImportFileError(path, line, problem, "Give a .pb file of Pabulib.")
        if title is None:
            current.append(row)
            continue
        if title in found:
            raise ImportFileError(path, line, f"A second section {title}.", "Keep one of them.")
        if title != TITLES[len(found)]:
            problem = f"{title} stands where {TITLES[len(found)]} is expected."
            raise ImportFileError(path, line, problem, "The order is META, PROJECTS, VOTES.")
        current = found[title] = []
    missing = [name for name in TITLES if name not in found]
    if missing:
        problem = f"The file has no section {', '.join(missing)}; it may be cut off."
        raise ImportFileError(path, None, problem, "Get the file again.")
    meta = _section(path, "META", found["META"], ("key", "value"))
    projects = _section(path, "PROJECTS", found["PROJECTS"], ("project_id", "cost"))
    votes = _section(path, "VOTES", found["VOTES"], ("voter_id", "vote"))
    return _meta(path, meta), projects, votes


def _title(cells: list[str]) -> str | None:
    name = cells[0].strip().upper()
    return name if name in TITLES and not any(map(str.strip, cells[1:])) else None


def _section(path: Path, title: str, found: list[Row], required: tuple[str, ...]) -> Section:
    if not found:
        raise ImportFileError(path, None, f"{title} is empty.", "Get the file again.")
    header = found[0]
    return Section(columns_of(path, header, required), found[1:])


def _meta(path: Path, section: Section) -> Meta:
    lines: dict[str, int] = {}
    values: dict[str, str] = {}
    for line, padded in section.rows:
        cells = [cell.strip() for cell in padded]
        while not cells[-1]:
            cells.pop()
        # Prose with an unquoted semicolon is put together again; a number with one is no number.
        key, value = cells[0], ";".join(cells[1:])
        if not key:
            raise ImportFileError(path, line, "META has a value without a key.", "Name its key.")
        if values.get(key, value) != value:
            raise ImportFileError(
                path,
                line,
                f"META gives {key!r} a second value.",
                f"It has one on line {lines[key]}.",
            )
        lines.setdefault(key, line)
        values[key] = value
    return Meta(path, lines, values)
