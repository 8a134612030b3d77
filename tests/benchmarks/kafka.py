"""(f) The log on Kafka: at the recorder and through the whole path, beside eventsourcing's PostgreSQL recorder."""

import asyncio
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.dcb.api import DCBRecorder

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.feed import TopicFeed
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import EVERYTHING, Append, Guard, NewEvent, Selection
from ledger.recording import new_id
from services.assembly import assembled, calm_collector
from tests.benchmarks.decisions import pipelined
from tests.benchmarks.measuring import Figure, Report, rate
from tests.benchmarks.postgres_peer import postgres_recorder, read_and_append
from tests.benchmarks.sample import city, settings

ENTRY_BYTES = 250
SECONDS = 4.0
ROUNDS = 3
CALLERS = (1, 8, 64, 512)
BATCH = 1_000
LONG = 1_000_000
CITIZENS = 20_000
TYPES = ("civic.choice.made.v1",)
TARGETS = {"pipelined": 20.0, "512 callers": 10.0, "64 callers": 5.0}
PATIENCE = 30.0

STANDBY = """
import sys, time
from pathlib import Path
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
log = KafkaLog(Address.parsed(sys.argv[1]), Path(sys.argv[2]))
assert log.claim(float(sys.argv[3]))
print("sequencer", flush=True)
time.sleep(600)
"""


def kafka(report: Report) -> None:
    folder = Path(tempfile.mkdtemp(prefix="civic-bench-"))
    try:
        with Cluster(folder / "kafka", lasting=True) as cluster, postgres_recorder() as peer:
            cluster.start()
            _appends(report, cluster, folder, peer)
            _whole_path(report, cluster, folder, peer)
            address = _address(cluster)
            _fill(address, folder)
            _starts(report, address, folder)
            _reading(report, address)
            _takeover(report, address, folder)
    finally:
        shutil.rmtree(folder)


def _address(cluster: Cluster) -> Address:
    return Address.parsed(f"kafka://{cluster.bootstrap}/{cluster.create_topic()}")


