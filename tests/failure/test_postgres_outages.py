"""PostgreSQL goes away and comes back, or has no more room: workers go on by themselves, and nothing is missed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger.eventlog.port import EVERYTHING, Append, EventLog, NewEvent, Record
from ledger.eventlog.sqlite import SQLiteLog
from projections.catalogue import all_projections
from projections.digest import Digest, digest
from projections.stores.port import Store, StoreUnavailable
from projections.stores.postgres import PostgresStore
from projections.stores.sqlite import SQLiteStore
from projections.worker import Worker
from tests.failure.processes import ROOT
from tests.postgres import Server, running

PROGRAM = "from services.cli.main import main; main()"
PATIENCE = 60.0


@pytest.fixture
def own_server() -> Iterator[Server]:
    with running() as server:
        yield server


def records(town: Path) -> list[Record]:
    log = SQLiteLog(town)
    found = log.select(EVERYTHING)
    log.close()
    return found


def append(log: EventLog, some: Sequence[Record]) -> None:
    log.append_batch([Append((NewEvent(one.type, one.entry, one.tags),)) for one in some])


def digests(store: Store) -> list[Digest]:
    return [digest(store, one, with_personal=True) for one in all_projections()]


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def following(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "project", "--follow"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(environment: dict[str, str]) -> Any:
    """What `civic-ledger status` tells."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "status", "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout)


def test_restarted_under_load(town: Path, own_server: Server, tmp_path: Path) -> None:
    """A worker follows a log that grows, while its server is shut down once and loses power twice."""
    some = records(town)
    log, url = SQLiteLog(tmp_path / "log.sqlite"), own_server.new_schema()
    environment = {
        "CIVIC_LOG": f"sqlite:///{tmp_path}/log.sqlite",
        "CIVIC_STORE": url,
        "CIVIC_VAULT": f"sqlite:///{tmp_path}/vault.sqlite",
    }
    reader = PostgresStore(url)

    def position() -> int:
        try:
            with reader.snapshot() as at:
                return min(at.position(one.name) for one in all_projections())
        except StoreUnavailable:
            return -1

    outages = {1_000: True, 3_000: False, 5_000: True}
    append(log, some[:100])
    with following(environment) as process:
        eventually(lambda: position() >= 50)
        for start in range(100, len(some), 100):
            append(log, some[start : start + 100])
            if start in outages:
                own_server.stop(crash=outages[start])
                assert position() == -1
                time.sleep(0.5)
                own_server.start()
            time.sleep(0.01)
        eventually(lambda: position() == len(some))
        assert process.poll() is None
        assert all(one["lag"] == 0 for one in told(environment)["models"])
        eventually(lambda: any("StoreUnavailable" in (one.error or "") for one in reader.work()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    plain = SQLiteStore(None)
    Worker(log, plain, all_projections()).catch_up()
    assert digests(reader) == digests(plain)
    assert reader.work() == [], "who ends in peace takes its report along"
    reader.close()
    log.close()


def test_no_room_for_tables(town: Path, own_server: Server, disk_of: Callable[[int], Path]) -> None:
    """Its tables are on a small disk; what else it writes is not."""
    disk = disk_of(40_000_000)
    tables = disk / "tables"
    tables.mkdir()
    disk.chmod(0o755)
    own_server.give_away(tables)
    own_server.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")
    own_server.execute("ALTER DATABASE postgres SET default_tablespace = small")
    store, log = PostgresStore(own_server.new_schema()), SQLiteLog(town)
    worker = Worker(log, store, all_projections(), batch=200)
    ballast = disk / "ballast"
    room = os.statvfs(disk)
    ballast.write_bytes(bytes(room.f_bavail * room.f_bsize - 1_000_000))
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        worker.catch_up()
    stopped_at = {one.model: one.position for one in store.generations()}
    assert max(stopped_at.values()) < log.head()
    with pytest.raises(StoreUnavailable):
        worker.catch_up()
    assert {one.model: one.position for one in store.generations()} == stopped_at
    ballast.unlink()
    worker.catch_up()
    plain = SQLiteStore(None)
    Worker(log, plain, all_projections()).catch_up()
    assert digests(store) == digests(plain)
    store.close()
    log.close()
