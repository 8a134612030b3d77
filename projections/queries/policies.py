"""Policy areas: the taxonomy, and how far each area has come in each."""

from typing import Any

from projections.answers import (
    PolicyArea,
    PolicyAreas,
    PolicyList,
    PolicySummary,
    PolicyView,
)
from projections.course import FIGURES
from projections.queries.lookups import (
    NotFound,
    Page,
    Where,
    check_area,
    check_policy,
    figures,
    figures_columns,
    order_of,
    page_of,
    position_of,
    typed,
)
from projections.stores.port import Snapshot

POLICY_ORDERS = {
    "policy": "p.policy",
    "name": "p.name",
    "decisions": "coalesce(f.decisions, 0)",
}
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in FIGURES)
_POLICIES = (
    f"SELECT p.policy, p.name, p.parent, {figures_columns('f')}"
    f" FROM policy p LEFT JOIN (SELECT policy, {_SUMS} FROM policy_area GROUP BY policy) f"
    " ON f.policy = p.policy"
)
_AREAS = "SELECT count(*) FROM policy_area WHERE policy = ?"

POLICY_AREA_ORDERS = {
    "area": "f.area",
    "name": "a.name",
    "roll": "coalesce(r.size, 0)",
    "decisions": "f.decisions",
    "kept": "f.kept",
}
_BY_AREA = (
    "SELECT f.area, a.name, coalesce(r.size, 0), "
    + ", ".join(f"f.{name}" for name in FIGURES)
    + " FROM policy_area f JOIN area a ON a.area = f.area LEFT JOIN area_roll r ON r.area = f.area"
)


def policy_list(
    at: Snapshot, page: Page, sort: str, *, parent: str | None = None, top: bool | None = None
) -> PolicyList:
    """A page of all policy areas, or of those that match. Raises `NotFound`, `NoSuchPage`."""
    check_policy(at, parent)
    where = Where().equal(p__parent=parent)
    if top is not None:
        where = where.and_("p.parent IS NULL" if top else "p.parent IS NOT NULL")
    order = order_of(POLICY_ORDERS, sort, then="p.policy")
    total, rows = page_of(at, _POLICIES, where, order, page)
    return PolicyList(
        position=at.position("policy"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[_summary(row) for row in rows],
    )


def policy_view(at: Snapshot, policy: str) -> PolicyView:
    """One policy area. Raises `NotFound`."""
    found = _policy(at, policy)
    above: list[PolicySummary] = []
    parent = found.parent
    while parent is not None:
        above.insert(0, _policy(at, parent))
        parent = above[0].parent
    below = Where().equal(p__parent=policy)
    return PolicyView(
        position=at.position("policy"),
        policy=policy,
        name=found.name,
        above=above,
        below=[
            _summary(row)
            for row in typed(at.rows(f"{_POLICIES}{below.sql} ORDER BY p.policy", *below.values))
        ],
        areas=int(at.rows(_AREAS, policy)[0][0] or 0),
        figures=found.figures,
    )


def policy_areas(
    at: Snapshot, policy: str, page: Page, sort: str, *, within: str | None = None
) -> PolicyAreas:
    """A policy area in each area that has asked about it. Raises `NotFound`, `NoSuchPage`."""
    check_policy(at, policy)
    check_area(at, within)
    where = Where().equal(f__policy=policy).within("f.area", within)
    order = order_of(POLICY_AREA_ORDERS, sort, then="f.area")
    total, rows = page_of(at, _BY_AREA, where, order, page)
    return PolicyAreas(
        position=position_of(at, "policy", "area"),
        policy=policy,
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            PolicyArea(
                area=area,
                name=name,
                level=area.count("/"),
                roll=roll,
                figures=figures(values),
            )
            for area, name, roll, *values in rows
        ],
    )


def _policy(at: Snapshot, policy: str) -> PolicySummary:
    rows = typed(at.rows(f"{_POLICIES} WHERE p.policy = ?", policy))
    if not rows:
        raise NotFound(f"There is no policy area {policy!r}.")
    return _summary(rows[0])


def _summary(row: tuple[Any, ...]) -> PolicySummary:
    policy, name, parent, *values = row
    return PolicySummary(policy=policy, name=name, parent=parent, figures=figures(values))
