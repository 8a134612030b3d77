"""Reads: what they say, for which position, and that one's own write can be read."""

import csv
import io
from typing import Any

import pytest

from projections.catalogue import all_projections
from projections.digest import digest
from services.api import reading
from services.exports import TALLY_COLUMNS
from tests.http.town import SLASHES, Town

PUBLIC = (
    "areas",
    "areas/t",
    "areas/t/east",
    "questions",
    "questions?area=t",
    "questions/plain",
    "questions/plain/tally",
    "questions/plain/tally?area=t/east",
    "questions/decided/decision",
    f"questions/{SLASHES}",
    f"questions/{SLASHES}/tally",
    f"questions/{SLASHES}/decision",
    "tallies.json",
    "digests",
)


@pytest.mark.parametrize("path", PUBLIC)
def test_every_answer_states_its_position(town: Town, path: str) -> None:
    answer = town.read(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] > 0
    assert town.read("citizens/me", "ada").json()["position"] > 0


@pytest.mark.parametrize("path", [*PUBLIC, "tallies.csv"])
def test_an_answer_that_has_not_changed_is_not_sent_again(town: Town, path: str) -> None:
    first = town.read(path)
    tag = first.headers["etag"]
    headers = {"If-None-Match": f'"other", W/{tag}'}
    again = town.client.get(f"/api/v1/{path}", headers=headers)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    town.read("areas", wait_for=town.choose("ada", "plain", {"yes": 1}).json()["position"])
    if path != "digests":  # given again for a while
        changed = town.client.get(f"/api/v1/{path}", headers=headers)
        assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


def test_ones_own_write_can_be_read(town: Town) -> None:
    for number in range(30):
        option = ("yes", "no")[number % 2]
        made = town.choose("cleo", "plain", {option: 1})
        mine = town.seen(made, "citizens/me", "cleo")
        assert mine["position"] >= made.json()["position"]
        (choice,) = [one for one in mine["choices"] if one["question"] == "plain"]
        assert choice["marks"] == {option: 1}
        assert choice["counted_at"] == made.json()["position"]


def test_a_position_that_does_not_come_is_not_waited_for_for_ever(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    answer = town.read("areas", wait_for=10**9)
    assert answer.status_code == 504
    assert answer.json()["type"] == "/problems/not-visible-yet"
    assert answer.json()["field"] == "wait_for"


def test_a_citizens_own_model_has_nothing_of_others(town: Town) -> None:
    town.choose("dora", "plain", {"no": 1})
    position = town.choose("ada", SLASHES, {"yes": 1, "no": 1}).json()["position"]
    answer = town.read("citizens/me", "ada", wait_for=position)
    mine = answer.json()
    assert mine["home"] == "t/east"
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    for other in ("ben", "cleo", "dora"):
        assert town.citizens[other] not in answer.text
    by_operator = town.read("citizens", "operator", identity="id/ada").json()
    assert by_operator == mine


def test_of_a_sealed_question_only_the_turnout_shows(town: Town) -> None:
    shown = town.read("questions/sealed").json()
    assert (shown["sealed"], shown["tally"], shown["voters"]) == (True, None, 1)
    listed = {one["question"]: one for one in town.read("areas/t").json()["questions"]}
    assert listed["sealed"]["options"] == []
    assert "sealed" not in {one["question"] for one in town.read("tallies.json").json()["tallies"]}


def test_tallies_as_csv_are_the_tallies(town: Town) -> None:
    answer = town.read("tallies.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == TALLY_COLUMNS
    told: list[tuple[Any, ...]] = [
        (one["question"], option["id"], str(option["count"]))
        for one in town.read("tallies.json").json()["tallies"]
        for option in one["options"]
    ]
    assert [(row["question"], row["option_id"], row["count"]) for row in rows] == told


def test_digests_are_those_of_the_store(town: Town) -> None:
    position = town.choose("ada", "plain", {"no": 1}).json()["position"]
    told = town.read("digests", wait_for=position).json()
    assert told["position"] == position
    for model in all_projections():
        assert told["digests"][model.name] == digest(town.system.store, model)._asdict()


def test_a_percent_encoded_slash_is_a_slash(town: Town) -> None:
    path = SLASHES.replace("/", "%2F")
    assert town.read(f"questions/{path}/tally").json()["question"] == SLASHES


def test_head_is_get_without_a_body(town: Town) -> None:
    answer = town.client.request("HEAD", "/api/v1/areas")
    assert answer.status_code == 200
    assert answer.headers["etag"]
