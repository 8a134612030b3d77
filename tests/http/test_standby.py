"""Two servers on one log on Kafka: one takes the commands, the other stands by and takes over."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.kafka.broker import Cluster
from tests.http.process import Server, serving

TAKEN_OVER_WITHIN = 30.0
"""Seconds after the other one was killed. What it takes on a quiet machine is measured (`make bench`)."""


@pytest.fixture
def log(kafka: Cluster, topic: str) -> dict[str, str]:
    return {"CIVIC_LOG": f"kafka://{kafka.bootstrap}/{topic}"}


@pytest.fixture
def first(log: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "first", more=on(log, tmp_path, "first")) as server:
        yield server


def on(log: dict[str, str], folder: Path, name: str) -> dict[str, str]:
    """A machine's own replica and read models, and the vault that all share."""
    return {
        **log,
        "CIVIC_REPLICA": str(folder / name / "replica.sqlite"),
        "CIVIC_VAULT": f"sqlite:///{folder}/vault.sqlite",
    }


def define(server: Server, token: str, area: str, key: str | None = None) -> httpx.Response:
    return httpx.post(
        f"{server.address}/api/v1/commands/define-area",
        json={"area": area, "name": area.upper()},
        headers={"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})},
        timeout=30,
    )


def test_a_server_that_stands_by_takes_over(
    first: Server, log: dict[str, str], tmp_path: Path
) -> None:
    token = first.said[0].rpartition(" ")[2]
    assert define(first, token, "a", key="one").status_code == 201
    with serving(tmp_path / "second", "--standby", more=on(log, tmp_path, "second")) as second:
        assert second.get("/api/v1/areas?wait_for=1").json()["items"][0]["area"] == "a"
        refused = define(second, token, "b")
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (
            503,
            "stands-by",
        )
        assert define(first, token, "b").json()["position"] == 2
        assert [one.get("/healthz").json()["takes_commands"] for one in (first, second)] == [
            True,
            False,
        ]
        assert "civic_log_leads 1.0\n" in first.get("/metrics").text
        assert "civic_log_leads 0.0\n" in second.get("/metrics").text

        first.process.kill()
        killed = time.monotonic()
        while (answer := define(second, token, "c")).status_code == 503:
            assert time.monotonic() - killed < TAKEN_OVER_WITHIN
        assert (answer.status_code, answer.json()["position"]) == (201, 3)
        again = define(second, token, "a", key="one").json()
        assert (again["position"], again["again"]) == (1, True)
        areas = second.get("/api/v1/areas?wait_for=3").json()["items"]
        assert [one["area"] for one in areas] == ["a", "b", "c"]


def test_a_second_server_says_how_to_stand_by(
    first: Server, log: dict[str, str], tmp_path: Path
) -> None:
    machine = {**on(log, tmp_path, "second"), "CIVIC_PATIENCE": "2"}
    with (
        pytest.raises(AssertionError, match="--standby"),
        serving(tmp_path / "second", more=machine),
    ):
        pass
    assert first.get("/healthz").status_code == 200


def test_a_server_waits_for_its_log(kafka: Cluster, tmp_path: Path) -> None:
    """Here the topic comes late; brokers that come late are the failure suite's matter."""
    log = {"CIVIC_LOG": f"kafka://{kafka.bootstrap}/nowhere"}
    with (
        pytest.raises(AssertionError, match="there is no such topic"),
        serving(tmp_path, more=on(log, tmp_path, "only")),
    ):
        pass
