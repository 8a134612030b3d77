"""What came of questions, for areas, policy areas and organisations: decisions, promises, standing mandates."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from projections.answers import (
    Backed,
    DecisionList,
    DecisionView,
    MandateList,
    MandateView,
    NamedOption,
    PromiseList,
    PromiseView,
)
from projections.queries.lookups import (
    EVERYWHERE,
    Page,
    Where,
    check_area,
    check_policy,
    order_of,
    page_of,
    position_of,
    typed,
)
from projections.queries.questions import VOTERS
from projections.stores.port import Snapshot

DECISION_ORDERS = {"position": "d.position"}
_DECISIONS = (
    "SELECT d.question, d.position, d.time, d.decision, q.title, q.area, q.policy, q.mandate, q.options"
    " FROM question_decision d JOIN question q ON q.question = d.question"
)
_NAMES = "SELECT organisation, name FROM organisation"

PROMISE_ORDERS = {"position": "p.position", "title": "p.title", "decided_at": "p.decided_at"}
_PROMISES = (
    "SELECT p.question, q.title AS question_title, p.option, p.title, p.area, p.policy, p.organisation,"
    " p.fate, p.stage, p.percent, p.time, p.decided_at, p.position"
    " FROM {table} p JOIN question q ON q.question = p.question"
)

MANDATE_ORDERS = {"policy": "q.policy", "area": "q.area", "voters": "voters", "title": "q.title"}
_MANDATES = (
    "SELECT q.question, q.title, q.area, q.policy, p.name, q.stage, q.sealed, q.options,"
    f" {VOTERS} AS voters"
    " FROM question q JOIN policy p ON p.policy = q.policy"
)
AMOUNT = (
    "sum(CASE q.method WHEN 'score' THEN c.count * c.mark WHEN 'points' THEN c.count * c.mark"
    " WHEN 'ranking' THEN CASE WHEN c.mark = 1 THEN c.count ELSE 0 END"
    " WHEN 'agreement' THEN CASE WHEN c.mark = 1 THEN c.count ELSE 0 END"
    " ELSE c.count END)"
)
"""What speaks for an option (`c`: its cells, `q`: its question): choices, first places, or the sum of the marks."""

_BACKED = (
    f"SELECT c.question, c.option, {AMOUNT} AS amount"
    " FROM question_cell c JOIN question q ON q.question = c.question"
)
_LAST_DECISIONS = "SELECT question, decision FROM question_decision"


class Scope(NamedTuple):
    """Whose results are wanted: those of an area (with or without the areas below it), of a policy area, of both."""

    area: str | None = None
    below: bool = True
    policy: str | None = None

    def where(self, at: Snapshot, alias: str) -> Where:
        """The conditions on a table with an area and a policy area. Raises `NotFound`."""
        check_area(at, self.area)
        check_policy(at, self.policy)
        where = EVERYWHERE.equal(**{f"{alias}__policy": self.policy})
        if self.below:
            return where.within(f"{alias}.area", self.area)
        return where.equal(**{f"{alias}__area": self.area})


def decisions(at: Snapshot, scope: Scope, page: Page, sort: str = "-position") -> DecisionList:
    """A page of decisions. Raises `NotFound`, `NoSuchPage`."""
    where = scope.where(at, "q")
    order = order_of(DECISION_ORDERS, sort, then="d.question")
    total, rows = page_of(at, _DECISIONS, where, order, page)
    told = [orjson.loads(row[3]) for row in rows]
    names = _names(at, {one["by"] for one in told} - {None})
    return DecisionList(
        position=position_of(at, "question", "organisation"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[_decision(row, one, names) for row, one in zip(rows, told, strict=True)],
    )


def promises(
    at: Snapshot,
    model: str,
    scope: Scope,
    page: Page,
    sort: str = "-position",
    *,
    fate: str | None = None,
    organisation: str | None = None,
) -> PromiseList:
    """A page of promises as one model keeps them. Raises `NotFound`, `NoSuchPage`."""
    where = scope.where(at, "p").equal(p__fate=fate, p__organisation=organisation)
    order = order_of(PROMISE_ORDERS, sort, then="p.question, p.option")
    total, rows = page_of(at, _PROMISES.format(table=f"{model}_promise"), where, order, page)
    return PromiseList(
        position=position_of(at, "question", model),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            PromiseView(**dict(zip(PromiseView.model_fields, row, strict=True))) for row in rows
        ],
    )


def mandates(
    at: Snapshot, scope: Scope, page: Page, sort: str = "policy", *, stage: str | None = None
) -> MandateList:
    """A page of standing mandates with who leads and who holds. Raises `NotFound`, `NoSuchPage`."""
    where = scope.where(at, "q").equal(q__mandate=1, q__stage=stage)
    order = order_of(MANDATE_ORDERS, sort, then="q.question")
    total, rows = page_of(at, _MANDATES, where, order, page)
    ids = [row[0] for row in rows]
    leading = _leading(at, rows)
    holding = _holding(at, ids)
    return MandateList(
        position=position_of(at, "question", "policy", "organisation"),
        total=total,
        offset=page.offset,
        limit=page.limit,
        items=[
            MandateView(
                question=question,
                title=title,
                area=area,
                policy=policy,
                policy_name=policy_name,
                stage=stage,
                sealed=bool(sealed),
                voters=voters,
                leading=leading.get(question, []),
                holding=holding.get(question, []),
            )
            for question, title, area, policy, policy_name, stage, sealed, _, voters in rows
        ],
    )


def _decision(row: tuple[Any, ...], told: dict[str, Any], names: dict[str, str]) -> DecisionView:
    question, position, time, _, title, area, policy, mandate, options = row
    titles = {id_: option_title for id_, option_title, _ in orjson.loads(options)}
    rule, by = told["rule"], told["by"]
    return DecisionView(
        question=question,
        title=title,
        area=area,
        policy=policy,
        mandate=bool(mandate),
        position=position,
        time=time,
        by=by,
        by_name=None if by is None else names.get(by, by),
        rule=None if rule is None else rule["name"],
        voters=told["voters"],
        adopted=[NamedOption(id=one, title=titles[one]) for one in told["adopted"]],
        tied=[NamedOption(id=one, title=titles[one]) for one in told["tied"]],
        reason=told["reason"],
    )


def _leading(at: Snapshot, mandates: Sequence[tuple[Any, ...]]) -> dict[str, list[Backed]]:
    """The programmes that are backed the most, of mandates whose count is public."""
    options = {row[0]: orjson.loads(row[7]) for row in mandates if not row[6]}
    if not options:
        return {}
    where = EVERYWHERE.one_of("c.question", list(options))
    sql = f"{_BACKED}{where.sql} GROUP BY c.question, c.option"
    backed: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for question, option, amount in typed(at.rows(sql, *where.values)):
        backed[question][option] = amount
    most = {question: max(of_options.values()) for question, of_options in backed.items()}
    names = _names(
        at, {behind for choices in options.values() for _, _, behind in choices} - {None}
    )
    return {
        question: [
            Backed(
                option=option,
                title=title,
                organisation=behind,
                organisation_name=None if behind is None else names.get(behind, behind),
                backed_by=most[question],
            )
            for option, title, behind in options[question]
            if most[question] > 0 and backed[question].get(option) == most[question]
        ]
        for question in most
    }


def _holding(at: Snapshot, questions: Sequence[str]) -> dict[str, list[str]]:
    """The options that the last decision on each question adopted."""
    if not questions:
        return {}
    where = EVERYWHERE.one_of("question", questions)
    rows = at.rows(f"{_LAST_DECISIONS}{where.sql} ORDER BY position", *where.values)
    return {question: orjson.loads(told)["adopted"] for question, told in typed(rows)}


def _names(at: Snapshot, organisations: set[Any]) -> dict[str, str]:
    if not organisations:
        return {}
    where = EVERYWHERE.one_of("organisation", sorted(organisations))
    return dict(typed(at.rows(_NAMES + where.sql, *where.values)))
