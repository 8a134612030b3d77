"""Workers that read the topic itself: two of a group, of which the one that works is killed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from tests.integration.importing import PROGRAM, Ledger, pb

WITHIN = 60.0


@pytest.fixture
def ledger(kafka: Cluster, topic: str, tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, f"kafka://{kafka.bootstrap}/{topic}")


@contextmanager
def following(ledger: Ledger, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, with a store of its own, so that it shows which one works."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "project", "--follow"],
        env=ledger.environment | {"CIVIC_STORE": store(ledger, name)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def store(ledger: Ledger, name: str) -> str:
    return f"sqlite:///{ledger.folder}/{name}.sqlite"


def reached(ledger: Ledger, name: str) -> int:
    """How far the models in a store are."""
    ran = ledger.run("status", "--json", "--store", store(ledger, name))
    assert ran.exit_code == 0, ran.errors
    return min((one["position"] for one in json.loads(ran.out)["models"]), default=0)


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


def vote(ledger: Ledger, name: str) -> None:
    file = pb(ledger.folder / f"{name}.pb", ["1;p", "2;p,q", "3;r"], instance=name)
    assert ledger.run("import", "pabulib", file).exit_code == 0


def test_a_worker_goes_on_where_its_fellow_was_killed(ledger: Ledger) -> None:
    vote(ledger, "first")
    with following(ledger, "one") as worker:
        eventually(lambda: reached(ledger, "one") == ledger.head())
        with following(ledger, "two"):
            vote(ledger, "second")
            eventually(lambda: reached(ledger, "one") == ledger.head())
            assert reached(ledger, "two") == 0
            worker.send_signal(signal.SIGKILL)
            vote(ledger, "third")
            eventually(lambda: reached(ledger, "two") == ledger.head())
    digests = [
        json.loads(ledger.run("digest", "--json", "--store", store(ledger, name)).out)
        for name in ("one", "two", "anew")
    ]
    assert digests[0] == digests[1] == digests[2]
