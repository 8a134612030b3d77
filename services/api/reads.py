"""The public reads, and a citizen's own model."""

import threading
import time
from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import Answer, CitizenView, QuestionTally, Timeline
from projections.catalogue import all_projections
from projections.digest import digest
from projections.queries import citizens
from services.api.access import Access
from services.api.area_reads import add_area_reads
from services.api.bodies import IDENTITY, MAX_IDENTITY
from services.api.documenting import API, read_of
from services.api.live import Live
from services.api.live_reads import add_live
from services.api.negotiating import BOTH, CSV
from services.api.organisation_reads import add_organisation_reads
from services.api.parameters import Paging, PositionSort, WaitFor
from services.api.policy_reads import add_policy_reads
from services.api.question_reads import add_question_reads
from services.api.reading import Content, Reading
from services.assembly import System
from services.errors import Fault, RequestFault
from services.exports import CSV_TYPE, TALLY_COLUMNS, csv_text, tally_rows

DIGEST_LASTS = 10.0
"""Seconds for which a digest is given again: it takes a pass over all rows, and states its position anyway."""


class Tallies(Answer):
    """The counts of all questions whose results are public."""

    tallies: list[QuestionTally]


class ModelDigest(BaseModel):
    position: int
    digest: str


class Digests(Answer):
    """A digest of every read model's content (SHA-256, hex), to be compared with a replay of the log."""

    digests: dict[str, ModelDigest]


def add_reads(app: FastAPI, system: System, reading: Reading, access: Access, live: Live) -> None:
    """Add the routes of all reads."""
    _add_exports(app, system, reading)
    add_live(app, system, reading, live)
    _add_citizens(app, system, reading, access)
    add_area_reads(app, system, reading)
    add_question_reads(app, system, reading)
    add_policy_reads(app, system, reading)
    add_organisation_reads(app, system, reading)


def _add_citizens(app: FastAPI, system: System, reading: Reading, access: Access) -> None:
    ask = system.queries.ask

    @app.get(f"{API}/citizens/me", **read_of(CitizenView, "citizens", personal=True))
    async def me(request: Request, wait_for: WaitFor = None) -> Response:
        """One's own view, with a citizen's token: standing choices and what became of them."""
        citizen = access.of_role(request, "citizen").subject
        return await reading.answer(
            request, lambda: ask(citizens.citizen_view, citizen), wait_for, personal=True
        )

    @app.get(
        f"{API}/citizens/me/timeline", **read_of(Timeline, "citizens", formats=BOTH, personal=True)
    )
    async def my_timeline(
        request: Request,
        page: Paging,
        sort: PositionSort = "-position",
        wait_for: WaitFor = None,
    ) -> Response:
        """All that happened to oneself, with a citizen's token."""
        citizen = access.of_role(request, "citizen").subject
        return await reading.answer(
            request,
            lambda: ask(citizens.timeline, citizen, page, sort),
            wait_for,
            personal=True,
            formats=BOTH,
        )

    @app.get(f"{API}/citizens", **read_of(CitizenView, "citizens", personal=True))
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
            return ask(citizens.citizen_view, known)

        return await reading.answer(request, read, wait_for, personal=True)


def _add_exports(app: FastAPI, system: System, reading: Reading) -> None:
    digests = _Digests(system)

    @app.get(f"{API}/tallies.json", **read_of(Tallies, "exports"))
    async def tallies_json(request: Request, wait_for: WaitFor = None) -> Response:
        """The tallies of all questions."""
        return await reading.answer(request, lambda: _tallies(system), wait_for)

    @app.get(
        f"{API}/tallies.csv",
        response_class=Response,
        **{**read_of(Tallies, "exports", formats=(CSV,)), "response_model": None},
    )
    async def tallies_csv(request: Request, wait_for: WaitFor = None) -> Response:
        """The tallies of all questions, a row an option."""
        return await reading.answer(
            request, lambda: _tallies_as_csv(system), wait_for, formats=(CSV,)
        )

    @app.get(f"{API}/digests", **read_of(Digests, "exports"))
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
    rows = (row for one in system.queries.tallies() for row in tally_rows(one))
    return Content(csv_text(TALLY_COLUMNS, rows).encode(), position, CSV_TYPE)
