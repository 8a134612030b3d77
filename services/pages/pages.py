"""The pages and their addresses."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ledger.domain.event import instant
from projections.queries import Page, areas, organisations, policies, results
from services.assembly import System
from services.errors import EXPLAINED_AT, Fault, Meaning, RequestFault, meanings
from services.pages.area_page import area_page
from services.pages.charts import day_chart
from services.pages.names import Names
from services.pages.question_page import question_page
from services.pages.receipt_page import empty_page, pasted, receipt_page
from services.pages.templating import environment, path
from services.receipts import Receipts

T = TypeVar("T")

MOST_ROWS = 500
MOST_RESULTS = 100
"""Rows of a table on a page: of those that have pages, and of what is told the latest first."""

_STATIC = Path(__file__).with_name("static")
_MEANT_BY_STATUS = {
    400: "What was sent could not be read. Correct it and send it again.",
    401: "Who sends this is not known. Send a token that the operator gave out.",
    403: "Whoever sends this may not do it. Another token, or another person, may.",
    404: "What it names is not there, or not yet. Check how it is spelled.",
    405: "The address is right, but it takes another method: the answer's Allow header says which.",
    406: "It is there, but not in a format that was asked for. Ask for another one in the Accept header.",
    409: "It was understood, but what has happened before does not allow it. Read how things stand now.",
    413: "It is longer than the server takes. Send less at once.",
    415: "The server takes JSON only.",
    422: "It could be read, but it contradicts itself or the rules. The detail says where and why.",
    500: "The fault is on this side. It was noted for the operator.",
    501: "The operator can install what is missing.",
    503: "A part of the server cannot work just now. Try again; a command with the same Idempotency-Key.",
    504: "Nothing is lost: the read models are still catching up with the log. Ask again in a moment.",
}


class Read(Protocol):
    """Runs a read where it holds nobody up."""

    def __call__(self, read: Callable[[], T], /) -> Coroutine[Any, Any, T]: ...


class Pages:
    """Renders pages off the event loop. Each says which position it stands for, and when it was made."""

    def __init__(self, system: System, read: Read, receipts: Receipts) -> None:
        self._system = system
        self._receipts = receipts
        self._read = read
        self._templates = environment()

    def add_to(self, app: FastAPI) -> None:
        app.mount("/static", StaticFiles(directory=_STATIC), name="static")
        for address, page in (
            ("/", self._home),
            ("/areas", self._areas),
            ("/areas/{area:path}", self._area),
            ("/questions/{question:path}", self._question),
            ("/policies", self._policies),
            ("/policies/{policy:path}", self._policy),
            ("/organisations", self._organisations),
            ("/organisations/{organisation:path}", self._organisation),
            ("/receipts", self._no_receipt),
            (EXPLAINED_AT.rstrip("/"), self._problems),
            (EXPLAINED_AT + "{name}", self._problem),
        ):
            app.add_api_route(address, page, include_in_schema=False)
        app.add_api_route("/receipts", self._pasted, methods=["POST"], include_in_schema=False)

    def error(self, means: Meaning, detail: str, headers: dict[str, str]) -> Response:
        """The page that tells a person of an error."""
        text = self._text("error.html", meaning=means, detail=detail)
        return _html(text, means.status, headers)

    async def _home(self, _: Request) -> Response:
        found = await self._read(self._system.queries.areas)
        tops = [one for one in found.items if "/" not in one.area and not one.retired]
        if len(tops) == 1:
            return RedirectResponse(f"/areas/{path(tops[0].area)}", 307)
        return await self._areas(_)

    async def _areas(self, request: Request) -> Response:
        begins = _offset(request)

        def render() -> str:
            page = Page(MOST_ROWS, begins)
            found = self._system.queries.ask(areas.area_list, page, "area")
            ends = begins + len(found.items)
            return self._text(
                "areas.html",
                position=found.position,
                areas=found.items,
                earlier=max(0, begins - MOST_ROWS) if begins else None,
                later=ends if ends < found.total else None,
            )

        return await self._page(render)

    async def _policies(self, _: Request) -> Response:
        def render() -> str:
            found = self._system.queries.ask(policies.policy_list, Page(MOST_ROWS), "policy")
            return self._text("policies.html", position=found.position, policies=found.items)

        return await self._page(render)

    async def _policy(self, request: Request) -> Response:
        def render() -> str:
            policy, ask = request.path_params["policy"], self._system.queries.ask
            view = ask(policies.policy_view, policy)
            scope = results.Scope(policy=policy)
            by_area = ask(policies.policy_areas, policy, Page(MOST_ROWS), "area").items
            return self._text(
                "policy.html",
                position=view.position,
                policy=view,
                by_area=by_area,
                areas={one.area: one.name for one in by_area},
                mandates=ask(results.mandates, scope, Page(MOST_ROWS), "area", stage="open").items,
                adopted=ask(results.promises, "policy", scope, Page(MOST_RESULTS)).items,
            )

        return await self._page(render)

    async def _organisations(self, _: Request) -> Response:
        def render() -> str:
            listed = self._system.queries.ask(
                organisations.organisation_list, Page(MOST_ROWS), "name"
            )
            return self._text(
                "organisations.html", position=listed.position, organisations=listed.items
            )

        return await self._page(render)

    async def _organisation(self, request: Request) -> Response:
        def render() -> str:
            id_, ask = request.path_params["organisation"], self._system.queries.ask
            view = ask(organisations.organisation_view, id_)
            latest = Page(MOST_RESULTS)
            held = ask(organisations.organisation_mandates, id_, latest, "area", stage="open")
            return self._text(
                "organisation.html",
                position=view.position,
                organisation=view,
                mandates=held.items,
                adopted=ask(organisations.organisation_promises, id_, latest, "-position").items,
                duties=ask(organisations.organisation_duties, id_, latest, "-position").items,
            )

        return await self._page(render)

    async def _area(self, request: Request) -> Response:
        def render() -> str:
            view = self._system.queries.area(request.path_params["area"])
            shown = area_page(view, Names(self._system.ledger.facts()))
            return self._text(
                "area.html", position=view.position, page=shown, chart=day_chart(shown.days)
            )

        return await self._page(render)

    async def _question(self, request: Request) -> Response:
        def render() -> str:
            view = self._system.queries.question(request.path_params["question"])
            shown = question_page(view, Names(self._system.ledger.facts()))
            return self._text("question.html", position=view.position, page=shown)

        return await self._page(render)

    async def _no_receipt(self, _: Request) -> Response:
        return await self._page(
            lambda: self._text("receipts.html", page=empty_page(self._receipts))
        )

    async def _pasted(self, request: Request) -> Response:
        text = await pasted(request)

        def titles(question: str) -> dict[str, str]:
            return {one.id: one.title for one in self._system.queries.question(question).options}

        def render() -> str:
            shown = receipt_page(self._receipts, text, titles)
            position = None if shown.followed is None else shown.followed.position
            return self._text("receipts.html", position=position, page=shown)

        # It shows what was chosen, so it stays nowhere.
        return _html(await self._read(render), headers={"Cache-Control": "no-store"})

    async def _problems(self, _: Request) -> Response:
        found = sorted(meanings(), key=lambda one: (one.status, one.type))
        return _html(self._text("problems.html", meanings=found, meant=_MEANT_BY_STATUS))

    async def _problem(self, request: Request) -> Response:
        name = request.path_params["name"]
        for one in meanings():
            if one.type == name:
                meant = _MEANT_BY_STATUS.get(one.status, "")
                return _html(self._text("problem.html", meaning=one, meant=meant))
        raise RequestFault(Fault.NO_SUCH_PATH, "There is no problem of that name.")

    async def _page(self, render: Callable[[], str]) -> Response:
        return _html(await self._read(render))

    def _text(self, template: str, **shown: Any) -> str:
        now = instant(datetime.now(UTC))
        return self._templates.get_template(template).render(now=now, **{"position": None, **shown})


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if not text.isdecimal() or str(int(text)) != text or len(text) > 15:
        raise RequestFault(Fault.INVALID_REQUEST, "Give a whole number in digits.", "offset")
    return int(text)


def _html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers or {"Cache-Control": "no-cache"}, "text/html")
