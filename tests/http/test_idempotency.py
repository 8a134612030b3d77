"""`Idempotency-Key`: once is enough."""

from typing import Any

import pytest

from ledger.codec import decode
from ledger.domain.event import Event
from ledger.eventlog.port import EVERYTHING
from tests.http.town import YES_NO, Town


def new_events(town: Town, after: int) -> list[Event]:
    return [decode(one.entry).event for one in town.system.log.select(EVERYTHING, after=after)]


def test_the_same_twice_is_carried_out_once(town: Town) -> None:
    before = town.system.log.head()
    first = town.choose("ada", "plain", {"yes": 1}, key="one")
    again = town.choose("ada", "plain", {"yes": 1}, key="one")
    assert first.json() | {"again": True} == again.json()
    assert first.status_code == again.status_code == 200
    assert len(new_events(town, before)) == 1


def test_a_command_sent_again_is_answered_200(town: Town) -> None:
    body = {"policy": "10", "name": "Social"}
    assert town.give("operator", "define-policy", body, key="k").status_code == 201
    again = town.give("operator", "define-policy", body, key="k")
    assert (again.status_code, again.json()["again"]) == (200, True)
    other = town.give("operator", "define-policy", body, key="other")
    assert other.json()["type"] == "/problems/policy-exists"


def test_the_same_many_times_at_once_is_one_event(town: Town) -> None:
    before = town.system.log.head()
    headers = town.bearer("cleo") | {"Idempotency-Key": "storm"}
    request: tuple[str, str, dict[str, Any]] = (
        "PUT",
        "/api/v1/questions/plain/choice",
        {"json": {"marks": {"no": 1}}, "headers": headers},
    )
    answers = town.client.at_once([request] * 40)
    assert {one.status_code for one in answers} == {200}
    assert sorted(one.json()["again"] for one in answers) == [False] + [True] * 39
    assert len({one.json()["position"] for one in answers}) == 1
    assert len(new_events(town, before)) == 1


def test_what_was_carried_out_is_answered_even_where_it_is_no_longer_allowed(town: Town) -> None:
    asked = {"area": "t", "title": "Soon over?", "method": {"kind": "single"}, "options": YES_NO}
    town.give("operator", "open-question", {"question": "short", **asked})
    first = town.choose("ada", "short", {"yes": 1}, key="in-time").json()
    assert town.give("operator", "close-question", {"question": "short"}).status_code == 201
    again = town.choose("ada", "short", {"yes": 1}, key="in-time")
    assert (again.status_code, again.json()) == (200, first | {"again": True})
    late = town.choose("ada", "short", {"yes": 1}, key="too-late")
    assert late.json()["type"] == "/problems/question-closed"


def test_both_routes_share_a_key(town: Town) -> None:
    first = town.choose("dora", "plain", {"yes": 1}, key="both").json()
    body = {"question": "plain", "marks": {"yes": 1}}
    again = town.give("dora", "make-choice", body, key="both").json()
    assert again == first | {"again": True}


def test_a_key_counts_for_one_person_and_one_verb(town: Town) -> None:
    told = [
        town.choose("ada", "plain", {"yes": 1}, key="shared"),
        town.choose("ben", "plain", {"yes": 1}, key="shared"),
        town.give("ada", "withdraw-choice", {"question": "plain"}, key="shared"),
    ]
    assert [one.json()["again"] for one in told] == [False, False, False]
    assert len({one.json()["command_id"] for one in told}) == 3


@pytest.mark.parametrize(
    ("who", "verb", "first", "other", "differing"),
    [
        (
            "ada",
            "make-choice",
            {"question": "plain", "marks": {"yes": 1}},
            {"question": "plain", "marks": {"no": 1}},
            "marks",
        ),
        (
            "ada",
            "make-choice",
            {"question": "plain", "marks": {"yes": 1}},
            {"question": "east/budget/2026", "marks": {"yes": 1}},
            "question",
        ),
        (
            "ada",
            "make-choice",
            {"question": "plain", "marks": {"yes": 1}},
            {"question": "plain", "marks": {"yes": 1}, "comment": "Now with words."},
            "words",
        ),
        (
            "operator",
            "define-area",
            {"area": "t/north", "name": "North"},
            {"area": "t/south", "name": "North"},
            "area",
        ),
    ],
)
def test_a_key_cannot_be_taken_for_another_command(
    town: Town,
    who: str,
    verb: str,
    first: dict[str, Any],
    other: dict[str, Any],
    differing: str,
) -> None:
    key = f"reused-{differing}"
    assert town.give(who, verb, dict(first), key=key).status_code == 201
    before = town.system.log.head()
    answer = town.give(who, verb, dict(other), key=key)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert repr(differing) in answer.json()["detail"]
    assert town.system.log.head() == before


def test_of_a_sealed_choice_the_first_counts(town: Town) -> None:
    """No entry shows sealed marks, so other ones cannot be noticed: the answer says `again`."""
    assert town.choose("ada", "sealed", {"yes": 1}, key="seal").json()["again"] is False
    assert town.choose("ada", "sealed", {"no": 1}, key="seal").json()["again"] is True


def test_an_id_tells_nobody_who_sent_it(town: Town) -> None:
    """A guess at a citizen's key does not lead to the public id: it is made with the vault's key for them."""
    ids = {
        town.give(who, "make-choice", body, key="guess-me").json()["command_id"]
        for who, body in (
            ("ben", {"question": "plain", "marks": {"no": 1}}),
            ("operator", {"question": "plain", "marks": {"no": 1}, "identity": "id/ben"}),
        )
    }
    assert len(ids) == 2
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in ids)


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201, "a\tb"])
def test_what_is_not_a_key_is_refused(town: Town, key: str) -> None:
    answer = town.client.request(
        "PUT",
        "/api/v1/questions/plain/choice",
        json={"marks": {"yes": 1}},
        headers={**town.bearer("ada"), "Idempotency-Key": key.encode()},
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"


def test_the_longest_key_is_taken(town: Town) -> None:
    assert town.choose("ada", "plain", {"yes": 1}, key="!~" * 100).status_code == 200
