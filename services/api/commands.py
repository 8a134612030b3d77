"""One route for every command of the catalogue, and the short ones for a choice."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.domain.catalogue import COMMANDS
from ledger.domain.choices import MakeChoice, WithdrawChoice
from ledger.domain.deciding import Command
from services.api.access import Access, not_allowed, roles_that_may_give
from services.api.bodies import invalid, read_object
from services.api.commanding import carry_out
from services.api.documenting import (
    API,
    QUESTION,
    body_of,
    needs_token,
    path_parameter,
    problems_of,
)
from services.api.idempotency import HEADER, key_of
from services.assembly import System
from services.errors import Wrong
from services.metrics import Metrics

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Content = Callable[[Request], Awaitable[dict[str, Any]]]
"""Reads the content of a command from a request."""

_STATUSES = (400, 401, 403, 404, 409, 413, 415, 422, 501, 503)
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same command sent again with the same key is carried out once.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}
_QUESTION = path_parameter(QUESTION, "The question's id; it may hold slashes.")


class Carried(BaseModel):
    """The command was carried out."""

    position: int = Field(
        description="Where its last event stands; as `wait_for`, reads what the command changed."
    )
    again: bool = Field(description="It had been carried out before; nothing happened this time.")
    command_id: str


class CommandRoutes:
    """Takes commands. The order of the checks: token, role, key, body, then the rules of the domain."""

    def __init__(self, system: System, access: Access, metrics: Metrics) -> None:
        self._system = system
        self._access = access
        self._metrics = metrics

    def add_to(self, app: FastAPI) -> Route:
        """Add `PUT` and `DELETE` of a choice, and `POST /commands/{verb}` for every verb. The route of `PUT`."""
        path = f"{API}/questions/{{{QUESTION}:path}}/choice"
        choose = self._add(
            app,
            "PUT",
            path,
            self._taking("choice", MakeChoice, _marks),
            operation_id="choose",
            summary="Make or change one's choice",
            tags=["choice"],
            openapi_extra={
                "requestBody": body_of(MakeChoice, QUESTION),
                "parameters": [_QUESTION, _KEY],
            },
        )
        self._add(
            app,
            "DELETE",
            path,
            self._taking("choice", WithdrawChoice, _question),
            operation_id="withdraw",
            summary="Take one's choice back",
            tags=["choice"],
            openapi_extra={"parameters": [_QUESTION, _KEY]},
        )
        for family, kinds in COMMANDS.items():
            for kind in kinds:
                self._add(
                    app,
                    "POST",
                    f"{API}/commands/{kind.verb}",
                    self._taking(family, kind, read_object),
                    operation_id=kind.verb,
                    summary=kind.verb.replace("-", " ").capitalize(),
                    description=kind.__doc__,
                    tags=[family],
                    openapi_extra={"requestBody": body_of(kind), "parameters": [_KEY]},
                )
        return choose

    def _add(
        self,
        app: FastAPI,
        method: str,
        path: str,
        handler: Handler,
        *,
        openapi_extra: dict[str, Any],
        **told: Any,
    ) -> Route:
        carried = {"model": Carried, "description": "It is carried out, or was before"}
        app.router.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=201 if method == "POST" else 200,
            response_model=Carried,
            responses={200: carried, **problems_of(*_STATUSES)},
            openapi_extra={"security": needs_token(), **openapi_extra},
            route_class_override=_Direct,
            **told,
        )
        added = app.router.routes[-1]
        assert isinstance(added, Route)
        return added

    def _taking(self, family: str, kind: type[Command], content: Content) -> Handler:
        may_give = roles_that_may_give(family, kind)

        async def take(request: Request) -> Response:
            try:
                principal = self._access.principal(request)
                if principal.role not in may_give:
                    raise not_allowed(principal, kind)
                key = key_of(request)
                done = await carry_out(self._system, principal, kind, await content(request), key)
            except Exception as error:
                self._metrics.failed(kind.verb, error)
                raise
            self._metrics.command(kind.verb, "again" if done.again else "accepted")
            status = 201 if request.method == "POST" and not done.again else 200
            return Response(orjson.dumps(done._asdict()), status, media_type="application/json")

        return take


class _Direct(APIRoute):
    """Leaves the request to the handler: what FastAPI would look for in it, there is none of."""

    def get_route_handler(self) -> Handler:
        handler: Handler = self.endpoint
        return handler


async def _marks(request: Request) -> dict[str, Any]:
    content = await read_object(request)
    if QUESTION in content:
        raise invalid(Wrong(QUESTION, "the address names the question"))
    return content | await _question(request)


async def _question(request: Request) -> dict[str, Any]:
    return {QUESTION: request.path_params[QUESTION]}
