"""What is wrong with the address, the topic, the rights or a record is said: where, and which setting to change."""

import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deploy.kafka.broker import Cluster
from deploy.kafka.guard import PASSWORDS
from ledger.eventlog.kafka.errors import NotAllowed, RecordTooLarge, WrongTopic
from ledger.eventlog.kafka.log import KafkaLog
from ledger.eventlog.kafka_address import Address, SignIn
from ledger.eventlog.port import (
    EVERYTHING,
    Append,
    LogUnavailable,
    Misconfigured,
    NewEvent,
)

PATIENCE = 3.0
LATE = 2.0
"""Seconds that a busy machine may take beside the patience."""

EVENT = NewEvent("thing", b"x" * 100, ("x",), "1/1")
NOBODY = "127.0.0.1:1"


def opened(
    folder: Path, servers: str, topic: str, sign_in: SignIn | None = None, name: str = "replica"
) -> KafkaLog:
    address = Address.parsed(f"kafka://{servers}/{topic}")
    return KafkaLog(address, folder / f"{name}.sqlite", sign_in, patience=PATIENCE)


def append(log: KafkaLog, event: NewEvent = EVENT) -> None:
    log.submit(Append((event,))).result(PATIENCE + LATE)


def signing_in(guarded: Cluster, user: str, password: str | None = None) -> tuple[str, SignIn]:
    assert guarded.guard is not None
    sign_in = SignIn(
        protocol="SASL_SSL",
        ca_file=guarded.guard.authority,
        username=user,
        password=password or PASSWORDS[user],
    )
    return guarded.bootstrap_of("SASL_SSL"), sign_in


def test_brokers_that_cannot_be_reached_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match=rf"kafka://{NOBODY}/civic: .* Check CIVIC_LOG") as it:
        opened(tmp_path, NOBODY, "civic")
    assert not isinstance(it.value, Misconfigured), "it is of use to try again"


def test_a_topic_that_does_not_exist(kafka: Cluster, tmp_path: Path) -> None:
    with pytest.raises(WrongTopic, match=r"/nowhere: there is no such topic\. Correct CIVIC_LOG"):
        opened(tmp_path, kafka.bootstrap, "nowhere")


def test_a_topic_of_two_partitions(kafka: Cluster, tmp_path: Path) -> None:
    topic = kafka.create_topic(partitions=2)
    with pytest.raises(WrongTopic, match=rf"/{topic}: the topic has 2 partitions.* in CIVIC_LOG"):
        opened(tmp_path, kafka.bootstrap, topic)


def test_a_topic_that_is_replaced_by_another(kafka: Cluster, topic: str, tmp_path: Path) -> None:
    """Deleted and made again under the eyes of a process: it does not mix the two."""
    with closing(opened(tmp_path, kafka.bootstrap, topic)) as log:
        append(log)
        with kafka.admin() as admin:
            admin.delete_topics([topic])
        kafka.create_topic(topic)
        with pytest.raises(LogUnavailable, match=rf"/{topic}: .* ask again, with the same id"):
            append(log, EVENT._replace(id="2/1"))
    with closing(opened(tmp_path, kafka.bootstrap, topic)) as log:
        assert log.head() == 0


def test_a_user_who_may_only_read(
    guarded: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    topic = guarded.create_topic()
    with closing(opened(tmp_path, *_as(guarded, topic, "sequencer"), name="a")) as log:
        append(log)
        with closing(opened(tmp_path, *_as(guarded, topic, "reader"), name="b")) as reader:
            assert reader.select(EVERYTHING) == log.select(EVERYTHING)
    with closing(opened(tmp_path, *_as(guarded, topic, "reader"))) as reader:
        with pytest.raises(NotAllowed) as refused:
            append(reader, EVENT._replace(id="2/1"))
        assert reader.head() == 1
        with pytest.raises(NotAllowed):
            reader.claim(PATIENCE)
    said = str(refused.value)
    assert guarded.bootstrap_of("SASL_SSL") in said
    assert f"Write and Describe on the transactional id '{topic}'" in said
    assert "CIVIC_KAFKA_USERNAME" in said
    assert not any(word in caplog.text for word in PASSWORDS.values())


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [
        ("stranger", None, r"may not even see the topic\. Grant .* to CIVIC_KAFKA_USERNAME"),
        ("sequencer", "wrong", r"Check .*, CIVIC_KAFKA_USERNAME and CIVIC_KAFKA_PASSWORD"),
    ],
)
def test_a_user_who_may_nothing(
    guarded: Cluster,
    tmp_path: Path,
    user: str,
    password: str | None,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ledger")
    servers, sign_in = signing_in(guarded, user, password)
    with pytest.raises(LogUnavailable, match=said) as refused:
        opened(tmp_path, servers, guarded.create_topic(), sign_in)
    assert servers in str(refused.value)
    assert sign_in.password is not None
    assert sign_in.password not in str(refused.value) + caplog.text + repr(sign_in)


def test_brokers_that_want_encryption(guarded: Cluster, tmp_path: Path) -> None:
    servers = guarded.bootstrap_of("SSL")
    with pytest.raises(
        LogUnavailable, match=rf"{servers}.* Check CIVIC_LOG.* CIVIC_KAFKA_PROTOCOL"
    ):
        opened(tmp_path, servers, "civic")


@pytest.mark.parametrize(
    "hand_in",
    [lambda log, one: append(log, one), lambda log, one: log.append_batch([Append((one,))])],
    ids=["submit", "append_batch"],
)
def test_a_record_that_is_too_large(
    kafka: Cluster, tmp_path: Path, hand_in: Callable[[KafkaLog, NewEvent], None]
) -> None:
    topic = kafka.create_topic(settings={"max.message.bytes": "2000"})
    with closing(opened(tmp_path, kafka.bootstrap, topic)) as log:
        large = EVENT._replace(entry=b"x" * 2000, id="2/1")
        with pytest.raises(
            RecordTooLarge, match=r"'thing' would take .* Raise the topic's max\.mess"
        ):
            hand_in(log, large)
        assert log.head() == 0
        log.append_batch(
            [Append((EVENT._replace(entry=b"x" * 1000, id=f"{n}"),)) for n in range(9)]
        )
        assert log.head() == 9, "what fits goes in, in as many batches as it takes"
        assert log.position_of("2/1") is None


def test_a_topic_that_takes_less_than_before(kafka: Cluster, tmp_path: Path) -> None:
    topic = kafka.create_topic()
    with closing(opened(tmp_path, kafka.bootstrap, topic)) as log:
        append(log)
        _set(kafka, topic, "max.message.bytes", "2000")
        large = EVENT._replace(entry=b"x" * 5000, id="2/1")
        with pytest.raises(RecordTooLarge, match=r"Raise the topic's max\.message\.bytes"):
            append(log, large)
        append(log, EVENT._replace(id="3/1"))
        assert [log.position_of(one) for one in ("1/1", "2/1", "3/1")] == [1, None, 2]


def _set(kafka: Cluster, topic: str, name: str, value: str) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    with kafka.admin() as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])


def _as(guarded: Cluster, topic: str, user: str) -> tuple[str, str, SignIn]:
    servers, sign_in = signing_in(guarded, user)
    return servers, topic, sign_in
