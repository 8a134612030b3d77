"""Open data: how answers are written for other programs. CSV is that of RFC 4180, with a header row."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, get_args

import orjson
from pydantic import BaseModel

from projections.answers import AreaTallies, Listed, OptionTally, QuestionTally

CSV_TYPE = "text/csv; charset=utf-8; header=present"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a text for a formula, at its beginning (OWASP, CSV injection)."""

Cell = str | int


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


TALLY_COLUMNS = (
    "question",
    "title",
    "area",
    "method",
    "position",
    "voters",
    "option_id",
    "option_title",
    "count",
    "total",
    "by_mark",
)
"""The columns of a tally as CSV, a row an option; `by_mark` is a JSON object."""


def tally_rows(tally: QuestionTally) -> Iterator[tuple[Cell, ...]]:
    """The rows of `TALLY_COLUMNS`."""
    told = (tally.question, tally.title, tally.area, tally.method, tally.position)
    return _option_rows(told, tally.voters, tally.options)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """CSV with a header row, and a line end of CR LF after each row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def csv_of(answer: BaseModel) -> str:
    """An answer as CSV: a row an item of a list, an option of a tally. Raises `TypeError` for another one."""
    match answer:
        case QuestionTally():
            return csv_text(TALLY_COLUMNS, tally_rows(answer))
        case AreaTallies():
            rows = (row for one in answer.items for row in _area_rows(answer, one.area, one))
            return csv_text(TALLY_COLUMNS, rows)
        case Listed():
            (item,) = get_args(type(answer).model_fields["items"].annotation)
            return csv_text(list(_columns(item)), (list(_cells(one)) for one in answer.items))
    raise TypeError(f"{type(answer).__name__} is no list")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before one that it would."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _area_rows(answer: AreaTallies, area: str, one: Any) -> Iterator[tuple[Cell, ...]]:
    told = (answer.question, answer.title, area, answer.method, answer.position)
    return _option_rows(told, one.voters, one.options)


def _option_rows(
    told: tuple[Cell, ...], voters: int, options: Iterable[OptionTally]
) -> Iterator[tuple[Cell, ...]]:
    for option in options:
        by_mark = orjson.dumps(option.by_mark, option=orjson.OPT_NON_STR_KEYS).decode()
        cells = (*told, voters, option.id, option.title, option.count, option.total, by_mark)
        yield tuple(_cell(one) for one in cells)


def _columns(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The fields of a model; those of a model in it come one by one, with its name before theirs."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _columns(field.annotation, f"{prefix}{name}_")
        else:
            yield prefix + name


def _cells(model: BaseModel) -> Iterator[Cell]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _cells(value)
        else:
            yield _cell(value)


def _cell(value: Any) -> Cell:
    """Nothing is an empty text; yes and no are words; what has parts is JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return value
        case str():
            return guarded(value)
    return orjson.dumps(
        [one.model_dump() if isinstance(one, BaseModel) else one for one in value]
        if isinstance(value, list)
        else value
    ).decode()
