"""Every error is a problem document whose type never changes."""

import asyncio
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from projections.queries import areas
from projections.stores.port import StoreUnavailable
from services.errors import meanings
from tests.http.town import Town

TYPES = {
    "already-attested": 409,
    "already-decided": 409,
    "already-registered": 409,
    "already-there": 409,
    "area-exists": 409,
    "area-retired": 409,
    "body-too-large": 413,
    "cannot-listen": 503,
    "contradictory-question": 422,
    "damaged-log": 503,
    "entry-too-large": 422,
    "idempotency-key-reused": 422,
    "illegal-marks": 422,
    "internal-error": 500,
    "in-the-future": 404,
    "invalid-request": 422,
    "key-not-current": 409,
    "key-used-before": 409,
    "keys-unavailable": 503,
    "last-signed-unavailable": 503,
    "log-parted": 503,
    "log-unavailable": 503,
    "stands-by": 503,
    "malformed-json": 400,
    "mandate-exists": 409,
    "method-not-allowed": 405,
    "models-halted": 503,
    "nothing-to-bring-back": 409,
    "no-arrangement": 409,
    "no-rule": 409,
    "no-standing-choice": 409,
    "no-such-page": 404,
    "no-such-path": 404,
    "not-a-member": 409,
    "not-acceptable": 406,
    "not-adopted": 409,
    "not-allowed": 403,
    "not-decided": 409,
    "not-found": 404,
    "not-on-the-roll": 403,
    "not-open-yet": 409,
    "not-published-yet": 404,
    "not-registered": 409,
    "not-sealed": 409,
    "not-visible-yet": 504,
    "not-yours": 403,
    "offer-exists": 409,
    "offer-withdrawn": 409,
    "organisation-exists": 409,
    "policy-exists": 409,
    "policy-unusable": 503,
    "question-closed": 409,
    "question-exists": 409,
    "question-has-choices": 409,
    "question-not-closed": 409,
    "request-exists": 409,
    "roll-too-small": 409,
    "rule-unavailable": 501,
    "service-exists": 409,
    "still-belongs": 409,
    "still-sealed": 409,
    "store-unavailable": 503,
    "token-missing": 401,
    "token-unknown": 401,
    "unknown-area": 404,
    "unknown-event": 503,
    "unknown-identity": 404,
    "unknown-offer": 404,
    "unknown-organisation": 404,
    "unknown-policy": 404,
    "unknown-question": 404,
    "unknown-request": 404,
    "unknown-service": 404,
    "vault-unavailable": 503,
    "window-over": 409,
    "window-still-open": 409,
    "witness-unavailable": 503,
    "wrong-content-type": 415,
    "wrong-kind-of-area": 422,
    "wrong-stage": 409,
}
"""Callers rest on these: one may come, none may change or go."""

JSON = {"Content-Type": "application/json"}
CHOICE = "/api/v1/questions/plain/choice"
CHOOSE = "/api/v1/commands/make-choice"
OPEN = "/api/v1/commands/open-question"


def test_the_types_of_problems_are_stable() -> None:
    assert {one.type: one.status for one in meanings()} == TYPES


@pytest.mark.parametrize("name", TYPES)
def test_every_type_leads_to_a_page_that_explains_it(town: Town, name: str) -> None:
    page = town.client.get(f"/problems/{name}")
    assert page.status_code == 200
    assert name.replace("-", " ").capitalize() in page.text


