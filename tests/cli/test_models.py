"""The commands for the read models: project, rebuild, digest, status."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import encode
from ledger.domain.areas import AreaDefined
from ledger.domain.event import Event, instant
from ledger.domain.outcomes import OutcomeReported
from ledger.eventlog.port import Append, NewEvent
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.digest import digest
from projections.replay import as_it_stood
from projections.stores.port import State, Work
from projections.stores.sqlite import SQLiteStore
from tests.cli.test_command_line import PROGRAM, ROOT, civic_ledger
from tests.unit.ledgers import Clock

MODELS = {one.name for one in all_projections()}
EVENTS = 200


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An area a position, the last of them at position `EVENTS`."""
    recorded(
        tmp_path, *(AreaDefined(area=f"a{n}", name="A", kind="territory") for n in range(EVENTS))
    )
    places = {one: f"sqlite:///{tmp_path}/{one}.sqlite" for one in ("log", "store", "vault")}
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **{f"CIVIC_{name.upper()}": url for name, url in places.items()},
    }


def recorded(folder: Path, *events: Event) -> None:
    log = SQLiteLog(folder / "log.sqlite")
    time_ = instant(Clock().now)
    for n, event in enumerate(events, log.head() + 1):
        entry = encode(event, event_id=f"{n}/1", source="x", time=time_)
        log.append_batch([Append((NewEvent(event.type, entry, ()),))])
    log.close()


def answer(environment: dict[str, str], *arguments: str, exit_code: int = 0) -> Any:
    return json.loads(civic_ledger(environment, *arguments, "--json", exit_code=exit_code).stdout)


def models(environment: dict[str, str]) -> dict[tuple[str, int], dict[str, Any]]:
    return {
        (one["model"], one["generation"]): one for one in answer(environment, "status")["models"]
    }


def test_a_model_is_rebuilt_and_brought_back(environment: dict[str, str]) -> None:
    before = answer(environment, "digest")
    assert before["area"]["position"] == EVENTS
    told = civic_ledger(environment, "rebuild", "area").stdout
    assert told.splitlines() == [
        f"area: generation 2 is read now, at position {EVENTS}",
        "generation 1 is kept; `civic-ledger rebuild area --back` brings it back",
    ]
    assert answer(environment, "digest") == before
    states = {key: one["state"] for key, one in models(environment).items()}
    assert (states["area", 1], states["area", 2], states["question", 1]) == ("kept", "live", "live")
    back = answer(environment, "rebuild", "area", "--back")
    assert back == {"model": "area", "generation": 1, "position": EVENTS}
    assert answer(environment, "digest", "area") == {"area": before["area"]}
    none_kept = civic_ledger(environment, "rebuild", "question", "--back", exit_code=1)
    assert "No former generation of the model 'question' is kept" in none_kept.stderr


def test_the_former_generation_is_caught_up_before_it_comes_back(
    environment: dict[str, str], tmp_path: Path
) -> None:
    civic_ledger(environment, "project", "--once")
    civic_ledger(environment, "rebuild", "area")
    recorded(tmp_path, AreaDefined(area="later", name="A", kind="territory"))
    civic_ledger(environment, "project", "--once")
    assert models(environment)["area", 1]["lag"] == 1
    assert answer(environment, "rebuild", "area", "--back")["position"] == EVENTS + 1
    assert civic_ledger(environment, "area", "later").stdout


