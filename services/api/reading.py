"""How reads are answered: off the event loop, in the format that is asked for, with an ETag, and not before what
the caller wants to see is there."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import Listed
from services.api.negotiating import CSV, JSON, preferred
from services.errors import Fault, RequestFault
from services.exports import CSV_TYPE, csv_of

READERS = 4
"""Threads that read. Each has its own connection to the store."""

PATIENCE = 5.0
"""Seconds that a read waits for the read models to come to `wait_for`."""

_LOOK_AGAIN = 0.005
_OF_ANOTHER_PAGE = {"offset", "limit", "wait_for"}
T = TypeVar("T")


class Content(NamedTuple):
    """What a read found, written out, and the position that it stands for."""

    text: bytes
    position: int
    media_type: str = JSON
    listed: tuple[int, int, int] | None = None
    """Of a page: where it begins, how many items it may hold, how many there are."""


class Reading:
    """Runs reads on threads of their own. `reached` says how far the read models have come."""

    def __init__(self, reached: Callable[[], int]) -> None:
        self._reached = reached
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    async def answer(
        self,
        request: Request,
        read: Callable[[], BaseModel | Content],
        wait_for: int | None,
        *,
        personal: bool = False,
        formats: Sequence[str] = (JSON,),
    ) -> Response:
        """What `read` finds, as an answer in the one of the formats that is preferred.

        Raises what it raises, and `RequestFault` (406, 504).
        """
        accept = request.headers.get("accept", "")
        wanted = preferred(accept, formats)
        found = await self.run(lambda: _content(read(), wanted), wait_for)
        headers = {"Vary": "Accept"}
        if found.listed is not None:
            headers["Link"] = ", ".join(_links(request, *found.listed))
        if personal:
            headers |= {"Cache-Control": "no-store", "Vary": "Accept, Authorization"}
            return Response(found.text, media_type=found.media_type, headers=headers)
        # At one position a model may still be behind another, so the content is part of the tag.
        tag = f'"{found.position}.{blake2b(found.text, digest_size=6).hexdigest()}"'
        headers |= {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(found.text, media_type=found.media_type, headers=headers)

    async def run(self, read: Callable[[], T], wait_for: int | None = None) -> T:
        """What `read` gives, on a thread that may wait for a disk."""
        if wait_for is not None:
            await self._come_to(wait_for)
        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    async def _come_to(self, position: int) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while (reached := self._reached()) < position:
            if loop.time() > until:
                raise RequestFault(
                    Fault.NOT_VISIBLE_YET,
                    f"The read models stand at {reached}; ask again later.",
                    "wait_for",
                )
            await asyncio.sleep(_LOOK_AGAIN)


def _content(found: BaseModel | Content, wanted: str) -> Content:
    if isinstance(found, Content):
        return found
    position: int = getattr(found, "position")  # noqa: B009
    listed = (found.offset, found.limit, found.total) if isinstance(found, Listed) else None
    if wanted == CSV:
        return Content(csv_of(found).encode(), position, CSV_TYPE, listed)
    return Content(found.model_dump_json().encode(), position, JSON, listed)


def _links(request: Request, offset: int, limit: int, total: int) -> Iterator[str]:
    """The addresses of the other pages (RFC 8288), relative to this one's."""
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in _OF_ANOTHER_PAGE
    ]
    last = max(0, (total - 1) // limit * limit)
    pages = {"first": 0, "prev": offset - limit, "next": offset + limit, "last": last}
    if offset == 0:
        del pages["prev"]
    if offset + limit >= total:
        del pages["next"]
    for name, begins in pages.items():
        query = urlencode([*kept, ("limit", str(limit)), ("offset", str(max(0, begins)))])
        yield f'<?{query}>; rel="{name}"'


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]
