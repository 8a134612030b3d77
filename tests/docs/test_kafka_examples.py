"""The examples of docs/kafka.md do what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address
from ledger.eventlog.port import Append, NewEvent
from tests.missing import missing

PAGE = Path(__file__).parents[2] / "docs/kafka.md"
TYPES = ("area.defined", "citizen.registered", "question.opened")


def example(language: str, containing: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (one,) = (text for text in found if containing in text)
    return str(one)


@pytest.fixture
def environment(kafka: Cluster, topic: str, tmp_path: Path) -> dict[str, str]:
    """A log of three events in two transactions, with an intruder's record in between."""
    log = KafkaLog(Address.parsed(f"kafka://{kafka.bootstrap}/{topic}"), tmp_path / "replica")
    log.append_batch([_append(1)])
    log.close()
    _intrude(kafka, topic)
    log = KafkaLog(log.address, tmp_path / "replica")
    log.append_batch([_append(2), _append(3)])
    log.close()
    return {**os.environ, "BOOTSTRAP_SERVERS": kafka.bootstrap, "TOPIC": topic}


def _append(n: int) -> Append:
    type_ = f"civic.{TYPES[n - 1]}.v1"
    entry = f'{{"type":"{type_}","subject":"thing/{n}"}}'.encode()
    return Append((NewEvent(type_, entry, (), f"{n}/1"),))


def _intrude(kafka: Cluster, topic: str) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(**kafka.client())
    producer.send(topic, b"not ours").get(10)
    producer.close()


def test_a_subscriber_in_python(environment: dict[str, str]) -> None:
    code = example("python", "KafkaConsumer").replace("5_000", "3_000")
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        f"{n} civic.{type_}.v1 thing/{n}" for n, type_ in enumerate(TYPES, 1)
    ]


def test_a_subscriber_with_kcat(environment: dict[str, str]) -> None:
    if shutil.which("kcat") is None:
        missing("kcat is not there: apt-get install kcat")
    ran = subprocess.run(
        ["sh", "-c", example("sh", "kcat")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 4
    of_the_log = [line for line in lines if "position=" in line]
    for n, line in enumerate(of_the_log, 1):
        assert f"position={n}," in line
        assert line.endswith(f'"subject":"thing/{n}"}}')
