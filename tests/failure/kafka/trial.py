"""A trial: a topic, processes that write to it, and what must hold in the end."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.kafka.broker import Cluster
from ledger.domain.deciding import Command
from ledger.domain.refusals import Refused
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka.records import headers as our_headers
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.memory import MemoryLog
from ledger.eventlog.port import EVERYTHING, Append, EventLog, LogUnavailable, NewEvent
from ledger.recording import Ledger
from tests.failure.kafka.asking import Asked, ledger_on, prepare
from tests.failure.processes import ROOT
from tests.models.checks import check_one_standing_choice_for_each_voter, replayed

SOON = 60.0
"""Seconds; nothing here should take so long, even on a busy machine."""

PATIENCE = 15.0
INTRUDER = b"intruder"

NOT_OURS = (b"", INTRUDER)
"""What stands in the topic beside the log: see `Epoch.open` and `Trial.intrude`."""

Message = tuple[int, dict[str, bytes], bytes]
"""A record of the topic: its offset, its headers, its value."""


class Writer:
    """A process of `writer.py`, and what it said."""

    def __init__(self, arguments: list[str], errors: Path) -> None:
        with errors.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.failure.kafka.writer", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                cwd=ROOT,
            )
        self.said: list[str] = []
        self._more = threading.Condition()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def until(self, beginning: str, times: int = 1, *, within: float = SOON) -> float:
        """Wait until it has said this so often. The moment."""
        limit = time.monotonic() + within
        with self._more:
            while len(self.all(beginning)) < times:
                left = limit - time.monotonic()
                assert left > 0, f"it did not say {beginning!r} {times} times: {self.said[-30:]}"
                self._more.wait(left)
        return time.monotonic()

    def all(self, beginning: str) -> list[str]:
        return [one for one in self.said if one.startswith(beginning)]

    def more(self, beginning: str, times: int, *, within: float = SOON) -> float:
        """Wait until it has said this so many times more."""
        return self.until(beginning, len(self.all(beginning)) + times, within=within)

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait until the process is over. How it ended."""
        code = self._process.wait(SOON)
        self._listening.join()
        return code

    def until_answered(self) -> None:
        """Wait until nothing that was asked is unanswered."""
        limit = time.monotonic() + SOON
        while self.unanswered():
            assert time.monotonic() < limit, self.unanswered()
            time.sleep(0.05)

    def finish(self) -> None:
        """Let it end by itself, with all answers given."""
        self.tell("rest")
        self.until_answered()
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self.ended() == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def unanswered(self) -> set[str]:
        return self._ids("asks") - self._ids("acknowledged") - self._ids("refused")

    def acknowledged(self) -> dict[str, int]:
        found = {}
        for line in self.all("acknowledged"):
            _, id_, position = line.split()
            found[id_] = int(position)
        return found

    def refused(self) -> set[str]:
        return self._ids("refused")

    def _ids(self, beginning: str) -> set[str]:
        return {one.split()[1] for one in self.all(beginning + " ")}

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):
                with self._more:
                    self.said.append(line.rstrip("\n"))
                    self._more.notify_all()


