"""Bodies: read strictly, and checked against the command that they become."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.requests import ClientDisconnect, Request

from ledger.domain.deciding import Command
from services.api.access import ACTS_AS
from services.errors import Fault, RequestFault, Wrong

C = TypeVar("C", bound=Command)

CITIZEN = "citizen"
"""The field of a command that a body never has: the token says it, or the operator's `identity`."""

IDENTITY = "identity"
MAX_IDENTITY = 500
_MOST_ERRORS = 50


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object that the body holds. Raises `RequestFault` (400, 415, 422)."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RequestFault(
            Fault.WRONG_CONTENT_TYPE,
            f"Send the header `Content-Type: application/json`, not {content_type[:100]!r}.",
        )
    try:
        text = await request.body()
    except ClientDisconnect as error:  # nobody will read this, but it is no fault of ours either
        raise RequestFault(Fault.MALFORMED_JSON, "The connection ended before the body.") from error
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestFault(
            Fault.MALFORMED_JSON,
            f"{error.msg.partition(':')[0]} (line {error.lineno}, column {error.colno}, byte {error.pos})",
        ) from error
    if not isinstance(content, dict):
        raise invalid(Wrong(None, "the body must be a JSON object"))
    return content


def checked(kind: type[C], content: dict[str, Any]) -> C:
    """The command with this content. Raises `RequestFault` (422), which names every field at fault."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise invalid(
            *(
                Wrong(_path(one["loc"], content), one["msg"].removeprefix("Value error, "))
                for one in found[:_MOST_ERRORS]
            )
        ) from error


def invalid(*errors: Wrong) -> RequestFault:
    first = errors[0]
    where = "" if first.field is None else f"{first.field}: "
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return RequestFault(
        Fault.INVALID_REQUEST, f"{where}{first.reason}{more}", first.field, errors=errors
    )


def body_model(kind: type[Command], without: str | None = None) -> type[BaseModel]:
    """The body from which the command is made, as the OpenAPI document shows it, less one field."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in kind.model_fields.items()
        if name not in (CITIZEN, without)
    }
    for name in ACTS_AS["organisation"]:
        if name in fields:
            annotation, field = fields[name]
            told = "An organisation's token says it; the operator names it."
            fields[name] = (annotation | None, Field(default=None, description=told))
            fields[name][1].metadata.extend(field.metadata)
    if CITIZEN in kind.model_fields:
        told = "Who acts, as the roll names them: needed from the operator, illegal from a citizen."
        identity = Field(default=None, min_length=1, max_length=MAX_IDENTITY, description=told)
        fields[IDENTITY] = (str | None, identity)
    config = ConfigDict(extra="forbid", title=kind.__name__)
    name = f"{kind.__name__}Body" if without is None else f"{kind.__name__}Without{without.title()}"
    return create_model(name, __config__=config, __doc__=kind.__doc__, **fields)


def _path(location: Sequence[int | str], content: Mapping[str, Any]) -> str | None:
    """A field's path with dots. Pydantic also names the kind of a method or a rule there, which is no field."""
    parts: list[str] = []
    at: Any = content
    for part in location:
        if isinstance(at, dict):
            if part not in at and part in at.values():
                continue
            at = at.get(part)
        elif isinstance(at, list | tuple) and isinstance(part, int) and part < len(at):
            at = at[part]
        parts.append(str(part))
    return ".".join(parts) or None
