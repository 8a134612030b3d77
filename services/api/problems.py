"""Every error as a problem document (RFC 9457). What each means stands in `services.errors`, and there alone."""

import logging
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ledger.domain.counting.libraries import CountingLibraryMissing
from ledger.domain.refusals import Refused
from ledger.eventlog.port import StandsBy
from services.errors import EXPLAINED_AT, KNOWN_ERRORS, Fault, Meaning, RequestFault, meaning

MEDIA_TYPE = "application/problem+json"
_TOLD_IN_FULL = (RequestFault, CountingLibraryMissing)
"""Errors whose text is meant for the caller even where the status says that it is ours."""

_logger = logging.getLogger(__name__)


class WrongField(BaseModel):
    """One thing that is wrong, and where: a path with dots, or null for the whole body."""

    field: str | None
    reason: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    type: str = Field(description="Stable: `/problems/` and the problem's name.")
    title: str
    status: int
    detail: str
    field: str | None = Field(default=None, description="The field at fault, if it is one.")
    errors: list[WrongField] | None = Field(default=None, description="All that is wrong.")


def document(error: Exception) -> tuple[Meaning, dict[str, Any]]:
    """What the error means, and its problem document. An unknown error is an internal one."""
    try:
        means = meaning(error)
    except KeyError:
        return document(
            RequestFault(Fault.INTERNAL, "The error was noted. Please try again later.")
        )
    told: dict[str, Any] = {
        "type": EXPLAINED_AT + means.type,
        "title": means.title,
        "status": means.status,
        "detail": _detail(error, means),
    }
    if isinstance(error, Refused | RequestFault) and error.field is not None:
        told["field"] = error.field
    if isinstance(error, RequestFault) and error.errors:
        told["errors"] = [one._asdict() for one in error.errors]
    return means, told


def response(error: Exception) -> Response:
    """The error's problem document as an answer."""
    means, told = document(error)
    return Response(orjson.dumps(told), means.status, headers(error, means), MEDIA_TYPE)


def headers(error: Exception, means: Meaning) -> dict[str, str]:
    """The headers of an answer that tells of the error."""
    found = {"Cache-Control": "no-store"}
    if isinstance(error, RequestFault):
        found |= error.headers
    if means.status == 503:
        found["Retry-After"] = "1"
    return found


def note(error: Exception) -> None:
    """Write an error that is known, and not the caller's, to the operator's log (the server writes unknown ones)."""
    if isinstance(error, KNOWN_ERRORS) and not isinstance(error, _TOLD_IN_FULL):
        means = meaning(error)
        if means.status >= 500:
            _logger.error("%s: %s", means.type, error)


def _detail(error: Exception, means: Meaning) -> str:
    if means.status < 500 or isinstance(error, _TOLD_IN_FULL):
        return str(error)
    if isinstance(error, StandsBy):
        return "Nothing was carried out here. Send it to the server that takes the commands, or again in a moment."
    # Such an error names files and machines: that is for the operator's log, not for a caller.
    return (
        "If this was a command, whether it was carried out is not known: send it again with the same "
        "Idempotency-Key. The operator's log says more."
    )
