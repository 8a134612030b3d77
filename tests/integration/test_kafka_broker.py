"""The brokers that the tests and trials of Kafka stand on."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    AuthorizationError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from deploy.kafka import broker
from deploy.kafka.broker import CannotStart, Cluster
from deploy.kafka.guard import MECHANISMS, Guard
from tests.brokers import running

SECONDS = 60
"""In which a client must have its answer, also after a broker was killed."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A single broker that these tests may stop."""
    with running(tmp_path_factory.mktemp("own")) as kafka:
        yield kafka


@contextmanager
def producer(kafka: Cluster, **settings: Any) -> Iterator[Any]:
    asked = {"linger_ms": 0, "retry_backoff_ms": 5, "acks": "all", **settings}
    writer = KafkaProducer(**kafka.client(**asked))
    try:
        yield writer
    finally:
        writer.close(timeout=2)  # without one, it may wait for ever for what cannot be sent


def write(kafka: Cluster, topic: str, *values: bytes, **settings: Any) -> None:
    """In one transaction, which may have to wait for a broker.

    A producer of kafka-python 3.0.12 that cannot connect to its coordinator forgets what it was about to ask; so
    another one asks.
    """
    until = time.monotonic() + SECONDS
    while True:
        with producer(kafka, transactional_id=topic, max_block_ms=3000, **settings) as writer:
            try:
                writer.init_transactions()
            except KafkaTimeoutError:
                assert time.monotonic() < until
                continue
            writer.begin_transaction()
            for value in values:
                writer.send(topic, value, partition=0)
            writer.commit_transaction()
            return


def read(kafka: Cluster, topic: str, **settings: Any) -> list[bytes]:
    """All that is committed. Waits until it is known of every record whether it is.

    The end for those who read what is committed is short of it for a moment after a commit was answered: the mark that
    ends the transaction is written later, and after the next start if the broker dies in between.
    """
    place = TopicPartition(topic, 0)
    everything = {**settings, "isolation_level": "read_uncommitted"}
    with closing(KafkaConsumer(**kafka.client(**everything))) as reader:
        end = reader.end_offsets([place])[place]
    with closing(
        KafkaConsumer(**kafka.client(**{"isolation_level": "read_committed", **settings}))
    ) as reader:
        reader.assign([place])
        reader.seek_to_beginning(place)
        found: list[bytes] = []
        until = time.monotonic() + SECONDS
        while reader.position(place) < end:
            assert time.monotonic() < until
            for records in reader.poll(timeout_ms=100).values():
                found += [record.value for record in records]
        return found


def settings_of(kafka: Cluster, topic: str) -> dict[str, str]:
    with kafka.admin() as admin:
        described = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
        )
    found = described["topic"][topic]
    return {name: entry["value"] for name, entry in found.items()}


def test_a_topic_has_the_settings_of_a_log(kafka: Cluster, topic: str) -> None:
    found = settings_of(kafka, topic)
    assert found["cleanup.policy"] == "delete"
    assert found["retention.ms"] == found["retention.bytes"] == "-1"
    assert found["min.insync.replicas"] == "1"
    assert found["unclean.leader.election.enable"] == "false"
    with kafka.admin() as admin:
        (described,) = admin.describe_topics([topic])
    assert [one["replica_nodes"] for one in described["partitions"]] == [[1]]


def test_a_topic_may_have_other_settings(kafka: Cluster) -> None:
    weak = kafka.create_topic(partitions=2, settings={"retention.ms": "1000"})
    assert settings_of(kafka, weak)["retention.ms"] == "1000"
    with kafka.admin() as admin:
        (described,) = admin.describe_topics([weak])
    assert len(described["partitions"]) == 2


def test_a_misspelt_topic_is_not_made(kafka: Cluster, topic: str) -> None:
    with producer(kafka, max_block_ms=1000) as writer, pytest.raises(KafkaError):
        writer.send(topic + "x", b"lost").get(SECONDS)
    with kafka.admin() as admin:
        assert topic in admin.list_topics()
        assert topic + "x" not in admin.list_topics()


def test_what_is_committed_is_read_and_what_is_aborted_is_not(kafka: Cluster, topic: str) -> None:
    with producer(kafka, transactional_id=topic) as writer:
        writer.init_transactions()
        for value, kept in ((b"one", True), (b"two", False), (b"three", True)):
            writer.begin_transaction()
            writer.send(topic, value, partition=0).get(SECONDS)
            writer.commit_transaction() if kept else writer.abort_transaction()
    assert read(kafka, topic) == [b"one", b"three"]
    assert read(kafka, topic, isolation_level="read_uncommitted") == [b"one", b"two", b"three"]


def test_the_largest_batch_of_a_client_is_taken(kafka: Cluster, topic: str) -> None:
    entries = [bytes([n]) * 65_535 for n in range(20)]
    write(kafka, topic, *entries, batch_size=1 << 20, linger_ms=50)
    assert read(kafka, topic) == entries


@pytest.mark.parametrize("end", [Cluster.stop, Cluster.kill])
def test_a_broker_that_starts_again_has_its_data(own: Cluster, end: Any) -> None:
    topic = own.create_topic()
    write(own, topic, b"one", b"two")
    # Read first, so that the mark of the commit is written. Kafka 4.1 to 4.3 may forget it (KAFKA-20734) if the broker
    # dies between its answer and the mark: the records then stay unseen until the same transactional id ends another.
    assert read(own, topic) == [b"one", b"two"]
    end(own)
    with pytest.raises(ConnectionRefusedError), socket.socket() as client:
        client.connect(_place(own))
    own.start()
    assert read(own, topic) == [b"one", b"two"]
    write(own, topic, b"three")
    assert read(own, topic) == [b"one", b"two", b"three"]