@pytest.mark.parametrize(
    ("who", "method", "path", "headers", "body", "status", "name", "field"),
    [
        (None, "GET", "/api/v1/nowhere", {}, b"", 404, "no-such-path", None),
        (None, "GET", "/nowhere", {}, b"", 404, "no-such-path", None),
        (None, "GET", "/api/v1/questions/nothing", {}, b"", 404, "not-found", None),
        (None, "GET", "/api/v1/areas/nothing", {}, b"", 404, "not-found", None),
        (None, "GET", "/api/v1/questions/sealed/tally", {}, b"", 409, "still-sealed", None),
        (None, "POST", "/api/v1/areas", {}, b"", 405, "method-not-allowed", None),
        (None, "PATCH", CHOICE, {}, b"", 405, "method-not-allowed", None),
        (None, "GET", "/api/v1/areas?wait_for=x", {}, b"", 422, "invalid-request", "wait_for"),
        (None, "GET", "/api/v1/areas?wait_for=1_0", {}, b"", 422, "invalid-request", "wait_for"),
        (None, "GET", "/api/v1/areas?wait_for=-1", {}, b"", 422, "invalid-request", "wait_for"),
        ("operator", "GET", "/api/v1/citizens", {}, b"", 422, "invalid-request", "identity"),
        ("ada", "PUT", CHOICE, {}, b"{}", 415, "wrong-content-type", None),
        (
            "ada",
            "PUT",
            CHOICE,
            {"Content-Type": "text/plain"},
            b"{}",
            415,
            "wrong-content-type",
            None,
        ),
        ("ada", "PUT", CHOICE, JSON, b"", 400, "malformed-json", None),
        ("ada", "PUT", CHOICE, JSON, b'{"marks": {"yes": 1}', 400, "malformed-json", None),
        ("ada", "PUT", CHOICE, JSON, b'{"marks": {"yes": NaN}}', 400, "malformed-json", None),
        ("ada", "PUT", CHOICE, JSON, b'{"marks": "\xff"}', 400, "malformed-json", None),
        ("ada", "PUT", CHOICE, JSON, b"[" * 2_000, 400, "malformed-json", None),
        ("ada", "PUT", CHOICE, JSON, b"[]", 422, "invalid-request", None),
        ("ada", "PUT", CHOICE, JSON, b"{}", 422, "invalid-request", "marks"),
        ("ada", "PUT", CHOICE, JSON, b'{"marks":{"yes":1.0}}', 422, "invalid-request", "marks.yes"),
        ("ada", "PUT", CHOICE, JSON, b'{"marks":{"yes":"1"}}', 422, "invalid-request", "marks.yes"),
        (
            "ada",
            "PUT",
            CHOICE,
            JSON,
            b'{"marks":{"yes":1e400}}',
            400,
            "malformed-json",
            None,
        ),
        (
            "ada",
            "PUT",
            CHOICE,
            JSON,
            b'{"marks":{"yes":99999999999999999999}}',
            422,
            "invalid-request",
            "marks.yes",
        ),
        (
            "ada",
            "PUT",
            CHOICE,
            JSON,
            b'{"marks":{"yes":1},"question":"x"}',
            422,
            "invalid-request",
            "question",
        ),
        ("ada", "PUT", CHOICE, JSON, b'{"marks":{"x":1}}', 422, "illegal-marks", "marks"),
        ("ada", "PUT", CHOICE, JSON, b'{"marks":{"yes":2}}', 422, "illegal-marks", "marks"),
        (
            "ada",
            "PUT",
            "/api/v1/questions/none/choice",
            JSON,
            b'{"marks":{"yes":1}}',
            404,
            "unknown-question",
            "question",
        ),
        (
            "ada",
            "PUT",
            "/api/v1/questions/decided/choice",
            JSON,
            b'{"marks":{"yes":1}}',
            409,
            "question-closed",
            "question",
        ),
        (
            "cleo",
            "PUT",
            "/api/v1/questions/east/budget/2026/choice",
            JSON,
            b'{"marks":{"yes":1}}',
            403,
            "not-on-the-roll",
            "citizen",
        ),
        ("ada", "DELETE", CHOICE, {}, b"", 409, "no-standing-choice", "question"),
        (
            "operator",
            "POST",
            OPEN,
            JSON,
            b'{"question":"n","area":"t","title":"N","method":{"kind":"approval","maximum":0},"options":[]}',
            422,
            "invalid-request",
            "method.maximum",
        ),
        ("operator", "POST", "/api/v1/commands/fly", JSON, b"{}", 404, "no-such-path", None),
        ("ada", "PUT", CHOICE, JSON, b" " * 5_000, 413, "body-too-large", None),
    ],
)
def test_what_is_wrong_is_named(
    town: Town,
    who: str | None,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    name: str,
    field: str | None,
) -> None:
    before = town.system.log.head()
    answer = town.client.request(
        method, path, content=body, headers={**headers, **town.bearer(who)}
    )
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{name}"), problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem.get("field") == field
    assert town.system.log.head() == before


def test_all_that_is_wrong_is_named_at_once(town: Town) -> None:
    body = {"question": "n", "title": "", "method": {"kind": "ranking"}, "options": [{"id": 1}]}
    problem = town.give("operator", "open-question", body).json()
    assert {one["field"] for one in problem["errors"]} == {
        "area",
        "options",
        "options.0.id",
        "options.0.title",
        "title",
    }


def test_malformed_json_is_told_by_position(town: Town) -> None:
    answer = town.client.request(
        "PUT", CHOICE, content=b'{\n  "marks": }', headers={**JSON, **town.bearer("ada")}
    )
    assert "line 2, column 12" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/v1/areas", "GET"),
        ("PATCH", CHOOSE, "POST"),
        ("PATCH", CHOICE, "DELETE, GET, PUT"),
    ],
)
def test_405_says_what_is_allowed(town: Town, method: str, path: str, allowed: str) -> None:
    assert town.client.request(method, path).headers["allow"] == allowed


def test_a_bug_tells_nothing_of_the_inside(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret: /var/lib/civic")

    monkeypatch.setattr(areas, "area_list", broken)
    monkeypatch.setattr(type(town.system.vault), "principal", broken)
    for answer in (town.read("areas"), town.choose("dora", "plain", {"yes": 1})):
        assert answer.status_code == 500
        assert answer.json()["type"] == "/problems/internal-error"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "secret" not in answer.text
        assert "RuntimeError" not in answer.text


def test_a_store_that_fails_tells_no_path(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the read models in /var/lib/civic cannot be used")

    monkeypatch.setattr(areas, "area_list", broken)
    answer = town.read("areas")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/store-unavailable"
    assert answer.headers["retry-after"] == "1"
    assert "/var" not in answer.text


@pytest.mark.parametrize("path", [CHOICE, "/api/v1/commands/make-choice"])
def test_what_is_wrong_with_a_request_is_no_error_of_the_server(town: Town, path: str) -> None:
    """Nothing is raised to the web server, which would write it to the operator's log."""

    async def ask() -> int:
        async with AsyncClient(transport=ASGITransport(town.app), base_url="http://x") as client:
            return (await client.request("PUT", path)).status_code

    assert asyncio.run(ask()) in (401, 405)
