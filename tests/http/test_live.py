"""Live counts: they come as they change, go on after a disconnect, and cost nothing for who is slow or gone."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ledger.domain.questions import CloseQuestion, UnsealQuestion
from services.api import live as live_counts
from tests.http.streaming import Listening, Stream, listening
from tests.http.town import Town, served


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Town]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def heard(own: Town) -> Iterator[Listening]:
    with listening(own.app) as found:
        yield found


def counts(stream: Stream) -> tuple[int, dict[str, dict[str, int]]]:
    """The position of the next event, and its counts by question and option."""
    sent = stream.next()
    assert (sent.event, sent.data["position"]) == ("counts", sent.id)
    return sent.id, {
        one["question"]: {option["id"]: option["count"] for option in one["options"]}
        for one in sent.data["questions"]
    }


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_choice_is_sent_as_it_is_made(own: Town, heard: Listening) -> None:
    with heard.stream("questions/plain/live") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-cache"
        assert counts(stream)[1] == {"plain": {"yes": 0, "no": 0}}
        for who, expected in (("ada", {"yes": 1, "no": 0}), ("ben", {"yes": 2, "no": 0})):
            made = own.choose(who, "plain", {"yes": 1}).json()["position"]
            position, found = counts(stream)
            assert found == {"plain": expected}
            assert position >= made


def test_after_a_disconnect_what_was_missed_is_sent_and_nothing_twice(
    own: Town, heard: Listening
) -> None:
    with heard.stream("areas/t/live") as stream:
        position, found = counts(stream)
        assert set(found) == {"plain", "sealed", "mandate/07"}
    made = own.choose("ada", "mandate/07", {"works": 1}).json()["position"]
    own.read("areas", wait_for=made)
    with heard.stream("areas/t/live") as other, heard.stream("areas/t/live", position) as stream:
        assert len(counts(other)[1]) == 3
        resumed, found = counts(stream)
        assert resumed >= made
        assert found["mandate/07"] == {"works": 2}
        second = own.choose("ada", "plain", {"no": 1}).json()["position"]
        again, found = counts(stream)
        assert found == {"plain": {"yes": 0, "no": 1}}
        with heard.stream("areas/t/live", second) as third:
            own.choose("ada", "plain", {"yes": 1})
            assert counts(third)[1] == {"plain": {"yes": 1, "no": 0}}, "not what it has already"
        assert again >= second


def test_an_area_follows_the_choices_of_its_own_people(own: Town, heard: Listening) -> None:
    with heard.stream("questions/plain/live?area=t/east", timeout=0.7) as stream:
        assert counts(stream)[1] == {"plain": {"yes": 0, "no": 0}}
        own.choose("cleo", "plain", {"yes": 1})  # of the town, not of its east
        own.choose("dora", "plain", {"no": 1})
        with pytest.raises(httpx.ReadTimeout):
            stream.next()


def test_of_a_sealed_question_no_count_is_sent_before_it_is_unsealed(
    own: Town, heard: Listening
) -> None:
    with heard.stream("questions/sealed/live") as stream:
        first = stream.next().data["questions"][0]
        assert (first["sealed"], first["options"], first["voters"]) == (True, [], 1)
        own.choose("ada", "sealed", {"yes": 1})
        second = stream.next().data["questions"][0]
        assert (second["sealed"], second["options"], second["voters"]) == (True, [], 2)
        for command in (CloseQuestion(question="sealed"), UnsealQuestion(question="sealed")):
            own.system.ledger.execute(command)
        found = stream.next().data["questions"][0]
        if found["sealed"]:  # closed was seen before unsealed
            assert found["options"] == []
            found = stream.next().data["questions"][0]
        assert {one["id"]: one["count"] for one in found["options"]} == {"yes": 1, "no": 1}


def test_a_question_that_is_closed_is_told_of_once_more(own: Town, heard: Listening) -> None:
    with heard.stream("areas/t/live") as stream:
        counts(stream)
        own.system.ledger.execute(CloseQuestion(question="plain"))
        (closed,) = stream.next().data["questions"]
        assert (closed["question"], closed["stage"]) == ("plain", "closed")


@pytest.mark.parametrize(
    ("path", "headers", "problem"),
    [
        ("questions/unheard-of/live", {}, "not-found"),
        ("questions/plain/live?area=nowhere", {}, "not-found"),
        ("areas/nowhere/live", {}, "not-found"),
        ("areas/t/live", {"Last-Event-ID": "999999"}, "in-the-future"),
        ("areas/t/live", {"Last-Event-ID": "1_0"}, "invalid-request"),
        ("areas/t/live", {"Last-Event-ID": "-1"}, "invalid-request"),
        ("areas/t/live", {"Accept": "application/json"}, "not-acceptable"),
    ],
)
def test_what_cannot_be_followed_is_a_problem(
    town: Town, path: str, headers: dict[str, str], problem: str
) -> None:
    answer = town.client.get(f"/api/v1/{path}", headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{problem}"


def test_a_stream_ends_so_that_clients_come_back(
    own: Town, heard: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_counts, "LASTS", 0.2)
    with heard.stream("questions/plain/live") as stream:
        counts(stream)
        with pytest.raises(StopIteration):
            stream.next()


def test_many_followers_hold_no_thread_and_leave_nothing_behind(
    own: Town, heard: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[live_counts.Live] = []
    follow = live_counts.Live.follow

    def noted(self: live_counts.Live, *about: object) -> object:
        watched.append(self)
        return follow(self, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(live_counts.Live, "follow", noted)
    with httpx.Client(limits=httpx.Limits(max_connections=None), timeout=10) as client:
        before = threading.active_count()
        url = f"{heard.address}/api/v1/questions/plain/live"
        open_streams = [
            client.send(client.build_request("GET", url), stream=True) for _ in range(100)
        ]
        # None of them reads on: they are as slow as can be.
        for number in range(30):
            own.choose("ada", "plain", {("yes", "no")[number % 2]: 1})
        made = own.choose("ben", "plain", {"yes": 1}).json()["position"]
        own.read("areas", wait_for=made)
        with heard.stream("questions/plain/live") as stream:
            assert counts(stream)[1] == {"plain": {"yes": 1, "no": 1}}
        assert threading.active_count() <= before + 4  # those that read
        assert watched[0].topics == 1
        for one in open_streams:
            one.close()
    until(lambda: watched[0].topics == 0)


def test_a_store_that_fails_for_a_while_is_asked_again(
    own: Town, heard: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh, failures = live_counts._Topic.refresh, iter([RuntimeError("gone for a moment")] * 2)

    async def refreshed(self: live_counts._Topic, run: live_counts.Run) -> None:
        if self.position and (error := next(failures, None)) is not None:
            raise error
        await refresh(self, run)

    monkeypatch.setattr(live_counts._Topic, "refresh", refreshed)
    with heard.stream("questions/plain/live") as stream:
        counts(stream)
        own.choose("ada", "plain", {"yes": 1})
        assert counts(stream)[1] == {"plain": {"yes": 1, "no": 0}}
    assert next(failures, None) is None
