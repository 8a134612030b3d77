"""A very small town, served in this process: who lives there, what is asked, and everybody's tokens."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from anyio.from_thread import BlockingPortal, start_blocking_portal
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import ASGIApp

from ledger.domain.areas import DefineArea
from ledger.domain.choices import MakeChoice
from ledger.domain.deciding import Command
from ledger.domain.organisations import RegisterOrganisation
from ledger.domain.outcomes import RecordDecision, ReportOutcome
from ledger.domain.policies import DefinePolicy
from ledger.domain.questions import CloseQuestion, OpenQuestion
from ledger.domain.requests import MakeRequest
from ledger.domain.roll import JoinCommunity, RegisterCitizen
from ledger.domain.services import DefineService, PublishOffer
from services.api.application import application
from services.assembly import System, assembled, publishing
from services.publication import Publication
from services.settings import Settings
from services.upkeep import Upkeep

SLASHES = "east/budget/2026"
"""The id of a question; it holds slashes."""

YES_NO = [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]


class Client:
    """Asks an application in this process, one request after the other or many at once."""

    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        transport = ASGITransport(app, raise_app_exceptions=False)
        self._client = AsyncClient(transport=transport, base_url="http://ledger")
        self._portal = portal

    def request(self, method: str, path: str, **told: Any) -> Response:
        return self._portal.call(partial(self._client.request, method, path, **told))

    def get(self, path: str, **told: Any) -> Response:
        return self.request("GET", path, **told)

    def at_once(self, requests: Sequence[tuple[str, str, dict[str, Any]]]) -> list[Response]:
        """The answers to requests (method, path, what else) that are all under way together."""

        async def ask() -> list[Response]:
            return await asyncio.gather(
                *(self._client.request(method, path, **told) for method, path, told in requests)
            )

        return self._portal.call(ask)


class Town(NamedTuple):
    """The running parts, a client, and a token for everybody by name."""

    system: System
    upkeep: Upkeep
    app: ASGIApp
    client: Client
    tokens: dict[str, str]
    citizens: dict[str, str]

    def bearer(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"Authorization": f"Bearer {self.tokens[who]}"}

    def give(
        self, who: str | None, verb: str, body: dict[str, Any], key: str | None = None
    ) -> Response:
        headers = self.bearer(who) | ({"Idempotency-Key": key} if key else {})
        return self.client.request("POST", f"/api/v1/commands/{verb}", json=body, headers=headers)

    def choose(
        self, who: str | None, question: str, marks: dict[str, int], key: str | None = None
    ) -> Response:
        headers = self.bearer(who) | ({"Idempotency-Key": key} if key else {})
        path = f"/api/v1/questions/{question}/choice"
        return self.client.request("PUT", path, json={"marks": marks}, headers=headers)

    def read(self, path: str, who: str | None = None, **params: Any) -> Response:
        return self.client.get(f"/api/v1/{path}", params=params or None, headers=self.bearer(who))

    def seen(self, answer: Response, path: str, who: str | None = None) -> dict[str, Any]:
        """A read that waits until the command with this answer is visible."""
        found = self.read(path, who, wait_for=answer.json()["position"])
        assert found.status_code == 200, found.text
        told: dict[str, Any] = found.json()
        return told


def settings(folder: Path, max_body_bytes: int) -> Settings:
    return Settings(
        log=f"sqlite:///{folder}/log.sqlite",
        store=f"sqlite:///{folder}/store.sqlite",
        vault=f"sqlite:///{folder}/vault.sqlite",
        max_body_bytes=max_body_bytes,
        checkpoint_every=0.05,
    )


@contextmanager
def served(folder: Path, max_body_bytes: int = 4_096) -> Iterator[Town]:
    """The town, with its threads running."""
    with assembled(settings(folder, max_body_bytes)) as system:
        citizens = settle(system)
        issue = system.vault.issue_token
        tokens = {
            "operator": issue("operator", "operator"),
            **{name: issue("citizen", citizen) for name, citizen in citizens.items()},
            **{name: issue("organisation", name) for name in ("works", "rival")},
        }
        with publishing(system.settings, system.log, system.public) as tree:
            publication = Publication(system, tree)
            upkeep = Upkeep(system, also=publication.jobs())
            app = application(system, upkeep, publication)
            with upkeep.running(), start_blocking_portal() as portal:
                yield Town(system, upkeep, app, Client(app, portal), tokens, citizens)


def settle(system: System) -> dict[str, str]:
    """Make the town. The citizen ids by name."""
    execute = system.ledger.execute
    citizens = {
        name: system.vault.enrol(f"id/{name}") for name in ("ada", "ben", "cleo", "dora", "emil")
    }
    commands: list[Command] = [
        DefineArea(area="t", name="Town"),
        DefineArea(area="t/east", name="East & <b>Side</b>"),
        DefineArea(area="t/club", name="Club", kind="community"),
        DefinePolicy(policy="07", name="Health"),
        *(
            RegisterOrganisation(organisation=one, name=one.title(), kind="company", area="t")
            for one in ("works", "rival")
        ),
        *(
            RegisterCitizen(citizen=citizens[name], home=home)
            for name, home in {"ada": "t/east", "ben": "t/east", "cleo": "t", "dora": "t"}.items()
        ),
        JoinCommunity(citizen=citizens["cleo"], area="t/club"),
        _question("plain", method={"kind": "single"}),
        _question(SLASHES, area="t/east", method={"kind": "approval"}),
        _question("sealed", method={"kind": "single"}, results="after_close"),
        _question("decided", method={"kind": "single"}, rule={"name": "plurality"}),
        _question(
            "mandate/07",
            method={"kind": "single"},
            policy="07",
            mandate=True,
            options=[{"id": "works", "title": "Work for all", "organisation": "works"}],
        ),
        MakeChoice(citizen=citizens["ben"], question="sealed", marks={"no": 1}),
        MakeChoice(citizen=citizens["ben"], question="decided", marks={"yes": 1}),
        MakeChoice(citizen=citizens["ben"], question="mandate/07", marks={"works": 1}),
        CloseQuestion(question="decided"),
        RecordDecision(question="decided"),
        ReportOutcome(question="decided", option="yes", stage="under-way", percent=40, by="works"),
        DefineService(service="repair", title="Repair", area="t"),
        PublishOffer(offer="works/repair", service="repair", organisation="works", title="Repair"),
        MakeRequest(citizen=citizens["ben"], request="bens", offer="works/repair"),
    ]
    for command in commands:
        execute(command)
    system.worker.catch_up()
    return citizens


def _question(question: str, **fields: Any) -> OpenQuestion:
    told = {"area": "t", "title": f"Question {question}?", "options": YES_NO, **fields}
    return OpenQuestion.model_validate({"question": question, **told})
