"""The public files over HTTP (C2SP tlog-tiles): what any web server may serve from the folder as well."""

import gzip

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from ledger.transparency.errors import Malformed
from ledger.transparency.tiles import CHECKPOINT_PATH, Bundle, parse_path
from projections.tree.folder import VKEY_PATH, PublicFolder
from services.api.reading import Reading
from services.errors import Fault, RequestFault

SOON = "public, max-age=1"
"""A checkpoint is replaced; no cache may keep it for more than a few seconds (Checkpoints)."""

FOR_EVER = "public, max-age=31536000, immutable"
"""Tiles and bundles never change (Merkle Tree, Log entries)."""

_TEXT = "text/plain; charset=utf-8"
_LEVEL = 5
"""Of gzip: entries of a ledger shrink to a fifth, and more effort takes longer than it saves."""


def add_public(app: FastAPI, folder: PublicFolder, reading: Reading) -> None:
    """Add `/checkpoint`, `/tile/…` and `/vkey`, which no OpenAPI document needs."""

    async def checkpoint(_: Request) -> Response:
        return await changing(CHECKPOINT_PATH)

    async def vkey(_: Request) -> Response:
        return await changing(VKEY_PATH)

    async def changing(name: str) -> Response:
        data = await reading.run(lambda: folder.read(name))
        if data is None:
            raise not_published("There is no checkpoint yet; the first one comes at once.")
        return Response(data, headers={"Content-Type": _TEXT, "Cache-Control": SOON})

    async def tile(request: Request) -> Response:
        # As it was sent: a path has one spelling, or caches keep a file under several.
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0].removeprefix("/")
        wants_gzip = "gzip" in request.headers.get("accept-encoding", "")
        return await reading.run(lambda: _tile(folder, path, wants_gzip))

    app.add_api_route("/checkpoint", checkpoint, include_in_schema=False)
    app.add_api_route("/vkey", vkey, include_in_schema=False)
    app.add_api_route("/tile/{path:path}", tile, include_in_schema=False)


def not_published(detail: str) -> RequestFault:
    """What is asked for is not there yet, and may be soon."""
    return RequestFault(Fault.NOT_PUBLISHED_YET, detail, headers={"Retry-After": "1"})


def _tile(folder: PublicFolder, path: str, wants_gzip: bool) -> Response:
    try:
        named = parse_path(path)
    except Malformed as error:
        raise _not_canonical(path) from error
    data = folder.read(path)
    if data is None:
        raise not_published(
            "The log has no tile of this size now: ask for the one of its checkpoint's size, or for the full one."
        )
    headers = {"Content-Type": "application/octet-stream", "Cache-Control": FOR_EVER}
    if isinstance(named, Bundle):  # hashes do not shrink
        headers["Vary"] = "Accept-Encoding"
        if wants_gzip:
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data, _LEVEL, mtime=0)
    return Response(data, headers=headers)


def _not_canonical(path: str) -> RequestFault:
    return RequestFault(
        Fault.NO_SUCH_PATH,
        f"{path[:100]!r} names no tile and no bundle: numbers are written as C2SP tlog-tiles says, in one way only.",
    )
