"""Who may give which command: every verb with every role."""

from itertools import product

import pytest

from ledger.domain.catalogue import COMMAND_BY_VERB
from tests.http.town import Town

MAY: dict[str, set[str]] = {
    "citizen": {
        "make-choice",
        "withdraw-choice",
        "choose-offer",
        "end-arrangement",
        "make-request",
        "confirm-request",
        "dispute-request",
        "rate-request",
    },
    "organisation": {
        "publish-offer",
        "amend-offer",
        "withdraw-offer",
        "acknowledge-request",
        "assign-request",
        "update-request",
        "deliver-request",
        "decline-request",
    },
    "operator": set(COMMAND_BY_VERB),
}
"""What each role may do; anything else is forbidden to it."""

WHO = {"citizen": "ada", "organisation": "works", "operator": "operator"}


@pytest.mark.parametrize("verb", COMMAND_BY_VERB)
def test_every_command_needs_a_token(town: Town, verb: str) -> None:
    answer = town.give(None, verb, {})
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/token-missing"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("verb", COMMAND_BY_VERB)
def test_a_token_must_be_known(town: Town, verb: str) -> None:
    answer = town.client.request(
        "POST", f"/api/v1/commands/{verb}", json={}, headers={"Authorization": "Bearer made-up"}
    )
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/token-unknown"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("verb", "role"), [*product(COMMAND_BY_VERB, WHO)])
def test_a_role_may_give_its_own_commands_only(town: Town, verb: str, role: str) -> None:
    before = town.system.log.head()
    answer = town.give(WHO[role], verb, {"no-such-field": 1})
    if verb in MAY[role]:
        assert answer.json()["type"] == "/problems/invalid-request"
    else:
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/not-allowed"
    assert town.system.log.head() == before


@pytest.mark.parametrize(
    ("method", "who", "status"),
    [
        ("PUT", None, 401),
        ("PUT", "works", 403),
        ("DELETE", None, 401),
        ("DELETE", "works", 403),
    ],
)
def test_the_short_route_of_a_choice_asks_for_the_same(
    town: Town, method: str, who: str | None, status: int
) -> None:
    path = "/api/v1/questions/plain/choice"
    answer = town.client.request(method, path, json={"marks": {}}, headers=town.bearer(who))
    assert answer.status_code == status


@pytest.mark.parametrize("given", ["Basic YTpi", "Bearer", "bearer  ", "", "Token x"])
def test_only_bearer_tokens_count(town: Town, given: str) -> None:
    answer = town.client.request(
        "POST", "/api/v1/commands/make-choice", json={}, headers={"Authorization": given}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [
        ("citizens/me", None, 401),
        ("citizens/me", "works", 403),
        ("citizens/me", "operator", 403),
        ("citizens/me", "ada", 200),
        ("citizens?identity=id/ada", None, 401),
        ("citizens?identity=id/ada", "works", 403),
        ("citizens?identity=id/ada", "ada", 403),
        ("citizens?identity=id/ada", "operator", 200),
        ("citizens?identity=id/nobody", "operator", 404),
        ("citizens?identity=id/emil", "operator", 404),
        ("areas", None, 200),
        ("questions/plain", None, 200),
    ],
)
def test_who_may_read_what(town: Town, path: str, who: str | None, status: int) -> None:
    answer = town.client.get(f"/api/v1/{path}", headers=town.bearer(who))
    assert answer.status_code == status, answer.text
