"""The whole HTTP application: API, pages, operations, and how their errors are told."""

from importlib.metadata import PackageNotFoundError, version

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from services.api import problems
from services.api.access import Access
from services.api.bodies import invalid
from services.api.commands import CommandRoutes
from services.api.documenting import API, document
from services.api.edge import Edge
from services.api.live import Live
from services.api.operations import add_operations
from services.api.public import add_public
from services.api.reading import Reading
from services.api.reads import add_reads
from services.api.receipts import add_receipts
from services.api.shortcut import Shortcut
from services.assembly import System
from services.checkpoint_metrics import CheckpointFigures
from services.errors import KNOWN_ERRORS, Fault, RequestFault, Wrong
from services.metrics import Metrics
from services.pages.pages import Pages
from services.publication import Publication
from services.receipts import Receipts
from services.upkeep import Upkeep

_ABOUT = """Commands need a bearer token; public reads need none. Every read answer states the `position` in the log
that it stands for; `wait_for` makes it wait for one. Every error is a problem document (RFC 9457), whose `type` leads
to a page that explains it. A question whose id ends in `/tally`, `/decision` or `/choice` is reached through
`/questions`, `/tallies.json` and `POST /commands/make-choice`."""


def application(system: System, upkeep: Upkeep, publication: Publication | None = None) -> ASGIApp:
    """The application for a running system; `publication` shows how far its public files have come."""
    metrics, access = Metrics(upkeep), Access(system.vault)
    if publication is not None:
        metrics.add(CheckpointFigures(lambda: publication.status))
    reading = Reading(upkeep.reached)
    app = FastAPI(
        title="Civic participation ledger",
        version=_version(),
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    receipts = Receipts(system)
    pages = Pages(system, reading.run, receipts)
    _add_error_handlers(app, pages)
    choose = CommandRoutes(system, access, metrics).add_to(app)
    add_receipts(app, receipts, reading, access)
    add_reads(app, system, reading, access, Live(upkeep.reached, reading.run))

    @app.get(f"{API}/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        text = await reading.run(lambda: orjson.dumps(document(app)))
        return Response(text, media_type="application/json")

    add_public(app, system.public, reading)
    add_operations(app, upkeep, metrics, publication)
    pages.add_to(app)
    return Edge(Shortcut(app, choose), system.settings.max_body_bytes, metrics)


def _add_error_handlers(app: FastAPI, pages: Pages) -> None:
    async def tell(request: Request, error: Exception) -> Response:
        problems.note(error)
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and not request.url.path.startswith(API):
            means, told = problems.document(error)
            return pages.error(means, told["detail"], problems.headers(error, means))
        return problems.response(error)

    async def tell_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await tell(request, _as_fault(app, request, error))

    async def tell_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [
            Wrong(".".join(map(str, one["loc"][1:])), one["msg"].removeprefix("Value error, "))
            for one in error.errors()
        ]
        return await tell(request, invalid(*wrong))

    for kind in (*KNOWN_ERRORS, Exception):
        app.add_exception_handler(kind, tell)
    app.add_exception_handler(HTTPException, tell_framework)
    app.add_exception_handler(RequestValidationError, tell_parameters)


def _as_fault(app: FastAPI, request: Request, error: HTTPException) -> RequestFault:
    match error.status_code:
        case 404:
            return RequestFault(
                Fault.NO_SUCH_PATH,
                "Check how it is spelled; /api/v1/openapi.json lists what programs may ask for.",
            )
        case 405:
            allowed = ", ".join(sorted(_allowed(app, request)))
            return RequestFault(
                Fault.METHOD_NOT_ALLOWED, f"It takes {allowed}.", headers={"Allow": allowed}
            )
        case _:
            return RequestFault(Fault.INVALID_REQUEST, error.detail)


def _allowed(app: FastAPI, request: Request) -> set[str]:
    """All methods of the address: the framework names those of the first route only."""
    return {
        method
        for route in app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


def _version() -> str:
    try:
        return version("civic-participation-ledger")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
