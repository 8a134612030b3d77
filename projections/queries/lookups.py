"""What all queries share: the errors, and looking up an area."""

from typing import Any

from projections.answers import AreaSummary
from projections.stores.port import Row, Snapshot

AREA = (
    "SELECT a.area, a.name, a.kind, coalesce(r.size, 0), a.retired, a.publishable FROM area a"
    " LEFT JOIN area_roll r ON r.area = a.area"
)
_ROLL = "SELECT size FROM area_roll WHERE area = ?"


class NotFound(Exception):
    """There is nothing of that name in the read models, at the position that they stand for."""


class StillSealed(Exception):
    """The question's results are published after it closed."""


def typed(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows whose columns are checked by the answer that they become part of."""
    return rows


def area_row(at: Snapshot, area: str) -> Row:
    rows = at.rows(f"{AREA} WHERE a.area = ?", area)
    if not rows:
        raise NotFound(f"There is no area {area!r}.")
    return rows[0]


def area_summary(row: Row) -> AreaSummary:
    area, name, kind, roll, retired = row[:5]
    return AreaSummary.model_validate(
        {"area": area, "name": name, "kind": kind, "roll": roll, "retired": retired}
    )


def roll_of(at: Snapshot, area: str) -> int:
    rows = at.rows(_ROLL, area)
    return int(rows[0][0] or 0) if rows else 0
