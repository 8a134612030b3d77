"""Health, figures, and the headers that every answer has."""

import logging
from types import SimpleNamespace

import orjson
import pytest

from projections.catalogue import all_projections
from projections.worker import Halt
from services.logs import _JsonLine
from services.metrics import Metrics
from services.upkeep import Upkeep
from tests.http.town import Town


def test_health_says_how_far_each_model_has_come(town: Town) -> None:
    position = town.choose("ada", "plain", {"yes": 1}).json()["position"]
    town.read("areas", wait_for=position)
    answer = town.client.get("/healthz")
    told = answer.json()
    assert (answer.status_code, told["status"], told["log"]) == (200, "ok", position)
    assert told["models"].keys() == {one.name for one in all_projections()}
    assert all(one == {"position": position, "halted": None} for one in told["models"].values())


def test_a_model_that_stands_still_shows(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    halt = Halt(7, "civic.choice.made.v1", "KeyError: something personal")
    monkeypatch.setitem(town.system.worker.halted, "area", halt)
    answer = town.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["models"]["area"]["halted"] == "position 7 (civic.choice.made.v1)"
    assert "personal" not in answer.text
    assert 'civic_projection_halted{model="area"} 1.0' in town.client.get("/metrics").text


def test_a_thread_that_fails_shows_until_it_works_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep = Upkeep(town.system)
    outcomes = iter([RuntimeError("gone"), None])

    def work() -> None:
        if (outcome := next(outcomes, None)) is not None:
            raise outcome
        seen.append(upkeep.failing())
        upkeep._stop.set()

    seen: list[set[str]] = []
    monkeypatch.setattr("services.upkeep.RETRY_PAUSE", 0.01)
    upkeep._keep_doing("steward", work)
    assert seen == [{"steward"}]
    assert upkeep.failing() == set()
    assert upkeep.errors()["steward"][1] == "RuntimeError"
    assert 'error="RuntimeError",thread="steward"' in Metrics(upkeep).text().decode()


def test_figures_count_commands_by_what_became_of_them(town: Town) -> None:
    town.choose("ada", "plain", {"yes": 1}, key="figures")
    town.choose("ada", "plain", {"yes": 1}, key="figures")
    town.choose("ada", "plain", {"nothing": 1})
    town.choose(None, "plain", {"yes": 1})
    text = town.client.get("/metrics").text
    for outcome in ("accepted", "again", "illegal-marks", "token-missing"):
        assert f'civic_commands_total{{outcome="{outcome}",verb="make-choice"}}' in text
    assert 'route="/api/v1/questions/{question:path}/choice",status="200"' in text
    for figure in ("position", "lag_events", "lag_seconds", "rate", "halted"):
        assert f'civic_projection_{figure}{{model="citizen"}}' in text
    assert "civic_log_position" in text


def test_figures_hold_nothing_personal(town: Town) -> None:
    town.choose("ada", "plain", {"yes": 1}, key="figures-2")
    town.read("citizens/me", "ada")
    town.read("citizens", "operator", identity="id/ada")
    town.client.get("/nowhere/id/ada")
    text = town.client.get("/metrics").text
    for personal in ("id/ada", "figures-2", *town.citizens.values(), *town.tokens.values()):
        assert personal not in text
    assert 'route="unmatched"' in text


@pytest.mark.parametrize(
    "path", ["/areas/t", "/api/v1/areas", "/nowhere", "/static/civic.css", "/healthz", "/metrics"]
)
def test_every_answer_is_made_safe(town: Town, path: str) -> None:
    headers = town.client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_the_log_tells_the_place_of_a_bug_and_not_its_words() -> None:
    try:
        raise ValueError("ada@example.org chose yes")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed\n", None, info)
    line = _JsonLine().format(record)
    told = orjson.loads(line)
    assert "\n" not in line
    assert (told["level"], told["message"], told["error"]) == ("error", "failed", "ValueError")
    assert "ada" not in line.replace(__name__, "")
    assert told["where"][-1].endswith("test_the_log_tells_the_place_of_a_bug_and_not_its_words")


def test_a_halt_of_all_models_is_no_busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    worker = SimpleNamespace(step=lambda: False, halted={"a": 1}, positions={"a": 5})
    upkeep = Upkeep(SimpleNamespace(worker=worker, log=None))  # type: ignore[arg-type]
    monkeypatch.setattr(upkeep._stop, "wait", waited.append)
    upkeep._fold()
    assert waited == [1.0]
