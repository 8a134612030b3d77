"""Trials on brokers: one that all leave running, one and three that are killed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from tests import brokers
from tests.failure.kafka.trial import Trial


@pytest.fixture
def trial_on(tmp_path: Path) -> Iterator[Callable[[Cluster], Trial]]:
    with ExitStack() as stack:
        yield lambda cluster: Trial(cluster, tmp_path, stack)


@pytest.fixture
def trial(kafka: Cluster, trial_on: Callable[[Cluster], Trial]) -> Trial:
    return trial_on(kafka)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A single broker to kill."""
    with brokers.running(tmp_path_factory.mktemp("single")) as cluster:
        yield cluster