def _appends(report: Report, cluster: Cluster, folder: Path, recorder: DCBRecorder) -> None:
    """Read, then append on condition: pipelined by one caller, and by callers who each wait for their answer."""
    with _opened(_address(cluster), folder / "appends.sqlite") as log:
        _pipelined(log, SECONDS)  # the broker's code is compiled as it runs
        rates: dict[str, list[float]] = {"peer": [], "pipelined": []}
        latencies: dict[int, list[float]] = {callers: [] for callers in CALLERS}
        for _ in range(ROUNDS):
            rates["peer"].append(rate(read_and_append(recorder, ENTRY_BYTES), SECONDS))
            rates["pipelined"].append(_pipelined(log, SECONDS))
            for callers in CALLERS:
                found, taken = asyncio.run(_called(log, callers, SECONDS))
                rates.setdefault(_name(callers), []).append(found)
                latencies[callers] += taken
    beside = statistics.median(rates.pop("peer"))
    for name, measured in rates.items():
        value = statistics.median(measured)
        report.add(
            Figure(
                f"Kafka, recorder, {name}",
                value,
                "/s",
                f"PostgreSQL recorder, 1 caller: {beside:,.0f}/s",
                value / beside,
                target=TARGETS.get(name),
            )
        )
    for callers in CALLERS:
        taken = sorted(latencies[callers])
        report.add(
            Figure(
                f"Kafka, recorder, {_name(callers)}: answered in, median",
                taken[len(taken) // 2] * 1e3,
                "ms",
                f"99th percentile: {taken[len(taken) * 99 // 100] * 1e3:,.1f} ms",
                target=10.0 if callers == 1 else None,
                at_most=True,
            )
        )


def _name(callers: int) -> str:
    return "1 caller" if callers == 1 else f"{callers} callers"


def _voter() -> tuple[Selection, Append]:
    """What a decision on a voter's first choice reads, and appends."""
    tag = f"voter:{uuid.uuid4().hex}"
    selection = Selection(TYPES, (tag,))
    event = NewEvent(TYPES[0], b"x" * ENTRY_BYTES, (tag,), new_id())
    return selection, Append((event,), (Guard(selection, 0),))


def _pipelined(log: KafkaLog, seconds: float) -> float:
    started = time.perf_counter()
    done = 0
    while time.perf_counter() - started < seconds:
        wanted = [_voter() for _ in range(BATCH)]
        with log.reading():
            assert not any(log.select_each([selection for selection, _ in wanted]))
        log.append_batch([append for _, append in wanted])
        done += BATCH
    return done / (time.perf_counter() - started)


async def _called(log: KafkaLog, callers: int, seconds: float) -> tuple[float, list[float]]:
    """Callers in one event loop, as the server's are. The rate, and what each answer took."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    async def call() -> None:
        while (started := time.perf_counter()) < until:
            selection, append = _voter()
            assert not log.select((selection,))
            await log.submit_from_loop(append)
            taken.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return len(taken) / (time.perf_counter() - started), taken


def _whole_path(report: Report, cluster: Cluster, folder: Path, recorder: DCBRecorder) -> None:
    """Command → decide → append, pipelined as an import is."""
    chosen = settings(folder).model_copy(
        update={"log": str(_address(cluster)), "replica": folder / "path.sqlite"}
    )
    with assembled(chosen) as parts:
        citizens = city(parts, CITIZENS)
        ours, beside = [], []
        for round_ in range(ROUNDS):
            beside.append(rate(read_and_append(recorder, ENTRY_BYTES), SECONDS))
            ours.append(pipelined(parts, citizens, f"k{round_}"))
    peer, value = statistics.median(beside), statistics.median(ours)
    report.add(
        Figure(
            "Kafka, whole path, pipelined import",
            value,
            "/s",
            f"PostgreSQL recorder, 1 caller: {peer:,.0f}/s",
            value / peer,
            target=8.0,
        )
    )


@contextmanager
def _opened(address: Address, replica: Path) -> Iterator[KafkaLog]:
    log = KafkaLog(address, replica, patience=PATIENCE)
    try:
        yield log
    finally:
        log.close()


def _fill(address: Address, folder: Path) -> None:
    with _opened(address, folder / "long.sqlite") as log:
        while log.head() < LONG:
            log.append_batch([_voter()[1] for _ in range(BATCH)])


def _starts(report: Report, address: Address, folder: Path) -> None:
    """From nothing to a sequencer that takes appends."""
    for what, replica, target in (
        ("with a current replica", "long.sqlite", 5.0),
        ("without a replica", "new.sqlite", None),
    ):
        started = time.perf_counter()
        with _opened(address, folder / replica) as log:
            log.append_batch([_voter()[1]])
            seconds = time.perf_counter() - started
        report.add(
            Figure(
                f"Kafka, start of a sequencer at {LONG:,} events, {what}",
                seconds,
                "s",
                target=target,
                at_most=True,
            )
        )


def _reading(report: Report, address: Address) -> None:
    """What a worker reads from the topic."""
    calm_collector()  # as every process of ours does
    feed = TopicFeed(address, f"bench-{uuid.uuid4().hex[:8]}", patience=PATIENCE)
    feed.wait(0, PATIENCE)
    started, after = time.perf_counter(), 0
    while after < LONG:
        records = feed.select(EVERYTHING, after=after, limit=2_000)
        after = records[-1].position if records else after
    value = after / (time.perf_counter() - started)
    feed.close()
    report.add(Figure("Kafka, a worker reads", value, "records/s", target=60_000.0))


def _takeover(report: Report, address: Address, folder: Path) -> None:
    """A standby takes over after the sequencer was killed: until its first append is answered."""
    active = subprocess.Popen(
        [sys.executable, "-c", STANDBY, str(address), str(folder / "long.sqlite"), str(PATIENCE)],
        stdout=subprocess.PIPE,
    )
    try:
        assert active.stdout is not None
        assert active.stdout.readline() == b"sequencer\n"
        with _opened(address, folder / "new.sqlite") as log:
            assert not log.claim(1.0)
            active.send_signal(signal.SIGKILL)
            started = time.perf_counter()
            log.append_batch([_voter()[1]])
            seconds = time.perf_counter() - started
    finally:
        active.kill()
        active.communicate()
    report.add(
        Figure("Kafka, a standby takes over after kill −9", seconds, "s", target=10.0, at_most=True)
    )
