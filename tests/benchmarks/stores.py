"""(f) The stores of read models: catch-up on the Warsaw log, beside eventsourcing's own projection runner."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from projections.area import AreaProjection
from projections.catalogue import all_projections
from projections.projection import Projection
from projections.replay import rebuilt
from projections.worker import Worker
from services.assembly import log_and_store
from services.settings import Settings
from tests.benchmarks.measuring import Figure, Report
from tests.benchmarks.projection_peer import folded_by_runner
from tests.benchmarks.warsaw import FILES, imported
from tests.postgres import Server, started

ROUNDS = 3
PEER_SECONDS = 15.0

SQLITE_TARGET = 30_000.0
POSTGRES_TARGET = 20_000.0
PEER_TARGET = 10.0


def stores(report: Report) -> None:
    if not FILES:
        print("  skipped: the real ballots are missing (../shared/data/pabulib)")
        return
    log = imported().log
    with started() as server:
        # As our store asks for each of its connections: so no figure rests on a setting.
        server.execute("ALTER DATABASE postgres SET synchronous_commit = off")
        peer = folded_by_runner(server, log, PEER_SECONDS)
    _measure_sqlite(report, log)
    with started() as server:
        _measure_postgres(report, log, server, peer)


def _measure_sqlite(report: Report, log: Path) -> None:
    numbers = iter(range(100))

    def new() -> str:
        return f"sqlite:///{imported().folder}/stores-{next(numbers)}.sqlite"

    area = _rate(log, new, [AreaProjection()])
    report.add(
        Figure("catch-up of the area model, SQLite, Warsaw", area, "/s", target=SQLITE_TARGET)
    )


def _measure_postgres(report: Report, log: Path, server: Server, peer: float) -> None:
    area = _rate(log, server.new_schema, [AreaProjection()])
    name = "catch-up of the area model, PostgreSQL, Warsaw"
    beside = f"eventsourcing's ProjectionRunner, PostgreSQL: {peer:,.0f}/s"
    report.add(Figure(name, area, "/s", target=POSTGRES_TARGET))
    report.add(Figure(name, area, "/s", beside, area / peer, target=PEER_TARGET))
    every = _rate(log, server.new_schema, all_projections(), rounds=1)
    report.add(Figure("catch-up of all models, PostgreSQL, Warsaw", every, "/s"))
    beside_live = _rebuild(log, server.new_schema())
    report.add(Figure("rebuild of the area model, PostgreSQL, Warsaw", beside_live, "/s"))


def _rate(
    log: Path,
    new: Callable[[], str],
    projections: Sequence[Projection],
    rounds: int = ROUNDS,
) -> float:
    """Events a second of a catch-up from nothing, the median."""
    rates = []
    for _ in range(rounds):
        settings = Settings(log=f"sqlite:///{log}", store=new())
        with log_and_store(settings) as (events, store):
            worker = Worker(events, store, projections)
            started_at = time.perf_counter()
            worker.catch_up()
            rates.append(events.head() / (time.perf_counter() - started_at))
    return statistics.median(rates)


def _rebuild(log: Path, url: str) -> float:
    """Events a second of a rebuild beside a model that is read."""
    with log_and_store(Settings(log=f"sqlite:///{log}", store=url)) as (events, store):
        Worker(events, store, [AreaProjection()]).catch_up()
        started_at = time.perf_counter()
        rebuilt(events, store, AreaProjection())
        return events.head() / (time.perf_counter() - started_at)
