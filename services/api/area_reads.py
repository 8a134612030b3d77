"""The reads about areas."""

from typing import Annotated, Literal

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import (
    AreaDays,
    AreaList,
    AreaQuestions,
    AreaView,
    DecisionList,
    MandateList,
    PromiseList,
)
from projections.queries import areas, results
from services.api.documenting import API, read_of
from services.api.negotiating import BOTH
from services.api.parameters import (
    AreaPath,
    AtStage,
    FirstDay,
    IsMandate,
    LastDay,
    MandateSort,
    OfFate,
    OnePolicy,
    Paging,
    PositionSort,
    PromiseSort,
    Said,
    Text,
    WaitFor,
    check_days,
    said,
)
from services.api.reading import Reading
from services.assembly import System

Parent = Annotated[Text | None, Query(description="Only the areas right below this one.")]
OfKind = Annotated[
    Literal["territory", "community"] | None, Query(description="Only areas of this kind.")
]
Below = Annotated[Said, Query(description="Whether what is asked in the areas below counts too.")]
AREA = f"{API}/areas/{{area:path}}"


def add_area_reads(app: FastAPI, system: System, reading: Reading) -> None:
    """Add the routes. Longer paths come first, since an id holds slashes."""
    ask = system.queries.ask

    @app.get(f"{API}/areas", **read_of(AreaList, "areas", formats=BOTH))
    async def list_areas(
        request: Request,
        page: Paging,
        parent: Parent = None,
        kind: OfKind = None,
        retired: Annotated[Said | None, Query(description="Only areas no longer used.")] = None,
        sort: Literal["area", "-area", "name", "-name", "roll", "-roll"] = "area",
        wait_for: WaitFor = None,
    ) -> Response:
        """All areas, or those that match."""
        return await reading.answer(
            request,
            lambda: ask(
                areas.area_list, page, sort, parent=parent, kind=kind, retired=said(retired)
            ),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{AREA}/questions", **read_of(AreaQuestions, "areas", formats=BOTH))
    async def area_questions(
        request: Request,
        area: AreaPath,
        page: Paging,
        asked_by: Annotated[Text | None, Query(description="Only what this area asks.")] = None,
        policy: OnePolicy = None,
        mandate: IsMandate = None,
        stage: AtStage = None,
        sort: Literal["position", "-position", "title", "-title", "voters", "-voters"] = "position",
        wait_for: WaitFor = None,
    ) -> Response:
        """The questions that an area asks or its people answer, with their counts among those people."""
        return await reading.answer(
            request,
            lambda: ask(
                areas.area_questions,
                area,
                page,
                sort,
                asked_by=asked_by,
                policy=policy,
                mandate=said(mandate),
                stage=stage,
            ),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{AREA}/mandates", **read_of(MandateList, "areas", formats=BOTH))
    async def area_mandates(
        request: Request,
        area: AreaPath,
        page: Paging,
        policy: OnePolicy = None,
        stage: AtStage = None,
        below: Below = "false",
        sort: MandateSort = "policy",
        wait_for: WaitFor = None,
    ) -> Response:
        """The standing mandates of an area by policy area: who leads, and who holds them."""
        scope = results.Scope(area, below == "true", policy)
        return await reading.answer(
            request,
            lambda: ask(results.mandates, scope, page, sort, stage=stage),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{AREA}/decisions", **read_of(DecisionList, "areas", formats=BOTH))
    async def area_decisions(
        request: Request,
        area: AreaPath,
        page: Paging,
        policy: OnePolicy = None,
        below: Below = "false",
        sort: PositionSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """What was decided in an area, by whom, by which rule, and why."""
        scope = results.Scope(area, below == "true", policy)
        return await reading.answer(
            request, lambda: ask(results.decisions, scope, page, sort), wait_for, formats=BOTH
        )

    @app.get(f"{AREA}/promises", **read_of(PromiseList, "areas", formats=BOTH))
    async def area_promises(
        request: Request,
        area: AreaPath,
        page: Paging,
        policy: OnePolicy = None,
        fate: OfFate = None,
        below: Below = "false",
        sort: PromiseSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """The options that were adopted in an area, and what became of them: kept or not."""
        scope = results.Scope(area, below == "true", policy)
        return await reading.answer(
            request,
            lambda: ask(results.promises, "area", scope, page, sort, fate=fate),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{AREA}/days", **read_of(AreaDays, "areas", formats=BOTH))
    async def area_days(
        request: Request,
        area: AreaPath,
        page: Paging,
        first: FirstDay = None,
        last: LastDay = None,
        wait_for: WaitFor = None,
    ) -> Response:
        """Day by day: choices, standing choices and the roll, with all areas below."""
        check_days(first, last)
        return await reading.answer(
            request,
            lambda: ask(areas.area_days, area, page, first=first, last=last),
            wait_for,
            formats=BOTH,
        )

    @app.get(AREA, **read_of(AreaView, "areas"))
    async def area(request: Request, area: AreaPath, wait_for: WaitFor = None) -> Response:
        """One area, with all below it rolled up into it."""
        return await reading.answer(request, lambda: ask(areas.area_view, area), wait_for)
