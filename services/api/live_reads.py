"""The live counts of a question and of an area, as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import Depends, FastAPI, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from projections.queries import InTheFuture, areas, questions
from projections.queries.lookups import area_row, check_area
from projections.stores.port import Snapshot
from services.api.documenting import API, problems_of
from services.api.live import Live
from services.api.negotiating import preferred
from services.api.parameters import LARGEST, AreaPath, OneArea, QuestionId, Whole
from services.api.reading import Reading
from services.assembly import System

EVENTS = "text/event-stream"
LastEventId = Annotated[
    Whole | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=LARGEST,
        description="The id of the last event that the client has: only what changed since is sent.",
    ),
]


class Followed(NamedTuple):
    """What a request follows, found to exist before the answer begins."""

    area: str
    question: str | None
    last: int | None


def add_live(app: FastAPI, system: System, reading: Reading, live: Live) -> None:
    """Add the routes. They come before those of the reads, whose ids may hold slashes."""
    ask = system.queries.ask

    async def _question(
        request: Request, question: QuestionId, area: OneArea = None, last: LastEventId = None
    ) -> Followed:
        _check(request, last)
        electorate = await reading.run(lambda: ask(_electorate, question, area))
        return Followed(area or electorate, question, last)

    async def _area(request: Request, area: AreaPath, last: LastEventId = None) -> Followed:
        _check(request, last)
        await reading.run(lambda: ask(area_row, area))
        return Followed(area, None, last)

    def _check(request: Request, last: int | None) -> None:
        preferred(request.headers.get("accept", ""), (EVENTS,))
        if last is not None and last > (head := system.log.head()):
            raise InTheFuture(f"The log ends at {head}.")

    def follow(followed: Followed) -> AsyncGenerator[ServerSentEvent]:
        area, question, last = followed
        return live.follow(area, question, partial(ask, areas.live_counts, area, question), last)

    @app.get(
        f"{API}/questions/{{question:path}}/live",
        response_class=EventSourceResponse,
        responses=problems_of(404, 406, 422, 503),
        tags=["questions"],
    )
    async def question_live(
        followed: Annotated[Followed, Depends(_question)],
    ) -> AsyncIterator[ServerSentEvent]:
        """The count as it changes, of the whole electorate or of one area's people; none while it is sealed.

        Each event `counts` is a JSON object `{position, area, questions}`.
        """
        async with aclosing(follow(followed)) as events:
            async for event in events:
                yield event

    @app.get(
        f"{API}/areas/{{area:path}}/live",
        response_class=EventSourceResponse,
        responses=problems_of(404, 406, 422, 503),
        tags=["areas"],
    )
    async def area_live(
        followed: Annotated[Followed, Depends(_area)],
    ) -> AsyncIterator[ServerSentEvent]:
        """The counts of an area's open questions: all at first, then those that changed.

        Each event `counts` is a JSON object `{position, area, questions}`.
        """
        async with aclosing(follow(followed)) as events:
            async for event in events:
                yield event


def _electorate(at: Snapshot, question: str, area: str | None) -> str:
    """Whom a question asks. Raises `NotFound`."""
    asked, _, _ = questions.asked_question(at, question)
    check_area(at, area)
    return asked.electorate