class Trial:
    """Everything happens on one new topic, in one folder."""

    def __init__(self, cluster: Cluster, folder: Path, stack: ExitStack) -> None:
        self.cluster = cluster
        self.folder = folder
        self.topic = cluster.create_topic()
        self.address = f"kafka://{cluster.bootstrap}/{self.topic}"
        self._stack = stack
        self._writers: list[Writer] = []
        self._acknowledged: dict[str, int] = {}
        self._refused: set[str] = set()
        with self.log("prepared") as log, closing(self.ledger(log)) as ledger:
            prepare(ledger)

    def writer(self, name: str, *, patience: float = PATIENCE, fault: str = "") -> Writer:
        arguments = [self.address, str(self.folder), name, str(patience), fault]
        writer = Writer(arguments, self.folder / "errors.txt")
        self._stack.callback(writer.kill)
        self._writers.append(writer)
        return writer

    @contextmanager
    def log(self, name: str, patience: float = PATIENCE) -> Iterator[KafkaLog]:
        with closing(
            KafkaLog(Address.parsed(self.address), self.replica(name), patience=patience)
        ) as log:
            yield log

    def replica(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"

    def ledger(self, log: EventLog) -> Ledger:
        return ledger_on(log, self.folder)

    def command(self, ledger: Ledger, id_: str) -> Command:
        return Asked.parsed(id_).command(ledger.vault)

    def ask(self, ledger: Ledger, *ids: str) -> None:
        """Ask for these in this process."""
        for id_ in ids:
            try:
                accepted = ledger.execute(self.command(ledger, id_), id_)
                self._acknowledged[id_] = accepted.position
            except Refused:
                self._refused.add(id_)

    def ask_again(self, of: Writer, at: Writer) -> None:
        """What one process was asked and did not answer is asked of another one."""
        for id_ in (ids := sorted(of.unanswered())):
            at.tell(f"ask {id_}")
        for id_ in ids:
            beginning = "acknowledged" if Asked.parsed(id_).legal else "refused"
            at.until(f"{beginning} {id_}")

    @contextmanager
    def producer(self, transactional_id: str | None = None) -> Iterator[Any]:
        """Somebody else's, of plain kafka-python."""
        settings = {"linger_ms": 0, "acks": "all", "transactional_id": transactional_id}
        with closing(KafkaProducer(**self.cluster.client(**settings))) as producer:
            if transactional_id:
                producer.init_transactions()
            yield producer

    def intrude(
        self, producer: Any, headers: Sequence[tuple[str, bytes]] = (), value: bytes = INTRUDER
    ) -> int:
        """Write a record that is none of the log's. Its offset."""
        sent = producer.send(self.topic, value, headers=list(headers), partition=0)
        offset: int = sent.get(SOON).offset
        return offset

    def forge(self, producer: Any, position: int) -> int:
        """Write a record with the log's own headers. Its offset."""
        told = our_headers(position, NewEvent("thing", b"forged", ("x",), f"forged-{position}"))
        return self.intrude(producer, told, b"forged")

    def records(self) -> list[Message]:
        """The log: what was committed, as plain kafka-python reads it, but for what is not ours."""
        place = TopicPartition(self.topic, 0)
        everything = self.cluster.client(isolation_level="read_uncommitted")
        with closing(KafkaConsumer(**everything)) as reader:
            end = reader.end_offsets([place])[place]
        found: list[Message] = []
        committed = self.cluster.client(isolation_level="read_committed")
        with closing(KafkaConsumer(**committed)) as reader:
            reader.assign([place])
            reader.seek_to_beginning(place)
            limit = time.monotonic() + SOON
            while reader.position(place) < end:
                assert time.monotonic() < limit, (reader.position(place), end)
                for records in reader.poll(timeout_ms=100).values():
                    found += [(one.offset, dict(one.headers), one.value) for one in records]
        return [one for one in found if one[2] not in NOT_OURS]

    def check(self, *survivors: str) -> None:
        """What must hold after every failure; in the survivors' replicas too, as they are."""
        records = self.records()
        positions = [int(headers["position"]) for _, headers, _ in records]
        assert positions == list(range(1, len(records) + 1)), "positions have no gap"
        ids = [headers["id"].decode() for _, headers, _ in records]
        assert len(set(ids)) == len(ids), "nothing is in the log twice"
        at = dict(zip(ids, positions, strict=True))
        for id_, position in self.all_acknowledged().items():
            assert at.get(f"{id_}/1") == position, f"{id_} was acknowledged at {position}"
        refused = {
            f"{id_}/1" for id_ in self._refused.union(*(one.refused() for one in self._writers))
        }
        assert not refused & set(ids), "what was refused is not in the log"
        self._check_replays(_copied(records), survivors)

    def all_acknowledged(self) -> dict[str, int]:
        told = dict(self._acknowledged)
        for one in self._writers:
            told |= one.acknowledged()
        return told

    def _check_replays(self, plain: MemoryLog, survivors: tuple[str, ...]) -> None:
        check_one_standing_choice_for_each_voter(plain)
        expected = replayed(plain, 1_000)
        assert {one.position for one in expected} == {plain.head()}
        for name in ("from nothing", *survivors):
            with self.log(name) as log:
                log.verify()
                assert log.select(EVERYTHING) == plain.select(EVERYTHING), name
                assert replayed(log, 97) == expected, name


def _copied(records: list[Message]) -> MemoryLog:
    log = MemoryLog()
    for _, told, value in records:
        event = NewEvent(told["type"].decode(), value, tuple(orjson.loads(told["tags"])))
        log.append_batch([Append((event,))])
    return log


def told(ask: Callable[[], object]) -> tuple[str, float]:
    """What somebody is told who asks in vain, and after how many seconds."""
    started = time.monotonic()
    try:
        ask()
    except LogUnavailable as error:
        return str(error), time.monotonic() - started
    raise AssertionError("it was answered")
