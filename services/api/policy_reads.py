"""The reads about policy areas, across the levels of democracy."""

from typing import Annotated, Literal

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import (
    DecisionList,
    MandateList,
    PolicyAreas,
    PolicyList,
    PolicyView,
    PromiseList,
)
from projections.queries import policies, results
from services.api.documenting import API, read_of
from services.api.negotiating import BOTH
from services.api.parameters import (
    AtStage,
    MandateSort,
    OfFate,
    Paging,
    PolicyId,
    PositionSort,
    PromiseSort,
    Said,
    Text,
    WaitFor,
    Within,
    said,
)
from services.api.reading import Reading
from services.assembly import System

POLICY = f"{API}/policies/{{policy:path}}"
Parent = Annotated[Text | None, Query(description="Only the parts of this policy area.")]
AreaSort = Literal[
    "area", "-area", "name", "-name", "roll", "-roll", "decisions", "-decisions", "kept", "-kept"
]
IsTop = Annotated[Said | None, Query(description="Only those that are part of no other.")]


def add_policy_reads(app: FastAPI, system: System, reading: Reading) -> None:
    """Add the routes. Longer paths come first, since an id may hold slashes."""
    ask = system.queries.ask

    @app.get(f"{API}/policies", **read_of(PolicyList, "policies", formats=BOTH))
    async def list_policies(
        request: Request,
        page: Paging,
        parent: Parent = None,
        top: IsTop = None,
        sort: Literal["policy", "-policy", "name", "-name", "decisions", "-decisions"] = "policy",
        wait_for: WaitFor = None,
    ) -> Response:
        """All policy areas, or those that match."""
        return await reading.answer(
            request,
            lambda: ask(policies.policy_list, page, sort, parent=parent, top=said(top)),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{POLICY}/areas", **read_of(PolicyAreas, "policies", formats=BOTH))
    async def policy_areas(
        request: Request,
        policy: PolicyId,
        page: Paging,
        within: Within = None,
        sort: AreaSort = "area",
        wait_for: WaitFor = None,
    ) -> Response:
        """How far each area has come in a policy area."""
        return await reading.answer(
            request,
            lambda: ask(policies.policy_areas, policy, page, sort, within=within),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{POLICY}/mandates", **read_of(MandateList, "policies", formats=BOTH))
    async def policy_mandates(
        request: Request,
        policy: PolicyId,
        page: Paging,
        within: Within = None,
        stage: AtStage = None,
        sort: MandateSort = "area",
        wait_for: WaitFor = None,
    ) -> Response:
        """The standing mandates for a policy area in all areas: who leads, and who holds them."""
        scope = results.Scope(within, policy=policy)
        return await reading.answer(
            request,
            lambda: ask(results.mandates, scope, page, sort, stage=stage),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{POLICY}/decisions", **read_of(DecisionList, "policies", formats=BOTH))
    async def policy_decisions(
        request: Request,
        policy: PolicyId,
        page: Paging,
        within: Within = None,
        sort: PositionSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """What was decided in a policy area, in all areas."""
        scope = results.Scope(within, policy=policy)
        return await reading.answer(
            request, lambda: ask(results.decisions, scope, page, sort), wait_for, formats=BOTH
        )

    @app.get(f"{POLICY}/promises", **read_of(PromiseList, "policies", formats=BOTH))
    async def policy_promises(
        request: Request,
        policy: PolicyId,
        page: Paging,
        within: Within = None,
        fate: OfFate = None,
        sort: PromiseSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """The options that were adopted in a policy area, and what became of them."""
        scope = results.Scope(within, policy=policy)
        return await reading.answer(
            request,
            lambda: ask(results.promises, "policy", scope, page, sort, fate=fate),
            wait_for,
            formats=BOTH,
        )

    @app.get(POLICY, **read_of(PolicyView, "policies"))
    async def policy(request: Request, policy: PolicyId, wait_for: WaitFor = None) -> Response:
        """One policy area: its place in the taxonomy, and how far it has come in all areas together."""
        return await reading.answer(request, lambda: ask(policies.policy_view, policy), wait_for)
