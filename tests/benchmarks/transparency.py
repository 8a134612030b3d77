"""(f) Proof: what the tree costs an event, whether its worker keeps up with decisions, how soon a receipt is there."""

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx

from ledger.eventlog.port import EVERYTHING
from projections.tree.checking import PAGE
from projections.tree.folder import PublicFolder
from projections.tree.growing import GrowingTree
from projections.tree.worker import TreeWorker
from services.assembly import System, assembled, publishing
from tests.benchmarks.decisions import pipelined
from tests.benchmarks.http import serve, serving, variables
from tests.benchmarks.measuring import Figure, Report
from tests.benchmarks.sample import budget, city, settings, system

CITIZENS = 20_000
ROUNDS = 3
RECEIPTS = 30

MERKLE = 5.0
"""Microseconds an event, at most."""

WITHIN = 2.0
"""Seconds after the choice, at most."""


def transparency(report: Report) -> None:
    with system() as parts:
        citizens = city(parts, CITIZENS)
        pipelined(parts, citizens, "merkle")
        _merkle(report, [one.entry for one in parts.log.select(EVERYTHING)])
        _keeping_up(report, parts, citizens)
    _receipts(report)


def _merkle(report: Report, entries: Sequence[bytes]) -> None:
    """Hashing, the tree, and the bytes of its files, without a disk; beside one SHA-256 of each entry."""

    def plainly() -> None:
        for entry in entries:
            sha256(entry).digest()

    def grown() -> None:
        tree = GrowingTree()
        for start in range(0, len(entries), PAGE):
            tree.extend(entries[start : start + PAGE])
            tree.partials()

    ours, plain = (
        min(_seconds(work) for _ in range(ROUNDS)) / len(entries) * 1e6 for work in (grown, plainly)
    )
    peer = f"one SHA-256: {plain:.2f} µs"
    report.add(Figure("Merkle work of an event", ours, "µs", peer, target=MERKLE, at_most=True))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _keeping_up(report: Report, parts: System, citizens: Sequence[str]) -> None:
    """The worker alone, from the log to the disk; then beside pipelined decisions, on the same disk and cores.

    In turns: decisions alone, the worker alone, both.
    """
    decided: list[float] = []
    alone: list[float] = []
    both: list[float] = []
    behind: list[float] = []
    for round_ in range(ROUNDS):
        decided.append(pipelined(parts, citizens, f"alone {round_}"))
        with _fresh_worker(parts) as worker:
            events = parts.log.head()
            alone.append(events / _seconds(worker.catch_up))
            with _following(worker, parts.settings.checkpoint_every):
                both.append(pipelined(parts, citizens, f"beside {round_}"))
                ended, head = time.perf_counter(), parts.log.head()
                while (worker.status.published or 0) < head:
                    time.sleep(0.005)
                behind.append(time.perf_counter() - ended)
    fastest, worker_rate = statistics.median(decided), statistics.median(alone)
    beside = f"decisions, pipelined: {fastest:,.0f}/s"
    name = "tree worker, files and checkpoints on the disk"
    report.add(Figure(name, worker_rate, "/s", beside, worker_rate / fastest, target=1.0))
    rate = statistics.median(both)
    name = "decisions, pipelined, while the tree worker follows"
    report.add(Figure(name, rate, "/s", f"without it: {fastest:,.0f}/s", rate / fastest))
    name = f"from the last of {len(citizens):,} such decisions to its checkpoint"
    pace = f"a checkpoint every {parts.settings.checkpoint_every:g} s"
    report.add(Figure(name, max(behind), "s", pace, target=1.0, at_most=True))


@contextmanager
def _fresh_worker(parts: System) -> Iterator[TreeWorker]:
    """One that has signed nothing, with a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="civic-bench-") as folder:
        signed = f"sqlite:///{folder}/signed.sqlite"
        chosen = parts.settings.model_copy(update={"last_signed": signed})
        public = PublicFolder(Path(folder) / "public")
        with publishing(chosen, parts.log, public) as worker:
            yield worker


@contextmanager
def _following(worker: TreeWorker, pace: float) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.follow, args=(stop, pace))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _receipts(report: Report) -> None:
    """Over HTTP, with `serve` as it comes: from the answer to a choice to the receipt of it."""
    folder = Path(tempfile.mkdtemp(prefix="civic-bench-"))
    try:
        with assembled(settings(folder)) as parts:
            citizens = city(parts, RECEIPTS)
            budget(parts, "receipts")
            tokens = [parts.vault.issue_token("citizen", citizen) for citizen in citizens]
        with (
            serving(serve(), variables(folder)) as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            taken = [_receipt_after(client, token) for token in tokens]
    finally:
        shutil.rmtree(folder)
    report.add(
        Figure(
            f"receipt after a choice, the slowest of {RECEIPTS}",
            max(taken),
            "s",
            f"median: {statistics.median(taken):.2f} s",
            target=WITHIN,
            at_most=True,
        )
    )


def _receipt_after(client: httpx.Client, token: str) -> float:
    path, headers = "/api/v1/questions/receipts/choice", {"Authorization": f"Bearer {token}"}
    answer = client.put(path, json={"marks": {"1": 1}}, headers=headers)
    assert answer.status_code == 200, answer.text
    started = time.perf_counter()
    while (found := client.get(f"{path}/receipt", headers=headers)).status_code != 200:
        assert found.status_code == 404, found.text
        time.sleep(0.005)
    return time.perf_counter() - started
