"""The witness over HTTP."""

import asyncio
import logging

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ledger.transparency.witnessing import ADD_CHECKPOINT, SIZE_TYPE, Declined, Forked
from services.witness.store import WitnessUnavailable
from services.witness.witness import Witness

MAX_BODY = 65_536
"""Bytes. A request with 63 hashes and 100 signatures takes a third of that."""

_TEXT = "text/plain; charset=utf-8"
_logger = logging.getLogger(__name__)


def application(witness: Witness) -> ASGIApp:
    """`POST /add-checkpoint` (tlog-witness), and `GET /vkey`: the witness's key, for who trusts this address."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return _text(f"at most {MAX_BODY} bytes are read", 413)
        try:
            lines = await asyncio.to_thread(witness.add_checkpoint, bytes(body))
        except Declined as declined:
            return _declined(declined)
        except WitnessUnavailable as error:
            _logger.error("%s", error)
            return _text("the witness cannot keep what it cosigns just now", 503)
        return Response(lines, media_type=_TEXT)

    async def vkey(_: Request) -> Response:
        return _text(witness.key.verifier.vkey, 200)

    return Starlette(
        routes=[
            Route(ADD_CHECKPOINT, add_checkpoint, methods=["POST"]),
            Route("/vkey", vkey, methods=["GET"]),
        ]
    )


def server(witness: Witness) -> uvicorn.Server:
    """The server, to be run on a listening socket."""
    config = uvicorn.Config(
        application(witness),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )
    return uvicorn.Server(config)


def _declined(declined: Declined) -> Response:
    if isinstance(declined, Forked):
        _logger.error("a log has signed two histories, which is kept as proof: %s", declined)
    elif declined.status == 422:
        _logger.warning("a checkpoint was not cosigned: %s", declined)
    if declined.size is not None:
        # As a header: a media type that is text would be given a charset.
        headers = {"Content-Type": SIZE_TYPE}
        return Response(f"{declined.size}\n", declined.status, headers)
    return _text(str(declined), declined.status)


def _text(line: str, status: int) -> Response:
    return Response(f"{line}\n", status, media_type=_TEXT)
