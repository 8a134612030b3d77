"""(g) Reading: how soon a choice is in the count that people see, and how long the page of an area takes."""

import http.client
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from deploy.kafka.broker import Cluster
from services.assembly import assembled
from services.settings import Settings
from tests.benchmarks.http import SERVE, serve, serving, variables
from tests.benchmarks.measuring import Figure, Report
from tests.benchmarks.sample import budget, choice, city, settings
from tests.benchmarks.warsaw import FILES, imported
from tests.postgres import started

CITIZENS = 1_000
CHOICES = 200
BESIDE = 200.0
"""Choices a second that others make meanwhile."""

PAUSE = 0.1
"""Seconds between two choices at the most: they must not keep step with the worker."""

VISIBLE, VISIBLE_FAR = 0.1, 0.25
"""Seconds after the choice was acknowledged, in the median: in one process; on Kafka and PostgreSQL."""

WARM_UP, PAGES = 300, 2_000
PAGE_WITHIN = 10.0
"""Milliseconds, at the 99th percentile."""


def reading(report: Report) -> None:
    with ExitStack() as stack:
        postgres = stack.enter_context(started())
        cluster = Cluster(Path(stack.enter_context(_folder())), lasting=True)
        stack.callback(cluster.stop)
        cluster.start()
        kafka = f"kafka://{cluster.bootstrap}/{cluster.create_topic()}"
        _visible(report, "one process", {}, VISIBLE)
        far = {"CIVIC_LOG": kafka, "CIVIC_STORE": postgres.new_schema()}
        _visible(report, "Kafka and PostgreSQL", far, VISIBLE_FAR)
        if not FILES:
            print("  skipped: the real ballots are missing (../shared/data/pabulib)")
            return
        folder = imported().folder
        stores = {"SQLite": settings(folder).store, "PostgreSQL": postgres.new_schema()}
        for name, url in stores.items():
            _area_pages(report, name, {**variables(folder), "CIVIC_STORE": url})


def _visible(report: Report, what: str, more: Mapping[str, str], target: float) -> None:
    with _folder() as path:
        folder = Path(path)
        environment = {**variables(folder), "CIVIC_REPLICA": str(folder / "replica.sqlite"), **more}
        tokens, marks = _people(environment)
        with serving(serve(), environment) as port:
            alone = _seen_after(port, tokens, marks)
            with _others(port, tokens, marks) as made:
                beside = _seen_after(port, tokens, marks)
        for name, taken in (("", alone), (f", beside {made():,.0f} choices/s", beside)):
            slowest = statistics.quantiles(taken, n=100)[98]
            report.add(
                Figure(
                    f"from a choice to the count, {what}{name}: median",
                    1_000 * statistics.median(taken),
                    "ms",
                    f"99th percentile: {1_000 * slowest:,.0f} ms",
                    target=1_000 * target,
                    at_most=True,
                )
            )


def _people(environment: Mapping[str, str]) -> tuple[list[str], list[bytes]]:
    """Everybody's token, and the body of a choice for each."""
    chance = random.Random(7)
    chosen = Settings.model_validate(
        {name.removeprefix("CIVIC_").lower(): value for name, value in environment.items()}
    )
    with assembled(chosen) as parts:
        citizens = city(parts, CITIZENS)
        budget(parts, "bench")
        parts.worker.catch_up()
        return (
            [parts.vault.issue_token("citizen", one) for one in citizens],
            [orjson.dumps({"marks": choice(one, "bench", chance).marks}) for one in citizens],
        )


class _Client:
    """One connection to the server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def choose(self, token: str, body: bytes) -> int:
        """The position at which the choice was acknowledged."""
        told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection.request("PUT", "/api/v1/questions/bench/choice", body, told)
        return int(orjson.loads(self._answer())["position"])

    def get(self, path: str) -> bytes:
        self._connection.request("GET", path)
        return self._answer()

    def close(self) -> None:
        self._connection.close()

    def _answer(self) -> bytes:
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{answer.status}: {body.decode()}")
        return body


def _seen_after(port: int, tokens: list[str], bodies: list[bytes]) -> list[float]:
    """For each choice, the seconds from its acknowledgement to a count that holds it."""
    chance, taken = random.Random(8), []
    with closing(_Client(port)) as client:
        for _ in range(CHOICES):
            who = chance.randrange(CITIZENS // 2)
            position = client.choose(tokens[who], bodies[chance.randrange(CITIZENS)])
            acknowledged = time.perf_counter()
            client.get(f"/api/v1/questions/bench/tallies?wait_for={position}")
            taken.append(time.perf_counter() - acknowledged)
            time.sleep(chance.uniform(0, PAUSE))
    return taken


@contextmanager
def _others(port: int, tokens: list[str], bodies: list[bytes]) -> Iterator["_Rate"]:
    """Other people choose meanwhile, at a steady rate. Gives the rate that it was."""
    rate, over = _Rate(), threading.Event()

    def choose() -> None:
        chance = random.Random(9)
        with closing(_Client(port)) as client:
            due = time.perf_counter()
            while not over.wait(max(0.0, due - time.perf_counter())):
                due += 1 / BESIDE
                who = chance.randrange(CITIZENS // 2, CITIZENS)
                client.choose(tokens[who], bodies[chance.randrange(CITIZENS)])
                rate.made += 1

    thread = threading.Thread(target=choose)
    thread.start()
    try:
        yield rate
    finally:
        over.set()
        thread.join()
        rate.ended = time.perf_counter()


class _Rate:
    def __init__(self) -> None:
        self.made = 0
        self.started = self.ended = time.perf_counter()

    def __call__(self) -> float:
        return self.made / (self.ended - self.started)


def _area_pages(report: Report, store: str, environment: Mapping[str, str]) -> None:
    """The page and the API's view of every area of Warsaw, in any order, on one connection."""
    subprocess.run(
        [sys.executable, "-c", SERVE, "project", "--once"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with serving(serve(), environment) as port, closing(_Client(port)) as client:
        while not _is_published(client):
            time.sleep(0.2)  # a server begins with the public files of the whole log
        areas = [one["area"] for one in orjson.loads(client.get("/api/v1/areas"))["items"]]
        for name, path in (("page", "/areas"), ("API", "/api/v1/areas")):
            chance, taken = random.Random(7), []
            for area in chance.choices(areas, k=WARM_UP):  # connections, statements
                client.get(f"{path}/{area}")
            for area in chance.choices(areas, k=PAGES):
                began = time.perf_counter()
                client.get(f"{path}/{area}")
                taken.append(1_000 * (time.perf_counter() - began))
            report.add(
                Figure(
                    f"an area of Warsaw, {name}, {store}: 99th percentile",
                    statistics.quantiles(taken, n=100)[98],
                    "ms",
                    f"median: {statistics.median(taken):.2f} ms",
                    target=PAGE_WITHIN,
                    at_most=True,
                )
            )


def _is_published(client: _Client) -> bool:
    health = orjson.loads(client.get("/healthz"))
    return bool((health["checkpoints"]["published"] or 0) >= health["log"])


def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="civic-bench-")
