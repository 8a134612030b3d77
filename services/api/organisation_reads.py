"""The reads about organisations: what they put forward, hold and answer for."""

from typing import Annotated, Literal

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from ledger.domain.organisations import OrganisationKind
from projections.answers import (
    Duties,
    OrganisationList,
    OrganisationMandates,
    OrganisationView,
    PromiseList,
)
from projections.queries import organisations
from services.api.documenting import API, read_of
from services.api.negotiating import BOTH
from services.api.parameters import (
    AtStage,
    OfFate,
    OnePolicy,
    OrganisationId,
    Paging,
    PositionSort,
    PromiseSort,
    Said,
    WaitFor,
    Within,
    said,
)
from services.api.reading import Reading
from services.assembly import System

ORGANISATION = f"{API}/organisations/{{organisation:path}}"
HeldSort = Literal[
    "area", "-area", "policy", "-policy", "voters", "-voters", "backed_by", "-backed_by"
]
OfKind = Annotated[OrganisationKind | None, Query(description="Only organisations of this kind.")]
Leads = Annotated[Said | None, Query(description="Only where nobody is backed by more people now.")]
Holds = Annotated[
    Said | None, Query(description="Only where the last decision gave it the mandate.")
]
OfDuty = Annotated[
    Literal["recorded", "adopted", "reported"] | None,
    Query(
        description="Only decisions it recorded, or that adopted its option, or outcomes it reported."
    ),
]


def add_organisation_reads(app: FastAPI, system: System, reading: Reading) -> None:
    """Add the routes. Longer paths come first, since an id may hold slashes."""
    ask = system.queries.ask

    @app.get(f"{API}/organisations", **read_of(OrganisationList, "organisations", formats=BOTH))
    async def list_organisations(
        request: Request,
        page: Paging,
        kind: OfKind = None,
        within: Within = None,
        sort: Literal[
            "organisation", "-organisation", "name", "-name", "kept", "-kept"
        ] = "organisation",
        wait_for: WaitFor = None,
    ) -> Response:
        """All organisations, or those that match."""
        return await reading.answer(
            request,
            lambda: ask(organisations.organisation_list, page, sort, kind=kind, within=within),
            wait_for,
            formats=BOTH,
        )

    @app.get(
        f"{ORGANISATION}/mandates", **read_of(OrganisationMandates, "organisations", formats=BOTH)
    )
    async def organisation_mandates(
        request: Request,
        organisation: OrganisationId,
        page: Paging,
        within: Within = None,
        policy: OnePolicy = None,
        stage: AtStage = None,
        leads: Leads = None,
        holds: Holds = None,
        sort: HeldSort = "area",
        wait_for: WaitFor = None,
    ) -> Response:
        """The standing mandates for which it has a programme, by area and policy area."""
        return await reading.answer(
            request,
            lambda: ask(
                organisations.organisation_mandates,
                organisation,
                page,
                sort,
                within=within,
                policy=policy,
                stage=stage,
                leads=said(leads),
                holds=said(holds),
            ),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{ORGANISATION}/duties", **read_of(Duties, "organisations", formats=BOTH))
    async def organisation_duties(
        request: Request,
        organisation: OrganisationId,
        page: Paging,
        kind: OfDuty = None,
        sort: PositionSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """The decisions and outcomes that it answers for."""
        return await reading.answer(
            request,
            lambda: ask(organisations.organisation_duties, organisation, page, sort, kind=kind),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{ORGANISATION}/promises", **read_of(PromiseList, "organisations", formats=BOTH))
    async def organisation_promises(
        request: Request,
        organisation: OrganisationId,
        page: Paging,
        fate: OfFate = None,
        sort: PromiseSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """Its options that decisions adopted, and what became of them."""
        return await reading.answer(
            request,
            lambda: ask(organisations.organisation_promises, organisation, page, sort, fate=fate),
            wait_for,
            formats=BOTH,
        )

    @app.get(ORGANISATION, **read_of(OrganisationView, "organisations"))
    async def organisation(
        request: Request, organisation: OrganisationId, wait_for: WaitFor = None
    ) -> Response:
        """One organisation."""
        return await reading.answer(
            request,
            lambda: ask(organisations.organisation_view, organisation),
            wait_for,
        )
