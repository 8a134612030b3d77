"""Real brokers for tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka import broker
from deploy.kafka.broker import Cluster
from deploy.kafka.guard import Guard
from tests.missing import missing


@contextmanager
def running(folder: Path, brokers: int = 1, *, guarded: bool = False) -> Iterator[Cluster]:
    """So many brokers that serve, killed at the end. Of their folder only what they said is kept."""
    if lacking := broker.missing():
        missing(lacking)
    with Cluster(folder, brokers, guard=Guard(folder) if guarded else None) as cluster:
        yield cluster.start()
    for one in cluster.brokers:
        shutil.rmtree(one.folder / "data")
