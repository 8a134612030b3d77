"""Charts as SVG, made here: no script, and no colour without a number beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from projections.answers import AreaDay

WIDTH, HEIGHT = 600, 120
_GAP = 1


@dataclass(frozen=True)
class Column:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class DayChart:
    """Choices by day, as columns in a box of WIDTH × HEIGHT; `most` is the height of the highest."""

    columns: Sequence[Column]
    most: int
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT


def day_chart(days: Sequence[AreaDay]) -> DayChart | None:
    """The chart; None where there is nothing to see."""
    most = max((day.choices for day in days), default=0)
    if most == 0:
        return None
    step = WIDTH / len(days)
    columns = []
    for number, day in enumerate(days):
        height = round(HEIGHT * day.choices / most, 1)
        columns.append(
            Column(round(number * step, 1), HEIGHT - height, round(step - _GAP, 1), height)
        )
    return DayChart(columns, most, days[0].day, days[-1].day)
