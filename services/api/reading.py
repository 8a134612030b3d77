"""How reads are answered: off the event loop, with an ETag, and not before what the caller wants to see is there."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from services.errors import Fault, RequestFault

READERS = 4
"""Threads that read. Each has its own connection to the store."""

PATIENCE = 5.0
"""Seconds that a read waits for the read models to come to `wait_for`."""

_LOOK_AGAIN = 0.005
T = TypeVar("T")


def _whole(text: object) -> object:
    """Python reads `1_0` and ` 5` as numbers too."""
    if isinstance(text, str) and str(int(text) if text.isdecimal() else "") != text:
        raise ValueError("give a whole number in digits")
    return text


WaitFor = Annotated[
    int | None,
    BeforeValidator(_whole),
    Query(
        ge=0,
        le=2**53 - 1,
        description="Answer when the read models have come to this position (a command's answer gives one).",
    ),
]


class Content(NamedTuple):
    """What a read found, written out, and the position that it stands for."""

    text: bytes
    position: int
    media_type: str = "application/json"


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
    ) -> Response:
        """What `read` finds, as an answer. Raises what it raises, and `RequestFault` (504)."""
        found = await self.run(lambda: _content(read()), wait_for)
        if personal:
            return Response(
                found.text, media_type=found.media_type, headers={"Cache-Control": "no-store"}
            )
        # At one position a model may still be behind another, so the content is part of the tag.
        tag = f'"{found.position}.{blake2b(found.text, digest_size=6).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
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


def _content(found: BaseModel | Content) -> Content:
    if isinstance(found, Content):
        return found
    position: int = getattr(found, "position")  # noqa: B009
    return Content(found.model_dump_json().encode(), position)


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]
