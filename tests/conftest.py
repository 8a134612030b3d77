"""What the tests of several folders share: servers, started when a test first asks for one, and the log of a town."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.broker import Cluster
from services.assembly import assembled
from services.settings import Settings
from services.town import build
from tests import brokers, postgres
from tests.missing import missing


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One PostgreSQL server for all tests that leave it running; each takes a schema of its own."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One broker for all tests that leave it running."""
    with brokers.running(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster


@pytest.fixture
def topic(kafka: Cluster) -> str:
    """The name of a new topic, for one log, of that broker. For more: `kafka.create_topic()`."""
    return kafka.create_topic()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three brokers for a file of tests, for them to kill and start again."""
    with brokers.running(tmp_path_factory.mktemp("cluster"), brokers=3) as three:
        yield three


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One broker with TLS, sign-in and rights: see `deploy/kafka/guard.py`."""
    with brokers.running(tmp_path_factory.mktemp("guarded"), guarded=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser, for the tests of one file."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("there is no chromium to look at the pages with: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("pip install playwright axe-playwright-python")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def town_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the sample town, in SQLite. Not to be written."""
    folder = tmp_path_factory.mktemp("town")
    urls = {name: f"sqlite:///{folder}/{name}.sqlite" for name in ("log", "store", "vault")}
    with assembled(Settings(**urls)) as system:
        build(system)
    return folder / "log.sqlite"
