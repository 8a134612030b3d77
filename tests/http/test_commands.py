"""Every command, carried out over HTTP, in the name of whoever gives it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import decode
from ledger.domain.catalogue import COMMAND_BY_VERB, COMMANDS
from ledger.eventlog.port import EVERYTHING
from tests.http.town import YES_NO, Town, served

ASKED = {"area": "t", "title": "New?", "method": {"kind": "single"}, "options": YES_NO}

STORY: list[tuple[str, str, dict[str, Any]]] = [
    ("operator", "define-area", {"area": "t/west", "name": "West"}),
    ("operator", "rename-area", {"area": "t/west", "name": "Far West"}),
    ("operator", "make-area-publishable", {"area": "t", "at_least": 4}),
    ("operator", "define-policy", {"policy": "09", "name": "Education"}),
    ("operator", "rename-policy", {"policy": "09", "name": "Learning"}),
    (
        "operator",
        "register-organisation",
        {"organisation": "new", "name": "New", "kind": "association", "area": "t"},
    ),
    (
        "operator",
        "register-citizen",
        {"identity": "id/fay", "home": "t/west", "details": {"name": "Fay"}},
    ),
    ("operator", "join-community", {"identity": "id/fay", "area": "t/club"}),
    ("operator", "leave-area", {"identity": "id/fay", "area": "t/club"}),
    ("operator", "open-question", {"question": "new", "results": "after_close", **ASKED}),
    ("operator", "amend-question", {"question": "new", "title": "Newer?"}),
    ("ada", "make-choice", {"question": "plain", "marks": {"yes": 1}, "comment": "At last."}),
    ("ada", "withdraw-choice", {"question": "plain"}),
    ("operator", "make-choice", {"question": "new", "marks": {"no": 1}, "identity": "id/fay"}),
    ("operator", "close-question", {"question": "new"}),
    ("operator", "unseal-question", {"question": "new"}),
    ("operator", "record-decision", {"question": "new", "adopted": ["no"], "reason": "So be it."}),
    (
        "operator",
        "report-outcome",
        {"question": "decided", "option": "yes", "stage": "implemented", "percent": 100},
    ),
    ("operator", "move-citizen", {"identity": "id/fay", "home": "t"}),
    ("operator", "define-service", {"service": "care", "title": "Care", "area": "t"}),
    ("works", "publish-offer", {"offer": "works/care", "service": "care", "title": "Care at home"}),
    ("works", "amend-offer", {"offer": "works/care", "title": "Care, day and night"}),
    ("ada", "choose-offer", {"offer": "works/care"}),
    ("ada", "end-arrangement", {"service": "care"}),
    ("ada", "make-request", {"request": "adas", "offer": "works/care", "about": "My knee."}),
    ("works", "acknowledge-request", {"request": "adas", "note": "Seen."}),
    ("works", "assign-request", {"request": "adas", "unit": "Day shift"}),
    ("works", "update-request", {"request": "adas"}),
    ("works", "deliver-request", {"request": "adas"}),
    ("ada", "dispute-request", {"request": "adas", "note": "Not yet."}),
    ("works", "deliver-request", {"request": "adas"}),
    ("ada", "confirm-request", {"request": "adas"}),
    ("ada", "rate-request", {"request": "adas", "rating": 4}),
    ("works", "decline-request", {"request": "bens", "note": "No."}),
    ("works", "withdraw-offer", {"offer": "works/care"}),
    ("operator", "retire-area", {"area": "t/west"}),
]
"""Who gives which command with which body, in an order in which each is allowed."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own, for the story alone."""
    folder: Path = tmp_path_factory.mktemp("story")
    with served(folder) as found:
        yield found


@pytest.mark.parametrize(("who", "verb", "body"), STORY)
def test_the_story_of_all_commands(told: Town, who: str, verb: str, body: dict[str, Any]) -> None:
    before = told.system.log.head()
    answer = told.give(who, verb, dict(body))
    assert answer.status_code == 201, answer.text
    carried = answer.json()
    assert carried["again"] is False
    assert carried["position"] == told.system.log.head() == before + 1
    (record,) = told.system.log.select(EVERYTHING, after=before)
    assert decode(record.entry).id == f"{carried['command_id']}/1"


def test_the_story_has_every_command() -> None:
    # A choice lapses by itself when somebody moves; by hand, only what a crash left can be lapsed.
    # What a ledger says of itself is said by its own programs.
    by_itself = {"lapse-choice", *(command.verb for command in COMMANDS["transparency"])}
    assert {verb for _, verb, _ in STORY} == set(COMMAND_BY_VERB) - by_itself


def test_lapse_choice_is_there_for_the_operator(town: Town) -> None:
    answer = town.give("operator", "lapse-choice", {"identity": "id/ben", "question": "sealed"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/still-belongs")


def test_a_choice_by_the_short_route(town: Town) -> None:
    made = town.choose("ada", "plain", {"yes": 1})
    assert made.status_code == 200
    assert town.seen(made, "questions/plain/tally")["options"][0]["count"] == 1
    taken_back = town.client.request(
        "DELETE", "/api/v1/questions/plain/choice", headers=town.bearer("ada")
    )
    assert taken_back.status_code == 200
    assert town.seen(taken_back, "questions/plain/tally")["voters"] == 0


@pytest.mark.parametrize(
    ("who", "verb", "body", "status", "name", "field"),
    [
        ("ada", "make-choice", {"citizen": "0" * 32}, 422, "invalid-request", "citizen"),
        ("ada", "make-choice", {"identity": "id/ben"}, 422, "invalid-request", None),
        ("operator", "make-choice", {}, 422, "invalid-request", "identity"),
        ("operator", "make-choice", {"identity": 5}, 422, "invalid-request", "identity"),
        ("operator", "make-choice", {"identity": "id/gus"}, 404, "unknown-identity", "identity"),
        ("works", "publish-offer", {"organisation": "rival"}, 403, "not-allowed", "organisation"),
        ("rival", "acknowledge-request", {"request": "bens"}, 403, "not-yours", "organisation"),
        ("ada", "confirm-request", {"request": "bens"}, 403, "not-yours", "request"),
        ("operator", "publish-offer", {}, 422, "invalid-request", "organisation"),
    ],
)
def test_nobody_acts_in_anothers_name(
    town: Town, who: str, verb: str, body: dict[str, Any], status: int, name: str, field: str
) -> None:
    needed: dict[str, dict[str, Any]] = {
        "make-choice": {"question": "plain", "marks": {"yes": 1}},
        "publish-offer": {"offer": "x", "service": "repair", "title": "X"},
    }
    before = town.system.log.head()
    answer = town.give(who, verb, needed.get(verb, {}) | body)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{name}"), problem
    if field is not None:
        assert problem["field"] == field
    assert town.system.log.head() == before


def test_a_refused_registration_leaves_nothing_in_the_vault(town: Town) -> None:
    answer = town.give("operator", "register-citizen", {"identity": "id/gil", "home": "nowhere"})
    assert answer.json()["type"] == "/problems/unknown-area"
    assert town.system.vault.citizen("id/gil") is None


def test_no_entry_names_who_sent_it(town: Town) -> None:
    made = town.choose("ada", "plain", {"no": 1}, key="adas-first-choice").json()
    (record,) = town.system.log.select(EVERYTHING, after=made["position"] - 1, limit=1)
    for secret in ("ada", "adas-first-choice", town.citizens["ada"], town.tokens["ada"]):
        assert secret.encode() not in record.entry
