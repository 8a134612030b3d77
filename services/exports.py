"""Open data: how answers are written for other programs."""

from collections.abc import Iterator
from enum import StrEnum

import orjson

from projections.answers import QuestionTally


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


def tally_rows(tally: QuestionTally) -> Iterator[tuple[str | int, ...]]:
    """The rows of `TALLY_COLUMNS`."""
    for option in tally.options:
        yield (
            tally.question,
            tally.title,
            tally.area,
            tally.method,
            tally.position,
            tally.voters,
            option.id,
            option.title,
            option.count,
            option.total,
            orjson.dumps(option.by_mark, option=orjson.OPT_NON_STR_KEYS).decode(),
        )
