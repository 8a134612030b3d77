"""(c) Replay: events a second and memory, at 10⁵ and 10⁶ events, beside a bare loop over the same records."""

import subprocess
import sys
import time
from pathlib import Path

import orjson

from ledger.eventlog.port import EVERYTHING
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.stores.sqlite import SQLiteStore
from projections.worker import BATCH, Worker
from services.assembly import System
from services.settings import path_of
from tests.benchmarks.decisions import fill
from tests.benchmarks.measuring import Figure, Report, peak_memory
from tests.benchmarks.sample import budget, carried_out, choice, city, system

TARGET = 30_000.0


def replay(report: Report, larger: int = 1_000_000) -> None:
    import random

    with system() as parts:
        citizens = city(parts, 1_000)
        budget(parts, "grown")
        chance = random.Random(7)
        carried_out(parts, [choice(citizen, "grown", chance) for citizen in citizens])
        fill(parts, 100_000 - parts.log.head())
        _, small = _measured(report, parts, 100_000)
        fill(parts, larger - parts.log.head())
        _, large = _measured(report, parts, larger)
        report.add(
            Figure(
                f"memory of a replay of {larger:,} events",
                large / 2**20,
                "MiB",
                f"of 100,000: {small / 2**20:,.0f} MiB",
                large / small,
                target=1.1,
                at_most=True,
            )
        )


def _measured(report: Report, parts: System, events: int) -> tuple[float, float]:
    path = path_of(parts.settings.log)
    assert path is not None
    seconds, memory, bare = (float(one) for one in _in_a_process(path).split())
    report.add(
        Figure(
            f"catch-up of all read models, {events:,} events",
            events / seconds,
            "/s",
            f"bare loop: {events / bare:,.0f}/s",
            target=TARGET,
        )
    )
    return events / seconds, memory


def _in_a_process(log: Path) -> str:
    """Run `main` in a fresh process, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.replay", str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def main(path: Path) -> None:
    """Print the seconds of a replay, the most memory it took, and the seconds of a bare loop."""
    log = SQLiteLog(path)
    store = path.with_name("replayed.sqlite")
    for old in path.parent.glob("replayed.sqlite*"):
        old.unlink()
    worker = Worker(log, SQLiteStore(store), all_projections())
    started = time.perf_counter()
    worker.catch_up()
    seconds, memory = time.perf_counter() - started, peak_memory()
    started, after = time.perf_counter(), 0
    while records := log.select(EVERYTHING, after=after, limit=BATCH):
        for record in records:
            orjson.loads(record.entry)
        after = records[-1].position
    print(seconds, memory, time.perf_counter() - started)
    log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
