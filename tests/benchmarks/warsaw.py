"""(b) The import of all Warsaw files, and the catch-up of all three read models over that log."""

import atexit
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ledger.eventlog.port import EventLog
from projections.catalogue import all_projections
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from services.assembly import assembled
from tests.benchmarks.measuring import Figure, Report, rate
from tests.benchmarks.postgres_peer import postgres_recorder, read_and_append
from tests.benchmarks.sample import settings

FILES = sorted(Path("../shared/data/pabulib").glob("*.pb"))
ROUNDS = 3


class Imported(NamedTuple):
    """A ledger that holds the Warsaw files, and the seconds that their import took."""

    folder: Path
    seconds: float

    @property
    def log(self) -> Path:
        return self.folder / "log.sqlite"


@cache
def imported() -> Imported:
    """The Warsaw files, imported once for all parts of a run."""
    folder = Path(tempfile.mkdtemp(prefix="civic-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Imported(folder, _import(folder))


def warsaw(report: Report) -> None:
    if not FILES:
        print("  skipped: the real ballots are missing (../shared/data/pabulib)")
        return
    with postgres_recorder() as recorder:
        peer = rate(read_and_append(recorder), 4.0)
    folder, seconds = imported()
    with assembled(settings(folder)) as parts:
        head = parts.log.head()
        report.add(
            Figure(
                f"import of Warsaw, {len(FILES)} files, {head:,} events in {seconds:,.0f} s",
                head / seconds,
                "/s",
                f"PostgreSQL recorder, 1 caller: {peer:,.0f}/s",
                head / seconds / peer,
            )
        )
        rates = [head / _catch_up(parts.log, folder / f"{n}.sqlite") for n in range(ROUNDS)]
        report.add(
            Figure(
                "catch-up of all read models, Warsaw",
                statistics.median(rates),
                "/s",
                target=30_000.0,
            )
        )


def _import(folder: Path) -> float:
    chosen = settings(folder)
    started = time.perf_counter()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from services.cli.main import main; main()",
            "import",
            "pabulib",
            *map(str, FILES),
        ],
        env={
            **os.environ,
            "CIVIC_LOG": chosen.log,
            "CIVIC_STORE": chosen.store,
            "CIVIC_VAULT": chosen.vault,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return time.perf_counter() - started


def _catch_up(log: EventLog, path: Path) -> float:
    worker = Worker(log, SQLiteStore(path), all_projections())
    started = time.perf_counter()
    worker.catch_up()
    return time.perf_counter() - started
