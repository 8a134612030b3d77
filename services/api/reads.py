"""The public reads, and a citizen's own model."""

import csv
import io
import threading
import time
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import (
    Answer,
    AreaList,
    AreaView,
    CitizenView,
    DecisionAnswer,
    QuestionList,
    QuestionTally,
    QuestionView,
)
from projections.catalogue import all_projections
from projections.digest import digest
from services.api.access import Access
from services.api.bodies import IDENTITY, MAX_IDENTITY
from services.api.documenting import API, needs_token, no_news, problems_of
from services.api.reading import Content, Reading, WaitFor
from services.assembly import System
from services.errors import Fault, RequestFault
from services.exports import TALLY_COLUMNS, tally_rows

QuestionId = Annotated[
    str, Path(min_length=1, description="The question's id; it may hold slashes.")
]
AreaPath = Annotated[str, Path(min_length=1, description="The area's id, a path: `pl/warszawa`.")]
OneArea = Annotated[str | None, Query(min_length=1, description="Only this area.")]

DIGEST_LASTS = 10.0
"""Seconds for which a digest is given again: it takes a pass over all rows, and states its position anyway."""

_PUBLIC = (404, 422, 503, 504)


class Tallies(Answer):
    """The counts of all questions whose results are public."""

    tallies: list[QuestionTally]


class ModelDigest(BaseModel):
    position: int
    digest: str


class Digests(Answer):
    """A digest of every read model's content (SHA-256, hex), to be compared with a replay of the log."""

    digests: dict[str, ModelDigest]


def add_reads(app: FastAPI, system: System, reading: Reading, access: Access) -> None:
    """Add the routes. Longer paths come first, since an id may hold slashes."""
    queries = system.queries
    _add_exports(app, system, reading)

    @app.get(f"{API}/areas", **_documented(AreaList, "areas"))
    async def areas(request: Request, wait_for: WaitFor = None) -> Response:
        """All areas."""
        return await reading.answer(request, queries.areas, wait_for)

    @app.get(f"{API}/areas/{{area:path}}", **_documented(AreaView, "areas"))
    async def area(request: Request, area: AreaPath, wait_for: WaitFor = None) -> Response:
        """One area, with all below it rolled up into it."""
        return await reading.answer(request, lambda: queries.area(area), wait_for)

    @app.get(f"{API}/questions", **_documented(QuestionList, "questions"))
    async def questions(
        request: Request, area: OneArea = None, wait_for: WaitFor = None
    ) -> Response:
        """All questions, or those that one area asks."""
        return await reading.answer(request, lambda: queries.questions(area), wait_for)

    @app.get(
        f"{API}/questions/{{question:path}}/tally", **_documented(QuestionTally, "questions", 409)
    )
    async def tally(
        request: Request, question: QuestionId, area: OneArea = None, wait_for: WaitFor = None
    ) -> Response:
        """The count, of the whole electorate or of one area's people."""
        return await reading.answer(request, lambda: queries.tally(question, area), wait_for)

    @app.get(
        f"{API}/questions/{{question:path}}/decision", **_documented(DecisionAnswer, "questions")
    )
    async def decision(
        request: Request, question: QuestionId, wait_for: WaitFor = None
    ) -> Response:
        """What was decided last, by which rule, and why."""
        return await reading.answer(request, lambda: queries.decision(question), wait_for)

    @app.get(f"{API}/questions/{{question:path}}", **_documented(QuestionView, "questions"))
    async def question(
        request: Request, question: QuestionId, wait_for: WaitFor = None
    ) -> Response:
        """Everything about one question."""
        return await reading.answer(request, lambda: queries.question(question), wait_for)

    @app.get(f"{API}/citizens/me", **_personal())
    async def me(request: Request, wait_for: WaitFor = None) -> Response:
        """One's own view, with a citizen's token: standing choices and what became of them."""
        citizen = access.of_role(request, "citizen").subject
        return await reading.answer(
            request, lambda: queries.citizen(citizen), wait_for, personal=True
        )

    @app.get(f"{API}/citizens", **_personal())
    async def citizen(
        request: Request,
        identity: Annotated[str, Query(min_length=1, max_length=MAX_IDENTITY)],
        wait_for: WaitFor = None,
    ) -> Response:
        """One person's own view, for the operator."""
        access.of_role(request, "operator")

        def read() -> CitizenView:
            known = system.vault.citizen(identity)
            if known is None:
                raise RequestFault(
                    Fault.UNKNOWN_IDENTITY, "The vault knows nobody by this identity.", IDENTITY
                )
            return queries.citizen(known)

        return await reading.answer(request, read, wait_for, personal=True)


def _add_exports(app: FastAPI, system: System, reading: Reading) -> None:
    digests = _Digests(system)

    @app.get(f"{API}/tallies.json", **_documented(Tallies, "exports"))
    async def tallies_json(request: Request, wait_for: WaitFor = None) -> Response:
        """The tallies of all questions."""
        return await reading.answer(request, lambda: _tallies(system), wait_for)

    @app.get(
        f"{API}/tallies.csv",
        response_class=Response,
        responses={
            200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
            **no_news(),
            **problems_of(*_PUBLIC),
        },
        tags=["exports"],
    )
    async def tallies_csv(request: Request, wait_for: WaitFor = None) -> Response:
        """The tallies of all questions, a row an option."""
        return await reading.answer(request, lambda: _tallies_as_csv(system), wait_for)

    @app.get(f"{API}/digests", **_documented(Digests, "exports"))
    async def digests_(request: Request, wait_for: WaitFor = None) -> Response:
        """A digest of every read model's content."""
        return await reading.answer(request, lambda: digests.latest(wait_for or 0), wait_for)


class _Digests:
    """Computes one digest at a time, and gives it again for a while."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._lock = threading.Lock()
        self._computed: tuple[float, Digests] | None = None

    def latest(self, at_least: int) -> Digests:
        """A digest at this position or a later one."""
        with self._lock:
            if self._computed is not None:
                computed_at, found = self._computed
                if time.monotonic() - computed_at < DIGEST_LASTS and found.position >= at_least:
                    return found
            found = self._compute()
            self._computed = (time.monotonic(), found)
            return found

    def _compute(self) -> Digests:
        found = {one.name: digest(self._system.store, one) for one in all_projections()}
        return Digests(
            position=min(one.position for one in found.values()),
            digests={name: ModelDigest(**one._asdict()) for name, one in found.items()},
        )


def _tallies(system: System) -> Tallies:
    position = system.queries.position()
    return Tallies(position=position, tallies=list(system.queries.tallies()))


def _tallies_as_csv(system: System) -> Content:
    position = system.queries.position()
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(TALLY_COLUMNS)
    for one in system.queries.tallies():
        rows.writerows(tally_rows(one))
    return Content(text.getvalue().encode(), position, "text/csv; charset=utf-8")


def _documented(model: type[BaseModel], tag: str, *more: int) -> dict[str, Any]:
    return {
        "response_model": model,
        "responses": {**no_news(), **problems_of(*sorted({*_PUBLIC, *more}))},
        "tags": [tag],
    }


def _personal() -> dict[str, Any]:
    return {
        "response_model": CitizenView,
        "responses": problems_of(401, 403, *_PUBLIC),
        "openapi_extra": {"security": needs_token()},
        "tags": ["citizens"],
    }
