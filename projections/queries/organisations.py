"""Organisations: what they put forward, which mandates they lead and hold, and what they answer for."""

from projections.answers import (
    Duties,
    Duty,
    OrganisationList,
    OrganisationMandate,
    OrganisationMandates,
    OrganisationSummary,
    OrganisationView,
    PromiseList,
)
from projections.organisation import COUNTED
from projections.queries import results
from projections.queries.lookups import (
    NotFound,
    Page,
    Where,
    check_area,
    check_organisation,
    check_policy,
    order_of,
    page_of,
    position_of,
    typed,
)
from projections.queries.questions import VOTERS
from projections.queries.results import AMOUNT
from projections.stores.port import Snapshot

ORGANISATION_ORDERS = {
    "organisation": "o.organisation",
    "name": "o.name",
    "kept": "coalesce(f.kept, 0)",
}
_COUNTED = ", ".join(f"coalesce(f.{name}, 0) AS {name}" for name in COUNTED)
_ORGANISATIONS = (
    f"SELECT o.organisation, o.name, o.kind, o.area, {_COUNTED}"
    " FROM organisation o LEFT JOIN organisation_figures f ON f.organisation = o.organisation"
)
_ORGANISATION = (
    f"SELECT o.name, o.kind, o.area, a.name AS area_name, o.about, {_COUNTED} FROM organisation o"
    " JOIN area a ON a.area = o.area"
    " LEFT JOIN organisation_figures f ON f.organisation = o.organisation WHERE o.organisation = ?"
)

MANDATE_ORDERS = {
    "area": "p.area",
    "policy": "p.policy",
    "voters": "voters",
    "backed_by": "backed_by",
}
_LEADS = "CASE WHEN q.sealed = 0 AND b.amount > 0 AND b.amount = m.amount THEN 1 ELSE 0 END"
_MANDATES = (
    f"WITH backed AS (SELECT c.question, c.option, {AMOUNT} AS amount FROM question_cell c"
    " JOIN question q ON q.question = c.question WHERE q.mandate = 1 AND c.question IN"
    " (SELECT question FROM organisation_programme WHERE organisation = ?)"
    " GROUP BY c.question, c.option)"
    " SELECT p.question, p.option, p.title AS programme, p.area, a.name AS area_name, p.policy,"
    f" c.name AS policy_name, q.stage, q.sealed, {VOTERS} AS voters,"
    " CASE WHEN q.sealed = 1 THEN 0 ELSE coalesce(b.amount, 0) END AS backed_by,"
    f" {_LEADS} AS leads, coalesce(r.standing, 0) AS holds"
    " FROM organisation_programme p"
    " JOIN question q ON q.question = p.question"
    " JOIN area a ON a.area = p.area"
    " JOIN policy c ON c.policy = p.policy"
    " LEFT JOIN backed b ON b.question = p.question AND b.option = p.option"
    " LEFT JOIN (SELECT question, max(amount) AS amount FROM backed GROUP BY question) m"
    " ON m.question = p.question"
    " LEFT JOIN organisation_promise r ON r.question = p.question AND r.option = p.option"
)

DUTY_ORDERS = {"position": "d.position"}
_DUTIES = (
    "SELECT d.position, d.time, d.kind, d.question, q.title, q.area, q.policy"
    " FROM organisation_duty d JOIN question q ON q.question = d.question"
)


def organisation_list(
    at: Snapshot, page: Page, sort: str, *, kind: str | None = None, within: str | None = None
) -> OrganisationList:
    """A page of all organisations, or of those that match. Raises `NotFound`, `NoSuchPage`."""
    check_area(at, within)
    where = Where().equal(o__kind=kind).within("o.area", within)
    order = order_of(ORGANISATION_ORDERS, sort, then="o.organisation")
    total, rows = page_of(at, _ORGANISATIONS, where, order, page)
    return OrganisationList(
        position=at.position("organisation"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            OrganisationSummary(**dict(zip(OrganisationSummary.model_fields, row, strict=True)))
            for row in rows
        ],
    )


def organisation_view(at: Snapshot, organisation: str) -> OrganisationView:
    """One organisation. Raises `NotFound`."""
    rows = typed(at.rows(_ORGANISATION, organisation))
    if not rows:
        raise NotFound(f"There is no organisation {organisation!r}.")
    ((name, kind, area, area_name, about, *counted),) = rows
    standing = _held(organisation).equal(q__stage="open")
    ((mandates, leads, holds),) = typed(
        at.rows(
            "SELECT count(*), coalesce(sum(leads), 0), coalesce(sum(holds), 0)"
            f" FROM ({_MANDATES}{standing.sql}) found",
            organisation,
            *standing.values,
        )
    )
    return OrganisationView(
        position=position_of(at, "organisation", "question", "area", "policy"),
        organisation=organisation,
        name=name,
        kind=kind,
        area=area,
        area_name=area_name,
        about=about,
        **dict(zip(COUNTED, counted, strict=True)),
        mandates=mandates,
        leads=leads,
        holds=holds,
    )


def organisation_mandates(
    at: Snapshot,
    organisation: str,
    page: Page,
    sort: str,
    *,
    within: str | None = None,
    policy: str | None = None,
    stage: str | None = None,
    leads: bool | None = None,
    holds: bool | None = None,
) -> OrganisationMandates:
    """The mandates for which it has a programme, by area and policy area. Raises `NotFound`, `NoSuchPage`."""
    check_organisation(at, organisation)
    check_area(at, within)
    check_policy(at, policy)
    where = _held(organisation).equal(p__policy=policy, q__stage=stage).within("p.area", within)
    if leads is not None:
        where = where.and_(f"{_LEADS} = ?", int(leads))
    if holds is not None:
        where = where.and_("coalesce(r.standing, 0) = ?", int(holds))
    order = order_of(MANDATE_ORDERS, sort, then="p.question, p.option")
    total, rows = page_of(at, _MANDATES, where, order, page, before=(organisation,))
    fields = tuple(OrganisationMandate.model_fields)
    items = []
    for row in rows:
        told = dict(zip(fields, row, strict=True))
        if told["sealed"]:
            told |= {"backed_by": None, "leads": None}
        items.append(OrganisationMandate(**told))
    return OrganisationMandates(
        position=position_of(at, "organisation", "question", "area", "policy"),
        organisation=organisation,
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=items,
    )


def organisation_duties(
    at: Snapshot,
    organisation: str,
    page: Page,
    sort: str,
    *,
    kind: str | None = None,
) -> Duties:
    """The decisions and outcomes that it answers for. Raises `NotFound`, `NoSuchPage`."""
    check_organisation(at, organisation)
    where = Where().equal(d__organisation=organisation, d__kind=kind)
    order = order_of(DUTY_ORDERS, sort, then="d.kind")
    total, rows = page_of(at, _DUTIES, where, order, page)
    return Duties(
        position=position_of(at, "organisation", "question"),
        organisation=organisation,
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[Duty(**dict(zip(Duty.model_fields, row, strict=True))) for row in rows],
    )


def organisation_promises(
    at: Snapshot, organisation: str, page: Page, sort: str, *, fate: str | None = None
) -> PromiseList:
    """Its options that decisions adopted, and what became of them. Raises `NotFound`, `NoSuchPage`."""
    check_organisation(at, organisation)
    everywhere = results.Scope()
    return results.promises(
        at, "organisation", everywhere, page, sort, fate=fate, organisation=organisation
    )


def _held(organisation: str) -> Where:
    return Where().equal(p__organisation=organisation, p__mandate=1)
