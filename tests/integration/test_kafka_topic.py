"""A topic that is too weak to last is refused in production, with all that has to be changed."""

import re
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from ledger.eventlog.kafka.errors import WrongTopic
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address

OF_ONE_BROKER = ["it has 1 of at least 3 copies", "min.insync.replicas is 1, must be at least 2"]

WEAKNESSES = {
    "cleanup.policy": ("compact", "cleanup.policy is compact, must be delete"),
    "retention.ms": ("604800000", "retention.ms is 604800000, must be -1"),
    "retention.bytes": ("1000000", "retention.bytes is 1000000, must be -1"),
    "unclean.leader.election.enable": (
        "true",
        "unclean.leader.election.enable is true, must be false",
    ),
    "max.message.bytes": ("50000", "max.message.bytes is 50000, must be at least 73727"),
}


def opened(cluster: Cluster, topic: str, folder: Path, *, production: bool) -> None:
    address = Address.parsed(f"kafka://{cluster.bootstrap}/{topic}")
    KafkaLog(address, folder / "replica.sqlite", production=production).close()


@pytest.mark.parametrize("setting", WEAKNESSES)
def test_a_weak_setting_is_named(kafka: Cluster, tmp_path: Path, setting: str) -> None:
    value, said = WEAKNESSES[setting]
    topic = kafka.create_topic(settings={setting: value})
    with pytest.raises(WrongTopic, match=r"too weak for CIVIC_PROFILE=production") as refused:
        opened(kafka, topic, tmp_path, production=True)
    for one in (topic, said, *OF_ONE_BROKER):
        assert one in str(refused.value)
    opened(kafka, topic, tmp_path, production=False)


def test_all_of_them_are_named_at_once(kafka: Cluster, tmp_path: Path) -> None:
    settings = {setting: value for setting, (value, _) in WEAKNESSES.items()}
    topic = kafka.create_topic(settings=settings)
    everything = [said for _, said in WEAKNESSES.values()] + OF_ONE_BROKER
    with pytest.raises(WrongTopic, match=r".*".join(map(re.escape, sorted(everything)[:1]))) as it:
        opened(kafka, topic, tmp_path, production=True)
    assert all(said in str(it.value) for said in everything)


@pytest.mark.slow
def test_a_topic_as_we_make_it_is_strong_enough_on_three_brokers(
    cluster: Cluster, tmp_path: Path
) -> None:
    opened(cluster, cluster.create_topic(), tmp_path, production=True)
    weak = cluster.create_topic(settings={"min.insync.replicas": "1"})
    with pytest.raises(WrongTopic, match=r"production: min\.insync\.replicas is 1, must be at l"):
        opened(cluster, weak, tmp_path, production=True)
