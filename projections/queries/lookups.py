"""What all queries share: the errors, pages of lists, and looking up an area."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from projections.answers import AreaSummary, Figures
from projections.course import FIGURES
from projections.projection import Value
from projections.stores.port import Row, Snapshot

MOST = 1_000
"""Items on a page."""

_AREA = (
    "SELECT a.area, a.name, a.kind, coalesce(r.size, 0), a.retired, coalesce(f.open_questions, 0),"
    " a.publishable FROM area a"
    " LEFT JOIN area_roll r ON r.area = a.area"
    " LEFT JOIN area_figures f ON f.area = a.area AND f.scope = 'all'"
)
_ROLL = "SELECT size FROM area_roll WHERE area = ?"
_POLICY = "SELECT 1 FROM policy WHERE policy = ?"
_ORGANISATION = "SELECT 1 FROM organisation WHERE organisation = ?"


class NotFound(Exception):
    """There is nothing of that name in the read models, at the position that they stand for."""


class NoSuchPage(NotFound):
    """The list ends before the page begins."""


class InTheFuture(NotFound):
    """The log has not come that far."""


class StillSealed(Exception):
    """The question's results are published after it closed."""


class Page(NamedTuple):
    """Which part of a list is wanted."""

    limit: int = 100
    offset: int = 0


class Where(NamedTuple):
    """Conditions that all must hold, with the values of their marks."""

    conditions: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()

    def and_(self, condition: str, *values: Value) -> "Where":
        return Where((*self.conditions, condition), (*self.values, *values))

    def equal(self, **columns: Value) -> "Where":
        """Conditions on columns (`__` stands for the dot), but for those whose value is None: no filter is set."""
        where = self
        for column, value in columns.items():
            if value is not None:
                where = where.and_(f"{column.replace('__', '.')} = ?", value)
        return where

    def within(self, column: str, area: str | None) -> "Where":
        """The column is the area, or one below it (in the order of bytes, "0" comes after "/")."""
        if area is None:
            return self
        return self.and_(
            f"({column} = ? OR ({column} > ? AND {column} < ?))", area, area + "/", area + "0"
        )

    def one_of(self, column: str, values: Sequence[Value]) -> "Where":
        """The column is one of the values; there must be some."""
        return self.and_(f"{column} IN ({', '.join('?' * len(values))})", *values)

    @property
    def sql(self) -> str:
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


EVERYWHERE = Where()


def page_of(
    at: Snapshot,
    select: str,
    where: Where,
    order: str,
    page: Page,
    *,
    before: Sequence[Value] = (),
) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows a list has, and those of one page.

    `before`: the values of the marks in `select`. Raises `NoSuchPage`.
    """
    values = (*before, *where.values)
    count = f"SELECT count(*) FROM ({select}{where.sql}) listed"
    paged, window = f"{where.sql} ORDER BY {order} LIMIT ? OFFSET ?", (page.limit, page.offset)
    if select.startswith("SELECT "):  # both in one go: each way to the database costs
        counting = f"SELECT ({count}), {select.removeprefix('SELECT ')}"
        found = typed(at.rows(counting + paged, *values, *values, *window))
        if found:
            return found[0][0], [row[1:] for row in found]
        if not page.offset:
            return 0, []
    ((total,),) = typed(at.rows(count, *values))
    check_page(page, total)
    return total, typed(at.rows(select + paged, *values, *window))


def check_page(page: Page, total: int) -> None:
    """Raises `NoSuchPage` for one that begins after the end; the first page of an empty list is empty."""
    if page.offset and page.offset >= total:
        raise NoSuchPage(f"The list ends at {total:,}; there is nothing from {page.offset:,} on.")


def typed(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows whose columns are checked by the answer that they become part of."""
    return rows


def position_of(at: Snapshot, *models: str) -> int:
    """The position that an answer from several models stands for: all of them have come that far."""
    return min(at.position(model) for model in models)


def area_row(at: Snapshot, area: str) -> Row:
    """An area's summary, and whether choices may name it. Raises `NotFound`."""
    rows = at.rows(f"{_AREA} WHERE a.area = ?", area)
    if not rows:
        raise NotFound(f"There is no area {area!r}.")
    return rows[0]


def area_rows(at: Snapshot, where: Where, order: str, page: Page) -> tuple[int, list[AreaSummary]]:
    """A page of areas. Raises `NoSuchPage`."""
    total, rows = page_of(at, _AREA, where, order, page)
    return total, [area_summary(row) for row in rows]


def area_summary(row: Row) -> AreaSummary:
    area, name, kind, roll, retired, open_questions = row[:6]
    return AreaSummary.model_validate(
        {
            "area": area,
            "name": name,
            "kind": kind,
            "roll": roll,
            "retired": retired,
            "open_questions": open_questions,
        }
    )


def roll_of(at: Snapshot, area: str) -> int:
    rows = at.rows(_ROLL, area)
    return int(rows[0][0] or 0) if rows else 0


def check_area(at: Snapshot, area: str | None) -> None:
    """Raises `NotFound` for an area that a filter names and that is not there."""
    if area is not None:
        area_row(at, area)


def check_policy(at: Snapshot, policy: str | None) -> None:
    """Raises `NotFound` for a policy area that is not there."""
    if policy is not None and not at.rows(_POLICY, policy):
        raise NotFound(f"There is no policy area {policy!r}.")


def check_organisation(at: Snapshot, organisation: str) -> None:
    """Raises `NotFound`."""
    if not at.rows(_ORGANISATION, organisation):
        raise NotFound(f"There is no organisation {organisation!r}.")


def figures(values: Sequence[Any]) -> Figures:
    """From values in the order of `FIGURES`."""
    return Figures(**dict(zip(FIGURES, values, strict=True)))


def figures_columns(table: str, function: str = "") -> str:
    """The columns of `FIGURES`, zero where there is no row; `function` may add them up."""
    return ", ".join(f"coalesce({function}({table}.{name}), 0)" for name in FIGURES)


def order_of(orders: Mapping[str, str], sort: str, *, then: str) -> str:
    """The ORDER BY of a list sorted by a name (`-name`: the other way round); `then` makes it total."""
    column = orders[sort.removeprefix("-")]
    return f"{column}{' DESC' if sort.startswith('-') else ''}, {then}"
