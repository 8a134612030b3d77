"""The contract of the event log, on Kafka, with a real broker."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import Append, Appended, EventLog, LogUnavailable
from tests.contracts.event_log import DurableLogContract, EventLogContract, entries, event


@pytest.fixture
def address(kafka: Cluster, topic: str) -> Address:
    return Address.parsed(f"kafka://{kafka.bootstrap}/{topic}")


class TestKafkaLog(EventLogContract, DurableLogContract):
    """Each log that is opened has a replica of its own, as on different machines."""

    @pytest.fixture(autouse=True)
    def _on_a_topic(self, address: Address) -> None:
        self._address = address
        self._replicas = itertools.count()

    def open_log(self, folder: Path) -> EventLog:
        return KafkaLog(self._address, folder / f"replica-{next(self._replicas)}.sqlite")


class TestKafkaLogBesideTheSequencer(EventLogContract):
    """The log hands its appends on to the sequencer, with which it shares a replica."""

    @pytest.fixture(autouse=True)
    def _beside_another(self, address: Address, tmp_path: Path) -> Iterator[None]:
        self._address = address
        self._sequencer = KafkaLog(address, tmp_path / "replica.sqlite")
        assert self._sequencer.claim(30)
        yield
        assert self._sequencer.leads
        self._sequencer.close()

    def open_log(self, folder: Path) -> EventLog:
        return KafkaLog(self._address, folder / "replica.sqlite")


def test_a_log_beside_the_sequencer_takes_over(address: Address, tmp_path: Path) -> None:
    first, second = (KafkaLog(address, tmp_path / "replica.sqlite") for _ in range(2))
    assert first.claim(30)
    assert second.append_batch([Append((event("a"),))]) == [Appended(1)]
    assert not second.leads
    first.close()
    again, new = second.append_batch([Append((event("a"),)), Append((event("b"),))])
    assert (again, new) == (Appended(1, again=True), Appended(2))
    assert second.leads
    third = KafkaLog(address, tmp_path / "replica.sqlite")
    assert third.append_batch([Append((event("c"),))]) == [Appended(3)]
    assert entries(second) == entries(third) == ["a", "b", "c"]
    third.close()
    second.close()


def test_who_comes_first_after_something_went_wrong_waits(address: Address, tmp_path: Path) -> None:
    with closing(KafkaLog(address, tmp_path / "replica.sqlite")) as log:
        log.append_batch([Append((event("a"),))])
        log._leader.end(log._leader.epoch(0, 0), LogUnavailable("the topic ends elsewhere"))
        assert log.append_batch([Append((event("b"),))]) == [Appended(2)]
