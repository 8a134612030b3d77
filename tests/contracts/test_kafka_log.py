"""The contract of the event log, on Kafka, with a real broker."""

import itertools
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import EventLog
from tests.contracts.event_log import DurableLogContract, EventLogContract


class TestKafkaLog(EventLogContract, DurableLogContract):
    """Each log that is opened has a replica of its own, as on different machines."""

    @pytest.fixture(autouse=True)
    def _on_a_topic(self, kafka: Cluster, topic: str) -> None:
        self._address = Address.parsed(f"kafka://{kafka.bootstrap}/{topic}")
        self._replicas = itertools.count()

    def open_log(self, folder: Path) -> EventLog:
        return KafkaLog(self._address, folder / f"replica-{next(self._replicas)}.sqlite")