def test_a_paused_broker_answers_when_it_goes_on(own: Cluster) -> None:
    topic = own.create_topic()
    with producer(own) as writer:
        writer.send(topic, b"before", partition=0).get(SECONDS)
        own.pause()
        sent = writer.send(topic, b"meanwhile", partition=0)
        time.sleep(1)
        assert not sent.is_done
        own.resume()
        sent.get(SECONDS)
    assert read(own, topic) == [b"before", b"meanwhile"]


def test_a_port_that_is_taken_is_named(own: Cluster, tmp_path: Any) -> None:
    with pytest.raises(CannotStart, match=f"port {_place(own)[1]} is taken"):
        Cluster(tmp_path, port=_place(own)[1])


def test_a_broker_that_ends_at_its_start_says_why(tmp_path: Any, own: Cluster) -> None:
    with Cluster(tmp_path) as kafka:
        kafka._prepare()
        with (kafka.brokers[0].folder / "broker.properties").open("a") as settings:
            settings.write("log.retention.hours=forever\n")
        kafka.brokers[0].start()
        with pytest.raises(CannotStart, match=r"Invalid value forever.*log\.retention\.hours"):
            kafka.brokers[0].wait_until_ready()


def test_missing_parts_are_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("KAFKA_LIB", str(tmp_path))
    with pytest.raises(CannotStart, match="make jars"):
        Cluster(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install default-jre-headless" in str(broker.missing())


@pytest.mark.slow
def test_three_brokers_go_on_without_one(cluster: Cluster) -> None:
    topic = cluster.create_topic()
    assert settings_of(cluster, topic)["min.insync.replicas"] == "2"
    write(cluster, topic, b"one")
    leader = cluster.leader(topic)
    leader.kill()
    write(cluster, topic, b"two")
    assert cluster.leader(topic) is not leader
    leader.restart()
    assert read(cluster, topic) == [b"one", b"two"]


@pytest.mark.slow
def test_one_broker_of_three_takes_nothing_until_another_is_back(cluster: Cluster) -> None:
    topic = cluster.create_topic()
    write(cluster, topic, b"one")
    for lost in cluster.brokers[:2]:
        lost.kill()
    quick = {"request_timeout_ms": 1000, "delivery_timeout_ms": 2000}
    # Not idempotent: kafka-python would first wait, for longer than a delivery may take, for an id as a producer.
    with producer(cluster, enable_idempotence=False, **quick) as writer:
        sent = writer.send(topic, b"lost", partition=0)
        with pytest.raises(KafkaError):
            sent.get(SECONDS)
    for lost in cluster.brokers[:2]:
        lost.start()
    for lost in cluster.brokers[:2]:
        lost.wait_until_ready()
    write(cluster, topic, b"two")
    assert [value for value in read(cluster, topic) if value != b"lost"] == [b"one", b"two"]


@pytest.mark.parametrize("listener", ["SASL", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_user_has_their_rights(guarded: Cluster, listener: str, mechanism: str) -> None:
    topic = guarded.create_topic()

    def signed_in(user: str) -> dict[str, Any]:
        return signing_in(guarded, listener, user, mechanism)

    write(guarded, topic, b"one", **signed_in("sequencer"))
    assert read(guarded, topic, **signed_in("reader")) == [b"one"]
    with producer(guarded, enable_idempotence=False, **signed_in("reader")) as writer:
        intruding = writer.send(topic, b"intruder", partition=0)
        with pytest.raises(TopicAuthorizationFailedError):
            intruding.get(SECONDS)
    with pytest.raises(AuthorizationError):
        write(guarded, topic, b"intruder", **signed_in("reader"))
    with pytest.raises((TopicAuthorizationFailedError, UnknownTopicOrPartitionError)):
        read(guarded, topic, **signed_in("stranger"))
    assert read(guarded, topic) == [b"one"]


def test_a_wrong_password_is_refused(guarded: Cluster) -> None:
    wrong = {
        **signing_in(guarded, "SASL", "sequencer", "SCRAM-SHA-512"),
        "sasl_plain_password": "wrong",
    }
    with pytest.raises(KafkaError), guarded.admin(**wrong, bootstrap_timeout_ms=2000) as admin:
        admin.list_topics()


def test_tls_needs_the_authority_that_signed(guarded: Cluster, tmp_path: Any) -> None:
    topic = guarded.create_topic()
    assert guarded.guard is not None
    settings = {"bootstrap_servers": guarded.bootstrap_of("SSL"), **guarded.guard.client("SSL")}
    write(guarded, topic, b"one", **settings)
    assert read(guarded, topic, **settings) == [b"one"]
    other = {**settings, "ssl_cafile": str(Guard(tmp_path).authority)}
    with pytest.raises(KafkaError), guarded.admin(**other, bootstrap_timeout_ms=2000) as admin:
        admin.list_topics()


def signing_in(guarded: Cluster, listener: str, user: str, mechanism: str) -> dict[str, Any]:
    assert guarded.guard is not None
    return {
        "bootstrap_servers": guarded.bootstrap_of(listener),
        **guarded.guard.client(listener, user, mechanism),
    }


def _place(kafka: Cluster) -> tuple[str, int]:
    host, _, port = kafka.bootstrap.partition(":")
    return host, int(port)
