"""A server that leaves the read models to workers in processes of their own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.http.process import PROGRAM, Server, environment, serving
from tests.http.test_standby import define


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "project", "--follow"],
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def areas(server: Server, position: int) -> list[str]:
    answer = server.get(f"/api/v1/areas?wait_for={position}")
    assert answer.status_code == 200, answer.text
    return [one["area"] for one in answer.json()["items"]]


def test_what_a_worker_folds_is_seen(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-fold") as server:
        token = server.said[0].rpartition(" ")[2]
        assert define(server, token, "a").json()["position"] == 1
        assert server.get("/api/v1/areas").json()["items"] == []
        for name, position in (("b", 2), ("c", 3)):
            with worker(tmp_path):
                assert define(server, token, name).json()["position"] == position
                assert len(areas(server, position)) == position
        assert define(server, token, "d").json()["position"] == 4
        late = server.get("/api/v1/areas?wait_for=4")
        assert (late.status_code, late.json()["type"]) == (504, "/problems/not-visible-yet")
        health = server.get("/healthz").json()
        assert {one["position"] for one in health["models"].values()} == {3}
        assert server.stop()[0] == 0


def test_models_in_memory_are_nobody_elses(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--no-fold"],
        env={**environment(tmp_path), "CIVIC_STORE": "memory:"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "CIVIC_STORE" in ended.stderr
    assert [*tmp_path.iterdir()] == []
