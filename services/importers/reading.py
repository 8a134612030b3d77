"""What all readers share: errors that name file and line, strict parsing, rows of CSV."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from os import SEEK_END
from pathlib import Path

CUT_OFF = "Get the file again: it is cut off, or a quote in it is not closed."

LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 8259, section 6)."""


class ImportFileError(Exception):
    """A file is refused before anything of it is used. `remedy` says what the caller can do."""

    def __init__(self, path: Path, line: int | None, problem: str, remedy: str) -> None:
        place = str(path) if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {problem} {remedy}")
        self.path = path
        self.line = line
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that is left out, or lacks a part; it stops nothing else. It never names a person."""

    path: Path
    line: int
    problem: str


Row = tuple[int, list[str]]
"""The physical number of a row's last line in the file, from 1, and its cells."""


@dataclass(frozen=True, slots=True)
class ExactDecimal:
    """The number `digits` / 10 ** `places`, with as few places as it needs."""

    digits: int
    places: int

    def scaled(self, places: int) -> int:
        """The number in units of 10 ** -`places`; what does not fit is rounded half to even."""
        if places >= self.places:
            factor: int = 10 ** (places - self.places)
            return self.digits * factor
        divisor: int = 10 ** (self.places - places)
        quotient, rest = divmod(self.digits, divisor)
        return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def quoted(text: str) -> str:
    """A piece of foreign text for a message: escaped, and cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def whole_number(text: str) -> int:
    """The whole number that is written as `text` and in no other way. Raises ValueError."""
    try:
        number = int(text)
        exact = str(number) == text
    except ValueError:
        exact = False
    if not exact:
        raise ValueError(f"{quoted(text)} is not a whole number")
    if abs(number) > LARGEST:
        raise ValueError(f"{quoted(text)} is too large")
    return number


def exact_decimal(text: str) -> ExactDecimal:
    """The number that `text` writes in plain digits with a point, `12345.67`. Raises ValueError."""
    try:
        number = Decimal(text)
        # An exponent could make the digits of a short text fill the memory.
        short = number.is_finite() and abs(number.adjusted()) < 100 and len(text) < 100
        exact = short and format(number, "f") == text
    except InvalidOperation:
        exact = False
    if not exact:
        raise ValueError(f"{quoted(text)} is not a decimal number")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    digits = int(whole + fraction)
    if abs(digits) > LARGEST * 10 ** len(fraction):
        raise ValueError(f"{quoted(text)} is too large")
    return ExactDecimal(digits, len(fraction))


def require_text(path: Path) -> None:
    """Read the file through, so that no row of a damaged one is used. Raises ImportFileError."""
    offset = 0
    try:
        with path.open("rb") as file:
            # No byte of a longer UTF-8 character is a line break, so each line stands for itself.
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    problem = f"Byte {offset + error.start} is not UTF-8."
                    raise ImportFileError(path, number, problem, "Save it as UTF-8.") from error
                if b"\0" in line:
                    problem = f"Byte {offset + line.index(0)} is NUL: this is not text."
                    raise ImportFileError(path, number, problem, "Get the file again.")
                offset += len(line)
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror}."
        raise ImportFileError(path, None, problem, "Give a readable file.") from error


def text_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file, with or without a byte order mark. Raises ImportFileError."""
    require_text(path)
    return _lines(path)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from file


def rows(
    path: Path, lines: Iterable[str], delimiter: str = ",", skip_spaces: bool = False
) -> Iterator[Row | BadRow]:
    """The rows that hold anything. One with something behind a closing quote is a BadRow.

    Raises ImportFileError where a quote is never closed, and so hides what follows.
    """
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_spaces, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"The row cannot be read: {error}."
            if "expected after" not in str(error):
                raise ImportFileError(path, reader.line_num, problem, CUT_OFF) from error
            yield BadRow(path, reader.line_num, problem)
            continue
        if any(map(str.strip, cells)):
            yield reader.line_num, cells


def columns_of(path: Path, row: Row, required: Collection[str]) -> Mapping[str, int]:
    """Where each column stands. Raises ImportFileError when one is missing or named twice."""
    line, cells = row
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    columns = {name: at for at, name in enumerate(names)}
    if len(columns) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ImportFileError(
            path,
            line,
            f"The header names a column twice: {', '.join(map(quoted, twice))}.",
            "Keep one of them.",
        )
    missing = [name for name in required if name not in columns]
    if missing:
        raise ImportFileError(
            path,
            line,
            f"The header lacks {', '.join(missing)}; it has {quoted(', '.join(names))}.",
            "Check that this is the right file and that its separator was not changed.",
        )
    return columns


def fits(cells: list[str], width: int) -> bool:
    """Whether a row has the columns of its header; spreadsheets leave empty cells behind it."""
    return len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:])))


@dataclass(frozen=True, slots=True)
class Table:
    """A file with one header: where its columns stand, and its rows."""

    columns: Mapping[str, int]
    rows: Iterator[Row | BadRow]


def open_table(path: Path, required: Collection[str]) -> Table:
    """Open a comma-separated file. Raises ImportFileError, before any row is given."""
    found = rows(path, text_lines(path))
    header = next(found, None)
    if header is None:
        raise ImportFileError(path, None, "The file is empty.", "Get the file again.")
    if isinstance(header, BadRow):
        raise ImportFileError(path, header.line, header.problem, "Correct the header.")
    columns = columns_of(path, header, required)
    width = max(columns.values()) + 1
    last = header
    for row in found:
        if not isinstance(row, BadRow):
            last = row
    require_end(path, last, width)
    again = rows(path, _lines(path))
    next(again)
    return Table(columns, _fitting(path, again, width))


def require_end(path: Path, last: Row, width: int) -> None:
    """Raises ImportFileError when the last row is too short and no line break ends it."""
    line, cells = last
    if len(cells) < width and not _ends_with_line_break(path):
        problem = f"The last row has {len(cells)} columns, the header {width}, and no end."
        raise ImportFileError(path, line, problem, CUT_OFF)


def _ends_with_line_break(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        return file.read() in b"\r\n"


def _fitting(path: Path, found: Iterator[Row | BadRow], width: int) -> Iterator[Row | BadRow]:
    for row in found:
        if isinstance(row, BadRow) or fits(row[1], width):
            yield row
        else:
            yield BadRow(path, row[0], f"The row has {len(row[1])} columns, the header {width}.")
