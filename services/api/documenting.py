"""What the OpenAPI document says beyond what FastAPI finds out: bodies of commands, problems, tokens."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ledger.domain.catalogue import COMMANDS
from ledger.domain.choices import MakeChoice
from ledger.domain.deciding import Command
from services.api.bodies import body_model
from services.api.negotiating import CSV, JSON
from services.api.problems import MEDIA_TYPE, Problem

API = "/api/v1"

QUESTION = "question"
"""The name of the path parameter with a question's id, and of the field of commands that it fills."""

_SCHEMAS = "#/components/schemas/"
_SAID: dict[int, str] = {
    304: "It has not changed since the answer with this ETag",
    400: "The body is not JSON",
    401: "A known bearer token is needed",
    403: "The token, or the person, may not do that",
    404: "There is no such thing",
    406: "It is not given in such a format",
    409: "What happened before does not allow this",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The request is not well formed, or the rules do not allow what it says",
    501: "The library that counts by this rule is not installed",
    503: "A store cannot be used just now",
    504: "The read models have not come to `wait_for` in time",
}


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with problems of these statuses."""
    schema = {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}
    return {
        status: {"description": _SAID[status], "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


def no_news() -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that takes `If-None-Match`."""
    return {304: {"description": _SAID[304]}}


def read_of(
    model: Any,
    tag: str,
    *more: int,
    formats: Sequence[str] = (JSON,),
    personal: bool = False,
) -> dict[str, Any]:
    """What a read's route says: its answer in each format, and the problems that it may tell of."""
    statuses = {404, 406, 422, 503, 504, *more, *((401, 403) if personal else ())}
    responses = problems_of(*sorted(statuses))
    if not personal:
        responses |= no_news()
    if CSV in formats:
        responses[200] = {"content": {CSV: {"schema": {"type": "string"}}}}
    told: dict[str, Any] = {"response_model": model, "responses": responses, "tags": [tag]}
    return told | ({"openapi_extra": {"security": needs_token()}} if personal else {})


def body_of(kind: type[Command], without: str | None = None) -> dict[str, Any]:
    """The `requestBody` of a route that takes the command, where `without` is in the path."""
    schema = {"$ref": _SCHEMAS + _model(kind, without).__name__}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def path_parameter(name: str, about: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": about,
        "schema": {"type": "string", "minLength": 1},
    }


def needs_token() -> list[dict[str, list[str]]]:
    """The `security` of a route that needs a token."""
    return [{"bearer": []}]


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, complete."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        schemas = found["components"]["schemas"]
        for name, schema in _schemas().items():
            assert schemas.setdefault(name, schema) == schema, f"two schemas named {name}"
        found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = found
    return app.openapi_schema


@cache
def _model(kind: type[Command], without: str | None = None) -> type[BaseModel]:
    return body_model(kind, without)


def _schemas() -> dict[str, Any]:
    bodies = [_model(kind) for family in COMMANDS.values() for kind in family]
    models: list[type[BaseModel]] = [*bodies, _model(MakeChoice, QUESTION), Problem]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template=_SCHEMAS + "{model}"
    )
    found: dict[str, Any] = schemas["$defs"]
    return found