def test_a_digest_at_a_position_is_that_of_a_log_that_ends_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    now = answer(environment, "digest")
    at = answer(environment, "digest", "area", "--at", str(EVENTS - 1))
    assert at["area"]["position"] == EVENTS - 1
    assert at["area"]["digest"] != now["area"]["digest"]
    assert answer(environment, "digest", "--at", str(EVENTS)) == now
    assert set(answer(environment, "digest", "--at", "0")) == MODELS
    recorded(tmp_path, AreaDefined(area="later", name="A", kind="territory"))
    assert answer(environment, "digest", "--at", str(EVENTS)) == now
    beyond = civic_ledger(environment, "digest", "--at", "999", exit_code=1)
    assert f"The log ends at position {EVENTS + 1}" in beyond.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rebuild", "weather"), "there is no read model 'weather'; there are"),
        (("digest", "weather"), "there is no read model 'weather'"),
        (("project", "--model", "weather"), "there is no read model 'weather'"),
        (("project", "--once", "--follow"), "exclude each other"),
        (("digest", "--at", "-1"), "greater than or equal to 0"),
        (("status", "--store", "mysql://x"), "or postgresql://USER@HOST/DATABASE"),
    ],
)
def test_what_cannot_be_asked(
    environment: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    assert told in civic_ledger(environment, *arguments, exit_code=2).stderr


def test_a_store_of_a_newer_version_is_refused_with_both_named(
    environment: dict[str, str], tmp_path: Path
) -> None:
    civic_ledger(environment, "project", "--once")
    store = SQLiteStore(tmp_path / "store.sqlite")
    store._writer.execute("UPDATE models SET version = 99 WHERE model = 'area'")
    store.close()
    told = civic_ledger(environment, "project", "--once", exit_code=3).stderr
    assert "the model 'area' is of version 99; this program knows version" in told
    assert models(environment)["area", 1]["version"] == 99, "status looks, and changes nothing"


def test_a_halt_shows_in_the_status_of_another_process(
    environment: dict[str, str], tmp_path: Path
) -> None:
    outcome = OutcomeReported(question="never asked", option="a", stage="planned", percent=0)
    recorded(tmp_path, outcome, AreaDefined(area="later", name="A", kind="territory"))
    halted = civic_ledger(environment, "project", "--once", exit_code=3).stderr
    assert f"the model 'area' halted at position {EVENTS + 1}" in halted
    found = models(environment)
    assert found["area", 1]["halted"] == {
        "position": EVENTS + 1,
        "type": "civic.outcome.reported.v1",
        "reason": "LookupError: the question 'never asked' was never opened",
    }
    assert (found["area", 1]["lag"], found["question", 1]["lag"]) == (2, 0), "the others go on"
    assert found["area", 1]["lag_seconds"] > 3600
    assert found["question", 1]["lag_seconds"] == 0
    text = civic_ledger(environment, "status").stdout
    assert f"area halted at position {EVENTS + 1} (civic.outcome.reported.v1): LookupError" in text


def test_the_status_is_a_table_of_all_generations_and_workers(
    environment: dict[str, str], tmp_path: Path
) -> None:
    civic_ledger(environment, "project", "--once", "--model", "area", "--model", "question")
    store = SQLiteStore(tmp_path / "store.sqlite")
    now = int(time.time())
    store.report(
        [
            Work("here:1", "area", 1_500, now, "the disk was full"),
            Work("there:2", "area", 500, now),
            Work("gone:3", "area", 9_999, now - 3600),
        ]
    )
    area = next(one for one in all_projections() if one.name == "area")
    store.rebuild(area)
    store.close()
    lines = civic_ledger(environment, "status").stdout.splitlines()
    assert lines[0] == f"log at position {EVENTS}"
    assert lines[1].split() == [
        "model",
        "generation",
        "version",
        "state",
        "position",
        "lag",
        "seconds",
        "rate",
    ]
    rows = [line.split() for line in lines[2:]]
    version = str(area.version)
    assert ["area", "1", version, "live", str(EVENTS), "0", "0", "2,000/s"] in rows
    assert rows[-1] == ["worker", "here:1:", "last", "error", "the", "disk", "was", "full"]
    assert any(row[:4] == ["area", "2", version, "building"] for row in rows)


def test_a_worker_for_one_model_follows_the_log_and_leaves_the_others(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, "project", "--follow", "--model", "area"]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    store = SQLiteStore(tmp_path / "store.sqlite")

    def positions() -> dict[str, int]:
        return {one.model: one.position for one in store.generations()}

    try:
        eventually(lambda: positions().get("area") == EVENTS)
        recorded(tmp_path, AreaDefined(area="later", name="A", kind="territory"))
        eventually(lambda: positions()["area"] == EVENTS + 1)
        assert positions()["question"] == 0
        eventually(lambda: [one.model for one in store.work()] == ["area"])
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
        worker.communicate()
    assert store.work() == []
    store.close()


def test_a_worker_follows_a_rebuild_to_the_new_generation(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, "project", "--follow"]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    store = SQLiteStore(tmp_path / "store.sqlite")
    area = next(one for one in all_projections() if one.name == "area")

    def live() -> tuple[int, int]:
        return next(
            (one.number, one.position)
            for one in (*store.generations(), store.prepare(area))
            if (one.model, one.state) == ("area", State.LIVE)
        )

    try:
        eventually(lambda: live() == (1, EVENTS))
        for number, options in ((2, ()), (1, ("--back",))):
            assert answer(environment, "rebuild", "area", *options)["generation"] == number
            head = live()[1] + 1
            recorded(tmp_path, AreaDefined(area=f"b{head}", name="A", kind="territory"))
            eventually(lambda: live() == (number, head))  # noqa: B023
        assert worker.poll() is None
    finally:
        worker.terminate()
        assert worker.wait(timeout=20) == 0
        worker.communicate()
    log = SQLiteLog(tmp_path / "log.sqlite")
    with as_it_stood(log, [area], log.head()) as replayed:
        assert digest(store, area) == digest(replayed, area)
    store.close()
    log.close()


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
